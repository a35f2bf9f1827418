"""The trials of one Optuna study, written so that any crash between two writes is recoverable.

Each Optuna trial is born in the queue, in one write that already holds its logical number: no
start is ever without one. A trial goes on as another Optuna trial by queueing the new one first
and ending the old one after, so that no number is ever lost; where both are there, the old one is
merely ended.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

import optuna
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from automl.search.followed import Followed
from automl.search.queued_trial import QueuedTrial, fixed_by_others
from automl.search.tally import Tally
from automl.search.trial_cache import cached
from automl.skill.tree import ParamValue
from automl.study import attributes
from automl.study.config import Objective
from automl.study.measured import Judged, Pausing, history_of, measured_of
from automl.study.records import Measurement, TrialRecord
from automl.study.trials import record_of, worst_of

__all__ = ["TrialStore"]


class TrialStore:
    """Queueing, finding and ending the trials of a study.

    Args:
        study: The Optuna study; nothing is known that is not in it.
        objective: Whose values are recorded.

    Attributes:
        study: The same study, to be written to in place of the one that was given.
        tally: Counts over its trials.
    """

    def __init__(self, study: optuna.Study, objective: Objective) -> None:
        self.study, self._cache = cached(study)
        self.tally = Tally(self._cache)
        self._objective = objective
        self._read = Followed(self._cache, lambda _, trials: record_of(trials, objective))
        self._worst: Followed[float] = Followed(
            self._cache, lambda _, trials: worst_of(trials, objective)
        )
        self._records: tuple[TrialRecord, ...] | None = None

    def trials(self, *states: OptunaState) -> list[FrozenTrial]:
        """The Optuna trials in these states, or all of them, oldest first.

        Asked for those in the queue, it finds what another program has put there.
        """
        if OptunaState.WAITING in states:
            self._cache.find_others()
        return self.study.get_trials(deepcopy=False, states=states or None)

    def together(self) -> AbstractContextManager[None]:
        """Makes what is noted on trials within the block as one write, where the storage can."""
        return self._cache.together()

    def trial(self, place: int) -> FrozenTrial:
        """The Optuna trial of a number of Optuna's."""
        return self._cache.at(place)

    def grouped(self) -> Mapping[int, Sequence[FrozenTrial]]:
        """The Optuna trials of each logical number, oldest first, until the next write."""
        return self._cache.grouped()

    def changes(self, since: int) -> tuple[Iterable[int], int]:
        """The logical numbers whose trials have changed, and where to look from the next time.

        Args:
            since: Where an earlier call ended; 0 for everything.
        """
        return self._cache.changes(since)

    def records(self) -> tuple[TrialRecord, ...]:
        """Every trial, by number; the same tuple for as long as nothing changes."""
        self._follow()
        if self._records is None:
            self._records = tuple(self._read.values[each] for each in self._cache.numbers())
        return self._records

    def record(self, number: int) -> TrialRecord:
        """One trial."""
        self._follow()
        return self._read.values[number]

    def _follow(self) -> None:
        if [*self._read.follow()]:
            self._records = None

    def next_number(self) -> int:
        """The logical number of the next trial."""
        numbers = self._cache.numbers()
        return numbers[-1] + 1 if numbers else 0

    def measured(self, trial: FrozenTrial) -> tuple[Measurement, ...]:
        """Every measurement that counts for an attempt, by epoch."""
        return measured_of(trial, self._objective.metric)

    def latest(self, number: int) -> FrozenTrial | None:
        """The Optuna trial that says where a logical trial stands."""
        trials = self._cache.grouped().get(number)
        return trials[-1] if trials else None

    def enqueue(self, queued: QueuedTrial) -> None:
        """Puts a trial into the queue, in one write."""
        self.study.enqueue_trial(dict(queued.fixed), user_attrs=queued.attrs())

    def handle(self, trial: FrozenTrial) -> optuna.Trial:
        """A trial as something that can be written to."""
        return optuna.Trial(self.study, trial._trial_id)

    def queue_again(self, trial: FrozenTrial, why: str) -> None:
        """Puts back what another process had put into the queue, and nobody has numbered yet."""
        self.study.enqueue_trial(fixed_by_others(trial), user_attrs=dict(trial.user_attrs))
        self.supersede(trial.number, why)

    def supersede(self, optuna_number: int, why: str) -> None:
        """Ends a running Optuna trial without a result.

        Args:
            optuna_number: Optuna's number of it.
            why: What goes on in its place, in words.
        """
        self.handle(self.trial(optuna_number)).set_user_attr(attributes.SUPERSEDED, why)
        self.study.tell(optuna_number, state=OptunaState.FAIL)

    def withdraw(self, trial: FrozenTrial, why: str) -> None:
        """Ends a trial that never began, and gives its number back."""
        self.handle(trial).set_user_attr(attributes.NUMBER, None)
        self.supersede(trial.number, why)

    def replace(self, trial: FrozenTrial, queued: QueuedTrial, why: str) -> None:
        """Lets a running trial go on from the queue: first the new one, then the old end."""
        self.enqueue(queued)
        self.supersede(trial.number, why)

    def refuse(
        self, trial: FrozenTrial, queued: QueuedTrial, params: Mapping[str, ParamValue], why: str
    ) -> None:
        """Ends a proposal that is not to be started, and queues the next draw in its place.

        What is written first decides: after a crash the refusal is completed, never forgotten.
        """
        handle = self.handle(trial)
        handle.set_user_attr(attributes.REFUSED, why)
        handle.set_user_attr(attributes.PARAMS, dict(params))
        self.draw_again(trial, queued)

    def draw_again(self, trial: FrozenTrial, queued: QueuedTrial) -> None:
        """Completes a refusal that has been written down."""
        self.enqueue(replace(queued, draw=queued.draw + 1, params=None))
        self.end_refused(trial)

    def end_refused(self, trial: FrozenTrial) -> None:
        """Ends a refused proposal with the worst value; without any value, as ranked last."""
        worst = self.worst()
        state = OptunaState.PRUNED if worst is None else OptunaState.COMPLETE
        self.tell(trial, state, worst)

    def go_on(self, trial: FrozenTrial, queued: QueuedTrial, why: str) -> None:
        """Lets a paused trial go on from the queue: first the new one, then the old end.

        Of a study that has ended since Optuna has been told the pause as the trial's end.
        """
        self.enqueue(queued)
        if trial.state is OptunaState.RUNNING:
            self.supersede(trial.number, why)

    def pause(self, trial: FrozenTrial, pausing: Pausing) -> None:
        """Notes that a trial may go on later; it stays running."""
        handle = self.handle(trial)
        handle.set_user_attr(attributes.EVIDENCE, pausing.reason)
        handle.set_user_attr(attributes.PAUSED, pausing.to_json())

    def stop_paused(self, trial: FrozenTrial, why: str) -> None:
        """Ends a paused trial for good."""
        handle = self.handle(trial)
        handle.set_user_attr(attributes.EVIDENCE, why)
        handle.set_user_attr(attributes.PAUSED, None)
        self.tell(trial, OptunaState.PRUNED)

    def judge(self, trial: FrozenTrial, judged: Judged) -> None:
        """Records a measurement with what was decided by it; an epoch's first value stands.

        The metrics and the decision are one write: no crash parts them.
        """
        epoch = judged.measurement.epoch
        handle = self.handle(trial)
        if judged.audited:
            handle.set_user_attr(attributes.AUDITED, judged.audited)
        if epoch in trial.intermediate_values:
            return
        if judged.name not in trial.user_attrs:
            handle.set_user_attr(judged.name, judged.to_json())
        handle.report(judged.measurement.metrics[self._objective.metric], epoch)

    def report(self, trial: FrozenTrial, measurements: Sequence[Measurement]) -> None:
        """Records the measurements that are not there yet; an epoch's first value stands."""
        inherited = history_of(trial)
        handle = self.handle(trial)
        for entry in measurements:
            value = entry.metrics.get(self._objective.metric)
            if value is None or entry.epoch in trial.intermediate_values:
                continue
            if entry in inherited:
                handle.report(value, entry.epoch)
            else:
                self.judge(trial, Judged(entry))

    def tell(self, trial: FrozenTrial, state: OptunaState, value: float | None = None) -> None:
        """Ends a running trial."""
        self.study.tell(trial.number, value, state=state)

    def worst(self) -> float | None:
        """The worst value there can be, else the worst seen; None before the first value."""
        if self._objective.worst is not None:
            return self._objective.worst
        seen = self._worst.current().values()
        return max(seen, key=self._objective.loss, default=None)
