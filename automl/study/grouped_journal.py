"""Optuna's journal storage, with several writes to the disk as one."""

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import distribution_to_json
from optuna.storages import JournalStorage
from optuna.storages.journal._storage import JournalOperation

from automl.study.trial_writes import Draw, SystemNote, TrialWrite, UserNote, ValueOfEpoch

__all__ = ["GroupedJournal"]


class GroupedJournal(JournalStorage):
    """A journal whose lines are synced to the disk together where they are written together."""

    def set_together(self, writes: Sequence[TrialWrite]) -> None:
        """Makes the writes in their order; where it is cut off, the first of them or none."""
        worker = {"worker_id": self._replay_result.worker_id}
        with self._thread_lock:
            self._backend.append_logs([{**_line(each), **worker} for each in writes])
            self._sync_with_backend()


def _line(write: TrialWrite) -> Mapping[str, Any]:
    """The operation that Optuna writes for it."""
    match write:
        case Draw(trial_id, name, internal, distribution):
            return {
                "op_code": JournalOperation.SET_TRIAL_PARAM,
                "trial_id": trial_id,
                "param_name": name,
                "param_value_internal": internal,
                "distribution": distribution_to_json(distribution),
            }
        case UserNote(trial_id, key, value):
            operation, note = JournalOperation.SET_TRIAL_USER_ATTR, {"user_attr": {key: value}}
            return {"op_code": operation, "trial_id": trial_id, **note}
        case SystemNote(trial_id, key, value):
            operation, note = JournalOperation.SET_TRIAL_SYSTEM_ATTR, {"system_attr": {key: value}}
            return {"op_code": operation, "trial_id": trial_id, **note}
        case ValueOfEpoch(trial_id, epoch, number):
            return {
                "op_code": JournalOperation.SET_TRIAL_INTERMEDIATE_VALUE,
                "trial_id": trial_id,
                "step": epoch,
                "intermediate_value": number,
            }
