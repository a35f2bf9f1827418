"""How the end of an attempt is recorded, so that sampler, records and resume all read it right.

=============  ======================  =======================================================
outcome        state in Optuna         why
=============  ======================  =======================================================
ok             COMPLETE, best value    the checkpoint of that epoch is the trial's result
pruned         PRUNED                  the samplers read its values so far
failed, by     COMPLETE, worst value   the samplers must not propose the like again, and they do
the config                             not see FAIL; the failure class marks it as no measurement
failed, else   FAIL                    the configuration may be good: nothing to learn
paused         RUNNING, and noted      the trial may go on; samplers see its values so far
interrupted    FAIL, after the next    the trial is not over
               attempt was queued
=============  ======================  =======================================================
"""

import logging
from dataclasses import replace

from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from automl.search.queued_trial import QueuedTrial, continued
from automl.search.trial_store import TrialStore
from automl.study import attributes
from automl.study.config import Objective
from automl.study.measured import Pausing, pending
from automl.study.ranking import best_epoch, values_in
from automl.study.records import FailureClass, Outcome, OutcomeState

__all__ = ["OutcomeRecorder"]

_log = logging.getLogger(__name__)


class OutcomeRecorder:
    """Records outcomes.

    Args:
        store: The study's trials.
        objective: Whose best value is recorded.
    """

    def __init__(self, store: TrialStore, objective: Objective) -> None:
        self._store = store
        self._objective = objective

    def record(self, outcome: Outcome) -> Outcome | None:
        """Records how an attempt ended.

        Returns:
            The outcome as it counts; None if the attempt had ended already, which changes nothing.

        Raises:
            ValueError: The trial was never asked for.
        """
        trial = self._store.latest(outcome.number)
        if trial is None:
            raise ValueError(f"trial {outcome.number} was never asked for")
        attempt = trial.user_attrs.get(attributes.ATTEMPT)
        has_ended = trial.state is not OptunaState.RUNNING or attributes.PAUSED in trial.user_attrs
        if attempt != outcome.attempt or has_ended:
            _log.debug("trial %d attempt %d has ended already", outcome.number, outcome.attempt)
            return None
        outcome = self._checked(outcome)
        self._store.report(trial, outcome.measurements)
        self._annotate(trial, outcome)
        self._tell(trial, outcome)
        return outcome

    def _checked(self, outcome: Outcome) -> Outcome:
        """A training without a value of the objective did not end well, whatever it says."""
        metric = self._objective.metric
        needs_value = outcome.state in (OutcomeState.OK, OutcomeState.PAUSED)
        if not needs_value or values_in(outcome.measurements, metric):
            return outcome
        return replace(
            outcome,
            state=OutcomeState.FAILED,
            failure=FailureClass.NO_METRIC,
            evidence=f"the training ended without a value of {metric}",
        )

    def _annotate(self, trial: FrozenTrial, outcome: Outcome) -> None:
        known = {
            attributes.CHECKPOINT: outcome.checkpoint,
            attributes.SECONDS: outcome.seconds,
            attributes.GPU_SECONDS: outcome.gpu_seconds,
            attributes.EXIT_CODE: outcome.exit_code,
            attributes.EVIDENCE: outcome.evidence or None,
            attributes.FAILURE: outcome.failure and str(outcome.failure),
        }
        handle = self._store.handle(trial)
        for name, value in known.items():
            if value is not None:
                handle.set_user_attr(name, value)

    def _tell(self, trial: FrozenTrial, outcome: Outcome) -> None:
        match outcome.state:
            case OutcomeState.OK:
                values = values_in(outcome.measurements, self._objective.metric)
                epoch = best_epoch(values, self._objective)
                best = None if epoch is None else values[epoch]
                self._store.tell(trial, OptunaState.COMPLETE, best)
            case OutcomeState.PRUNED:
                self._store.tell(trial, OptunaState.PRUNED)
            case OutcomeState.PAUSED:
                self._pause(trial, outcome)
            case OutcomeState.FAILED:
                self._tell_failed(trial, outcome)
            case OutcomeState.INTERRUPTED:
                self._requeue(trial, outcome)

    def _pause(self, trial: FrozenTrial, outcome: Outcome) -> None:
        epoch = max(entry.epoch for entry in outcome.measurements)
        decided = pending(trial)
        is_judged = decided is not None and not decided.is_due
        pausing = Pausing(outcome.evidence, epoch, outcome.checkpoint, is_judged)
        self._store.pause(trial, pausing)

    def _tell_failed(self, trial: FrozenTrial, outcome: Outcome) -> None:
        if outcome.failure is None or not outcome.failure.is_configs_fault:
            self._store.tell(trial, OptunaState.FAIL)
            return
        worst = self._store.worst()
        if worst is None:
            # Nothing was ever measured: samplers rank a trial without a value last.
            self._store.tell(trial, OptunaState.PRUNED)
        else:
            self._store.tell(trial, OptunaState.COMPLETE, worst)

    def _requeue(self, trial: FrozenTrial, outcome: Outcome) -> None:
        queued = QueuedTrial.of(trial)
        if outcome.checkpoint is not None:
            following = continued(trial, queued, outcome.checkpoint, outcome.measurements)
        else:
            following = continued(trial, queued, queued.resume_from, queued.history)
        self._store.replace(trial, following, f"goes on as attempt {following.attempt}")
