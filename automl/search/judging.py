"""A measurement and the decision that follows from it, recorded together."""

from optuna.trial import FrozenTrial

from automl.search.decision import Continue, Decision, Pause, Stop
from automl.search.method import Method
from automl.search.queued_trial import QueuedTrial
from automl.search.trial_store import TrialStore
from automl.search.view import ViewSource
from automl.study.measured import Judged, judged_of
from automl.study.records import Measurement

__all__ = ["Judge"]


class Judge:
    """Asks the method about each measurement, once.

    Args:
        store: The study's trials.
        views: What the method sees of them.
        method: Decides.
    """

    def __init__(self, store: TrialStore, views: ViewSource, method: Method) -> None:
        self._store = store
        self._views = views
        self._method = method

    def take(self, trial: FrozenTrial, measurement: Measurement) -> Decision:
        """Records a measurement of the objective; whether its trial goes on.

        Args:
            trial: A running trial.
            measurement: What it measured; of an epoch that is known already the first one stands,
                and so does the decision.
        """
        known = judged_of(trial).get(measurement.epoch)
        if known is not None:
            self._store.judge(trial, known)
            return _decided(known)
        if measurement.epoch in trial.intermediate_values:
            return Continue()
        number = QueuedTrial.of(trial).number
        decision = self._method.judge(self._views.view(number, measurement), number)
        self._store.judge(trial, _judged(measurement, decision))
        return decision


def _judged(measurement: Measurement, decision: Decision) -> Judged:
    match decision:
        case Pause(reason):
            return Judged(measurement, pause=reason)
        case Stop(reason):
            return Judged(measurement, stop=reason)
        case Continue(audited, excused):
            return Judged(measurement, audited=audited, excused=excused)


def _decided(judged: Judged) -> Decision:
    if judged.pause:
        return Pause(judged.pause)
    return Stop(judged.stop) if judged.stop else Continue(judged.audited, judged.excused)
