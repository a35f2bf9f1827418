"""What follows the search: its winner and the default are trained again, with fresh seeds."""

from dataclasses import replace

from automl.search.decision import SearchEnd
from automl.search.method import SearchView, TrainAgain, TrialView
from automl.study.confirmation import next_confirmation
from automl.study.records import TrialRecord, TrialState

__all__ = ["confirm"]


def confirm(view: SearchView, ended: SearchEnd) -> TrainAgain | SearchEnd | None:
    """What is trained once nothing is left to search.

    Args:
        view: The study.
        ended: Why the search itself is over.

    Returns:
        None while a trial of the search still runs; ``ended`` once nothing is left to train.
    """
    if not view.config.limits.confirms:
        return ended
    if view.searched(TrialState.WAITING, TrialState.RUNNING):
        return None
    asked = next_confirmation([_settled(each) for each in view.trials], view.config)
    return ended if asked is None else TrainAgain(asked.confirms, asked.seed, asked.source)


def _settled(trial: TrialView) -> TrialRecord:
    """A trial that stays paused has been stopped early, now that the search is over."""
    if trial.record.state is TrialState.PAUSED:
        return replace(trial.record, state=TrialState.PRUNED)
    return trial.record
