"""The plainest method with rungs: of the trials that reach one, a third goes on, by the objective.

For properties of pausing that hold whatever the rule; it counts every trial that was let through.
"""

from dataclasses import dataclass

from automl.search.decision import Continue, Decision, Pause, SearchEnd
from automl.search.method import GoOn, Propose, SearchView, Start, TrialView
from automl.search.methods.confirming import confirm
from automl.search.methods.limits import why_no_more
from automl.study.records import TrialState

__all__ = ["ETA", "ThirdGoesOn", "let_through", "reached"]

ETA = 3
_LIVE = (TrialState.RUNNING, TrialState.WAITING)


def reached(view: SearchView, rung: int) -> list[TrialView]:
    """The trials that were measured at a rung, given as an epoch from 1; the best first."""
    objective = view.config.objective
    found = [each for each in view.searched() if rung - 1 in each.record.values]
    return sorted(
        found, key=lambda each: (objective.loss(each.record.values[rung - 1]), each.number)
    )


def let_through(view: SearchView, rung: int) -> list[TrialView]:
    """Those of them that do not rest there."""
    return [each for each in reached(view, rung) if not _rests(each, rung)]


def _rests(trial: TrialView, rung: int) -> bool:
    return trial.record.state is TrialState.PAUSED and trial.epoch == rung - 1


@dataclass(frozen=True, slots=True)
class ThirdGoesOn:
    """Pauses what is not among the best third of its rung."""

    def next_start(self, view: SearchView) -> Start | SearchEnd | None:
        """The best that rests where a place is free, the highest rung first; else a new trial."""
        for rung in reversed(view.config.search.rungs):
            found = reached(view, rung)
            places = len(found) // ETA
            best = next((each for each in found[:places] if _rests(each, rung)), None)
            if best is not None and len(let_through(view, rung)) < places:
                return GoOn(best.number, f"among the best {places} of {len(found)}")
        ended = why_no_more(view)
        if ended is None:
            return Propose()
        return None if view.searched(*_LIVE) else confirm(view, ended)

    def judge(self, view: SearchView, number: int) -> Decision:
        """Whether a trial at a rung is among its best third, and a place of it is free."""
        trial = view.by_number[number]
        rung = trial.epoch + 1
        if trial.record.confirms is not None or rung not in view.config.search.rungs:
            return Continue()
        found = reached(view, rung)
        places = len(found) // ETA
        # The trial itself counts as let through: it does not rest yet.
        is_best = trial in found[:places] and len(let_through(view, rung)) <= places
        return Continue() if is_best else Pause(f"one of {len(found)}, of which {places} go on")
