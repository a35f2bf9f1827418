"""From what a method says to what the Optuna queue holds: a trial, an attempt, or nothing."""

from collections.abc import Sequence
from dataclasses import replace

from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from automl.search.budget import Budget
from automl.search.decision import Continue, EndCause, Pause, SearchEnd, Stop
from automl.search.earlier import earlier_trial
from automl.search.followed import Followed
from automl.search.method import GoOn, Method, Propose, Start, TrainAgain
from automl.search.proposals import confirming_trial, default_trial
from automl.search.queued_trial import QueuedTrial, continued
from automl.search.trial_store import TrialStore
from automl.search.view import ViewSource
from automl.space.model import SearchSpace
from automl.study.measured import Pausing, paused_of
from automl.study.records import TrialState

__all__ = ["TrialQueue"]

_LATE = SearchEnd(EndCause.LIMITS, "the next confirmation would not end in time")


class TrialQueue:
    """Puts into the queue what the method starts next.

    Args:
        store: The study's trials.
        views: What the method sees of them.
        method: Says what is next.
        budget: Says what would not end in time.
        space: What is searched.
    """

    def __init__(
        self,
        store: TrialStore,
        views: ViewSource,
        method: Method,
        budget: Budget,
        space: SearchSpace,
    ) -> None:
        self._store = store
        self._views = views
        self._method = method
        self._budget = budget
        self._space = space
        self._due = Followed(store, _due)

    def fill(self) -> bool:
        """Puts the next trial into the queue; whether there is one."""
        if any(map(self._goes_on_at_once, self._unjudged())):
            return True
        start = self._next()
        if start is None or isinstance(start, SearchEnd):
            return False
        self._put(start)
        return True

    def ended(self) -> SearchEnd | None:
        """Why nothing more will be put into the queue; None while something may be."""
        if self._unjudged():
            return None
        start = self._next()
        return start if isinstance(start, SearchEnd) else None

    def _next(self) -> Start | SearchEnd | None:
        """What the method starts next, of what ends in time."""
        while True:
            view = self._views.view()
            start = self._method.next_start(view)
            if isinstance(start, TrainAgain):
                params = view.by_number[start.number].record.params
                return _LATE if self._budget.refuses(params, confirms=True) else start
            if not isinstance(start, GoOn):
                return start
            paused = view.by_number[start.number].record
            if not self._budget.refuses(paused.params, paused.seconds):
                return start
            self._views.lose(frozenset({start.number}))

    def settle(self) -> None:
        """Tells Optuna the end of the trials that stay paused, once the search itself is over.

        They go on all the same if the study is given more trials and their checkpoints are there.
        """
        for trial in self._store.trials(OptunaState.RUNNING):
            if paused_of(trial) is not None:
                self._store.tell(trial, OptunaState.PRUNED)

    def _put(self, start: Start) -> None:
        match start:
            case Propose():
                self._store.enqueue(self._first_or(self._store.next_number()))
            case TrainAgain():
                self._confirm(start)
            case GoOn():
                self._go_on(start)

    def _first_or(self, number: int) -> QueuedTrial:
        """The default as trial 0, then what earlier studies found, then what is drawn."""
        if not number:
            return default_trial(self._space)
        found = earlier_trial(number, self._space, self._views.config)
        return QueuedTrial(number) if found is None else found

    def _confirm(self, start: TrainAgain) -> None:
        self.settle()
        trained = self._store.grouped()[start.number][-1]
        self._store.enqueue(confirming_trial(self._store.next_number(), start, trained))

    def _go_on(self, start: GoOn) -> None:
        trial = self._store.latest(start.number)
        view = self._views.view().by_number.get(start.number)
        paused = None if trial is None else paused_of(trial)
        is_paused = view is not None and view.record.state is TrialState.PAUSED
        if trial is None or paused is None or not is_paused:
            raise ValueError(f"trial {start.number} is not paused, and cannot go on")
        queued = replace(QueuedTrial.of(trial), goes_on=start.reason)
        self._continue(trial, queued, paused)

    def _continue(self, trial: FrozenTrial, queued: QueuedTrial, paused: Pausing) -> None:
        measured = self._store.measured(trial)
        history = tuple(entry for entry in measured if entry.epoch <= paused.epoch)
        following = continued(trial, queued, paused.checkpoint, history)
        self._store.go_on(trial, following, f"goes on as attempt {following.attempt}")

    # What an interruption left undecided

    def _unjudged(self) -> list[FrozenTrial]:
        return sorted(self._due.current().values(), key=lambda trial: trial.number)

    def _goes_on_at_once(self, trial: FrozenTrial) -> bool:
        """Judges the rung at which a trial was interrupted; whether it is in the queue by that."""
        paused, queued = paused_of(trial), QueuedTrial.of(trial)
        if paused is None:
            return False
        match self._method.judge(self._views.view(), queued.number):
            case Continue(audited):
                self._continue(trial, replace(queued, audited=audited or queued.audited), paused)
                return True
            case Pause(reason):
                self._store.pause(trial, replace(paused, reason=reason, is_judged=True))
            case Stop(reason):
                self._store.stop_paused(trial, reason)
        return False


def _due(number: int, trials: Sequence[FrozenTrial]) -> FrozenTrial | None:
    """The start of a trial that paused where its rung is yet to be judged; None of any other."""
    del number
    paused = paused_of(trials[-1])
    is_due = paused is not None and not paused.is_judged
    return trials[-1] if is_due and trials[-1].state is OptunaState.RUNNING else None
