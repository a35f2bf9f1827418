"""Who stands where on the rungs, and who may go on: what the halving methods share.

A rung compares the trials that have trained so far, by what they are predicted to end with. Of
those that compete there one in ``ETA`` may go on. Trial 0 and the audited ones go on anyhow; they
neither take a place nor count.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from automl.search.audit import Trust, trust_in
from automl.search.method import SearchView, TrialView
from automl.search.prediction import Forecast, forecast
from automl.search.rungs import ETA
from automl.search.signals import cohort, reached
from automl.study.records import TrialState

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
    seen: dict[int, Forecast] = field(default_factory=dict)

    @property
    def rungs(self) -> tuple[int, ...]:
        """The epochs, counted from 1."""
        return self.view.config.search.rungs

    def forecast(self, rung: int) -> Forecast:
        """What is predicted at a rung."""
        if rung not in self.seen:
            self.seen[rung] = forecast(self.view, rung)
        return self.seen[rung]

    def trust(self, rung: int) -> Trust:
        """How well a rung has ranked."""
        return trust_in(self.forecast(rung), cohort(self.view, rung))

    def is_judged(self, number: int, rung: int) -> bool:
        """Whether a rung is one of a trial's ladder."""
        return rung in self.rungs[self.first_rung(number) :]

    def competitors(self, rung: int) -> list[TrialView]:
        """The trials that a rung compares and may hold back."""
        return [
            trial
            for trial in cohort(self.view, rung)
            if trial.number and not trial.audited and self.is_judged(trial.number, rung)
        ]

    @property
    def most_competitors(self) -> int:
        """How many trials may compete on one rung by the end of the study."""
        n_searched = max(self.view.n_searched, self.view.config.limits.trials)
        return int(min(n_searched, self.view.total)) - 1

    def held(self, rung: int) -> list[TrialView]:
        """The trials that wait at a rung."""
        return [
            trial
            for trial in self.competitors(rung)
            if trial.record.state is TrialState.PAUSED and self.last_rung(trial) == rung
        ]

    def last_rung(self, trial: TrialView) -> int:
        """The newest rung of its ladder that a trial has reached; 0 before the first."""
        passed = (rung for rung in self.rungs if self.is_judged(trial.number, rung))
        return max((rung for rung in passed if reached(trial, rung)), default=0)

    def n_places(self, rung: int, least: int = 0) -> int:
        """How many of a rung may go on."""
        return max(least, len(self.competitors(rung)) // ETA)

    def order(self, rung: int) -> list[int]:
        """The competitors of a rung, best first."""
        return self.forecast(rung).order([trial.number for trial in self.competitors(rung)])

    def standing(self, number: int, rung: int) -> RungStanding:
        """Where a trial stands among the competitors of a rung."""
        order = self.order(rung)
        place = order.index(number)
        seen = self.forecast(rung)
        words = f"{seen.words(number)} at epoch {rung - 1} is {_nth(place + 1)} of {len(order)}"
        return RungStanding(place, len(order), words + _predicted(seen, number, order))


def _predicted(seen: Forecast, number: int, order: Sequence[int]) -> str:
    own = seen.predict(number)
    if own is None:
        return ""
    text = f"; predicted {own.mean:.3g} ± {own.sd:.2g}"
    last = seen.predict(order[len(order) // ETA - 1]) if len(order) >= ETA else None
    return text if last is None else f"{text}, cut {last.mean:.3g}"


def _nth(place: int) -> str:
    tens = place % 100 // 10
    return f"{place}{'th' if tens == 1 else {1: 'st', 2: 'nd', 3: 'rd'}.get(place % 10, 'th')}"
