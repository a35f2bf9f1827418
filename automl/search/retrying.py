"""Failed trials that are trained again with the same parameters, because a person asked for it.

What made them fail may have been fixed since: a full disk, a lost GPU, a broken file, the trainer
itself. The end that was recorded stays in the storage as that of an earlier attempt. A trial whose
failure its settings did not cause goes on from its newest whole checkpoint.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from optuna.trial import FrozenTrial

from automl.search.queued_trial import QueuedTrial, continued
from automl.search.recovery import FindCheckpoint, Recovered
from automl.search.trial_store import TrialStore
from automl.study.layout import StudyPaths
from automl.study.records import FailureClass, TrialRecord, TrialState

__all__ = ["Retry", "retry_failed"]


@dataclass(frozen=True, slots=True)
class Retry:
    """Which failed trials are trained again.

    Attributes:
        failure: Those of this class; None for all.
    """

    failure: FailureClass | None = None

    def takes(self, record: TrialRecord) -> bool:
        """Whether a trial is one of them."""
        has_failed = record.state is TrialState.FAILED
        return has_failed and self.failure in (None, record.failure)


def retry_failed(
    store: TrialStore, wanted: Retry | None, paths: StudyPaths, find_checkpoint: FindCheckpoint
) -> Iterator[Recovered]:
    """Puts the failed trials back into the queue, each in one write.

    Args:
        store: The study's trials.
        wanted: Which of them; None for none.
        paths: The study folder.
        find_checkpoint: The newest whole checkpoint in an attempt's folder.

    Yields:
        What was done to each.
    """
    chosen = () if wanted is None else [each for each in store.records() if wanted.takes(each)]
    for record in chosen:
        trial = store.latest(record.number)
        if trial is not None:
            following, text = _following(store, trial, record, paths, find_checkpoint)
            store.enqueue(following)
            yield Recovered(record.number, following.attempt - 1, text)


def _following(
    store: TrialStore,
    trial: FrozenTrial,
    record: TrialRecord,
    paths: StudyPaths,
    find_checkpoint: FindCheckpoint,
) -> tuple[QueuedTrial, str]:
    """The next attempt of a failed trial, and how it begins in words."""
    queued = QueuedTrial.of(trial)
    checkpoint = None
    if record.failure is not None and not record.failure.is_configs_fault:
        checkpoint = find_checkpoint(paths.attempt(queued.number, queued.attempt), None)
    attempt = queued.attempt + 1
    text = f"had failed ({record.failure})"
    if checkpoint is None:
        again = continued(trial, queued, None, ())
        return again, f"{text}: starts again with the same parameters (attempt {attempt})"
    known = store.measured(trial)
    history = tuple(entry for entry in known if entry.epoch <= checkpoint.epoch)
    again = continued(trial, queued, paths.relative(checkpoint.path), history)
    goes_on = f"goes on from the checkpoint of epoch {checkpoint.epoch}"
    return again, f"{text}: {goes_on} (attempt {attempt})"
