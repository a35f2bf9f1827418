"""Methods for properties of pausing: the plainest one, and the shipped ones held to their rule.

Of the plainest, of the trials that reach a rung a third goes on, by the objective; it counts every
trial that was let through.
"""

from dataclasses import dataclass

from automl.search.decision import Continue, Decision, Pause, SearchEnd
from automl.search.halving import FINALISTS, Halving
from automl.search.method import GoOn, Propose, SearchView, Start, TrialView
from automl.search.methods.asha import Asha
from automl.search.methods.confirming import confirm
from automl.search.methods.limits import why_no_more
from automl.study.ranking import best_trial
from automl.study.records import TrialState

__all__ = ["ETA", "Ruled", "ThirdGoesOn", "let_through", "reached"]

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


@dataclass(frozen=True, slots=True)
class Ruled:
    """A halving method that fails as soon as it lets one more trial go on than its rule allows.

    Attributes:
        inner: The method.
    """

    inner: Asha

    def next_start(self, view: SearchView) -> Start | SearchEnd | None:
        """As the method says; who goes on after a pause is among the best of its rung."""
        start = self.inner.next_start(view)
        if isinstance(start, GoOn):
            halving = Halving(view, self.inner.first_rung)
            rung = halving.last_rung(view.by_number[start.number])
            least = 0 if why_no_more(view) is None else FINALISTS
            self._check_place(halving, start.number, rung, least)
        return start

    def judge(self, view: SearchView, number: int) -> Decision:
        """As the method says; who goes on without a pause is among the best of its rung."""
        decision = self.inner.judge(view, number)
        trial, halving = view.by_number[number], Halving(view, self.inner.first_rung)
        rung = trial.epoch + 1
        is_exempt = number == 0 or bool(trial.audited) or trial.record.confirms is not None
        if not isinstance(decision, Continue) or is_exempt or decision.audited or decision.excused:
            return decision
        if halving.is_judged(number, rung) and not halving.forecast(rung).is_blind:
            leads = best_trial([each.record for each in view.searched()], view.config.objective)
            if leads is None or leads.number != number:
                self._check_place(halving, number, rung, least=1)
        return decision

    def _check_place(self, halving: Halving, number: int, rung: int, least: int) -> None:
        order = halving.order(rung)
        assert order.index(number) < max(least, len(order) // ETA)
