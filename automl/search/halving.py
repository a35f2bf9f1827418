"""Who stands where on the rungs, and who may go on: what the halving methods share.

A rung compares the trials that have trained so far, by what they are predicted to end with. Of
those that compete there one in ``ETA`` may go on. Trial 0 and the audited ones go on anyhow; they
neither take a place nor count.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from automl.search.audit import Trust, trust_in
from automl.search.method import SearchView, TrialView
from automl.search.prediction import Forecast, forecast
from automl.search.ranks import IntArray
from automl.search.rung_table import rung_table
from automl.search.rungs import ETA
from automl.search.signals import reached
from automl.search.trial_views import TrialViews

__all__ = ["FINALISTS", "Halving", "RungStanding"]

#: Trials beside the default that are trained to their end where nothing is left to start: one
#: could have been ranked first by chance.
FINALISTS = 2


@dataclass(frozen=True, slots=True)
class RungStanding:
    """Where a trial stands on a rung.

    Attributes:
        place: Its place among those that compete, from 0 for the best.
        n: How many compete.
        words: What it has shown and what it is predicted to end with, for a reader.
    """

    place: int
    n: int
    words: str


@dataclass(frozen=True, slots=True)
class Halving:
    """The rungs of a study as they stand.

    Args:
        view: The study.
        first_rung: The place in the ladder of the first rung that judges a trial, by its number.
    """

    view: SearchView
    first_rung: Callable[[int], int] = lambda _: 0

    @property
    def rungs(self) -> tuple[int, ...]:
        """The epochs, counted from 1."""
        return self.view.config.search.rungs

    def forecast(self, rung: int) -> Forecast:
        """What is predicted at a rung."""
        return forecast(self.view, rung)

    def trust(self, rung: int) -> Trust:
        """How well a rung has ranked."""
        return trust_in(self.forecast(rung))

    def is_judged(self, number: int, rung: int) -> bool:
        """Whether a rung is one of a trial's ladder."""
        return rung in self.rungs[self.first_rung(number) :]

    @property
    def most_competitors(self) -> int:
        """How many trials may compete on one rung by the end of the study."""
        n_searched = max(self.view.n_searched, self.view.config.limits.trials)
        return int(min(n_searched, self.view.total)) - 1

    def ranking(self, rung: int) -> IntArray:
        """The trials that a rung compares and may hold back, best first; shape (competitors,)."""
        ranking = self.forecast(rung).ranking
        return ranking[self._competes(rung)[ranking]]

    def is_held(self, rung: int) -> NDArray[np.bool_]:
        """Which trials wait at a rung, by number."""
        competes = self._competes(rung)
        return competes & rung_table(self.view, rung).rests[: len(competes)]

    def _competes(self, rung: int) -> NDArray[np.bool_]:
        table = rung_table(self.view, rung)
        made = partial(_FirstRungs, self.first_rung)
        first = self.view.kept(("first rungs", self.first_rung), made).by_number
        # Each of the two arrays has room for more trials than there are.
        n = min(len(first), len(table.is_open))
        competes: NDArray[np.bool_] = table.is_open[:n] & (first[:n] <= self.rungs.index(rung))
        return competes

    def held(self, rung: int) -> list[TrialView]:
        """The trials that wait at a rung."""
        numbers = np.flatnonzero(self.is_held(rung))
        return [self.view.by_number[int(number)] for number in numbers]

    def last_rung(self, trial: TrialView) -> int:
        """The newest rung of its ladder that a trial has reached; 0 before the first."""
        passed = (rung for rung in self.rungs if self.is_judged(trial.number, rung))
        return max((rung for rung in passed if reached(trial, rung)), default=0)

    def order(self, rung: int) -> list[int]:
        """The competitors of a rung, best first."""
        return [int(number) for number in self.ranking(rung)]

    def n_places(self, rung: int, least: int = 0) -> int:
        """How many of a rung may go on."""
        return max(least, int(self._competes(rung).sum()) // ETA)

    def standing(self, number: int, rung: int) -> RungStanding:
        """Where a trial stands among the competitors of a rung."""
        ranking = self.ranking(rung)
        place = int(np.flatnonzero(ranking == number)[0])
        seen = self.forecast(rung)
        words = f"{seen.words(number)} at epoch {rung - 1} is {_nth(place + 1)} of {len(ranking)}"
        return RungStanding(place, len(ranking), words + _predicted(seen, number, ranking))


class _FirstRungs:
    """The place of the first rung that judges each trial, by its number.

    Args:
        first_rung: The place of a number.

    Attributes:
        by_number: Of every trial there is, and perhaps of later ones.
    """

    def __init__(self, first_rung: Callable[[int], int]) -> None:
        self._first_rung = first_rung
        self.by_number = np.zeros(0, np.intp)

    def follow(self, trials: TrialViews) -> None:
        """Takes in what trials there are by now."""
        known, n = len(self.by_number), trials[-1].number + 1 if trials else 0
        if n > known:
            more = [self._first_rung(number) for number in range(known, max(n, 2 * known))]
            self.by_number = np.append(self.by_number, np.array(more, np.intp))


def _predicted(seen: Forecast, number: int, ranking: IntArray) -> str:
    own = seen.predict(number)
    if own is None:
        return ""
    text = f"; predicted {own.mean:.3g} ± {own.sd:.2g}"
    n = len(ranking) // ETA
    last = seen.predict(int(ranking[n - 1])) if n else None
    return text if last is None else f"{text}, cut {last.mean:.3g}"


def _nth(place: int) -> str:
    tens = place % 100 // 10
    return f"{place}{'th' if tens == 1 else {1: 'st', 2: 'nd', 3: 'rd'}.get(place % 10, 'th')}"
