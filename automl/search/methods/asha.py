"""Asynchronous successive halving by predicted final objective.

Li et al., "A System for Massively Parallel Hyperparameter Tuning" (MLSys 2020), with three
differences. Trials are ranked by what they are predicted to end with, not by what they have
reached. A trial that is among those that may go on when it arrives goes on without a pause. And
where nothing is left to start, the best predicted go on, so that the winner of a small study too
was trained to its end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from automl.search.audit import is_audited
from automl.search.decision import Continue, Decision, Pause, SearchEnd, Stop
from automl.search.halving import FINALISTS, Halving, RungStanding
from automl.search.method import GoOn, Propose, SearchView, Start, TrialView
from automl.search.methods.confirming import confirm
from automl.search.methods.limits import why_no_more
from automl.search.prediction import Forecast
from automl.search.resuming import pausing_pays
from automl.search.rungs import ETA
from automl.search.sorted_values import SortedValues
from automl.study.config import Objective
from automl.study.records import TrialState

__all__ = ["Asha"]


def _from_the_first(number: int) -> int:
    del number
    return 0


@dataclass(frozen=True, slots=True)
class Asha:
    """Pauses what is behind at a rung, and lets it go on once it is among the best.

    Attributes:
        first_rung: The place in the ladder of the first rung that judges a trial, by its number.
    """

    first_rung: Callable[[int], int] = _from_the_first

    def next_start(self, view: SearchView) -> Start | SearchEnd | None:
        """A promotion, the highest rung first; else a new trial; else what ends the search."""
        halving = Halving(view, self.first_rung)
        promoted = _promotion(halving, 0)
        if promoted is not None:
            return promoted
        ended = why_no_more(view)
        if ended is None:
            return Propose()
        last = _promotion(halving, FINALISTS)
        return confirm(view, ended) if last is None else last

    def judge(self, view: SearchView, number: int) -> Decision:
        """Whether a trial that has reached a rung is among those that go on."""
        trial = view.by_number[number]
        halving = Halving(view, self.first_rung)
        rung = trial.epoch + 1
        if _goes_on_anyhow(trial) or not halving.is_judged(number, rung):
            return Continue()
        seen = halving.forecast(rung)
        if seen.is_blind or _leads(view, trial):
            return Continue(excused=_doubt(seen))
        return _judged(halving, trial, rung)


def _goes_on_anyhow(trial: TrialView) -> bool:
    """The default, audited trials, and trainings that confirm another one."""
    return trial.number == 0 or bool(trial.audited) or trial.record.confirms is not None


def _leads(view: SearchView, trial: TrialView) -> bool:
    """Whether a trial has the best objective so far, of all trials at whatever epoch."""
    objective, value = view.config.objective, trial.record.best_value
    made = partial(SortedValues, partial(_loss, objective))
    rival = view.kept(("losses", objective), made).lowest_but(trial.number)
    return value is not None and (rival is None or objective.loss(value) < rival)


def _loss(objective: Objective, trial: TrialView) -> float | None:
    value = trial.record.best_value
    return None if value is None or trial.record.confirms is not None else objective.loss(value)


def _doubt(seen: Forecast) -> str:
    """Why a rung judges no more, where that is so."""
    if not seen.refuted_by:
        return ""
    return (
        f"the rung after epoch {seen.rung - 1} judges no more: nothing reported by then ranks the "
        f"{seen.refuted_by} trials that ended as they ended"
    )


def _judged(halving: Halving, trial: TrialView, rung: int) -> Decision:
    standing = halving.standing(trial.number, rung)
    can_resume = pausing_pays(halving.view, rung)
    # Who cannot come back later must be let through at once, so the first always goes on then.
    if standing.place < halving.n_places(rung, least=0 if can_resume else 1):
        return Continue()
    behind = f"{standing.words}; {_rule(standing)}"
    trust = halving.trust(rung)
    if trust.misleads:
        return Continue(excused=f"the rung after epoch {rung - 1} judges no more: {trust}")
    if is_audited(halving.view, trial.number):
        return Continue(audited=behind)
    most = max(FINALISTS, halving.most_competitors // ETA)
    if standing.place >= most:
        return Stop(f"{behind}, and {most} at most ever will")
    if not can_resume:
        return Stop(f"{behind}, and going on later would cost more than it saves")
    return Pause(behind)


def _rule(standing: RungStanding) -> str:
    n = standing.n // ETA
    return f"{n or 'none'} of {standing.n} {'goes' if n == 1 else 'go'} on"


def _promotion(halving: Halving, least: int) -> GoOn | None:
    """The best paused trial that may go on, of the highest rung.

    Args:
        halving: The rungs.
        least: How many of each rung may go on at least; above 0 only where nothing more will be
            started.
    """
    for rung in reversed(halving.rungs):
        is_held = halving.is_held(rung)
        if not is_held.any() or (least and _is_awaited(halving, rung)):
            continue
        places = halving.n_places(rung, least)
        first = halving.ranking(rung)[:places]
        found = first[is_held[first]]
        if len(found):
            number = int(found[0])
            standing = halving.standing(number, rung)
            return GoOn(number, f"{standing.words}; the best {places} of {standing.n} go on")
    return None


def _is_awaited(halving: Halving, rung: int) -> bool:
    """Whether a trial that is yet to reach a rung may still be better than those there."""
    live = halving.view.searched(TrialState.RUNNING, TrialState.WAITING)
    return any(trial.epoch + 1 < rung for trial in live)
