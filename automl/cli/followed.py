"""A study as its folder shows it at this moment, for whoever did not start it.

It is read, never written, and no lock is taken, so that it can be looked at from any process, at
any time: while it is driven, after a driver has died, and long after it has ended.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from automl.cli.progress import Snapshot, n_validation_of
from automl.reports.driver_words import driver_words
from automl.study.clock import Clock, moment_of, utc_now
from automl.study.folder import epochs_of, read_config
from automl.study.gpu_samples import recent_samples
from automl.study.layout import StudyPaths
from automl.study.lock import read_owner
from automl.study.reading import StudyReader
from automl.study.records import TrialRecord
from automl.study.state import StudyState, read_state
from automl.study.trials import read_records
from automl.trainers.process import tail_of

__all__ = ["FollowedStudy"]


class FollowedStudy:
    """Reads a study again and again; its trials only when something became of one.

    Args:
        paths: The study.
        clock: The time of day.

    Raises:
        FixInput: The folder holds no readable study.
    """

    def __init__(self, paths: StudyPaths, clock: Clock = utc_now) -> None:
        self.paths = paths
        self._clock = clock
        self._config = read_config(paths)
        self._epochs = epochs_of(paths, self._config.keys.epochs)
        self._n_validation = n_validation_of(paths)
        self._reader = StudyReader(paths)
        self._records: tuple[TrialRecord, ...] = ()
        self._known: tuple[Any, ...] | None = None

    def snapshot(self) -> Snapshot:
        """How the study stands now.

        Raises:
            FixInput: Its storage has become unreadable.
        """
        now, state, owner = self._clock(), read_state(self.paths), read_owner(self.paths)
        is_driven = owner is not None and owner.is_alive(now)
        self._read_again(state, is_driven=is_driven)
        # Of a driver that died the last word is shown, as it was at the moment of it.
        written = now if state is None else moment_of(state.updated_at)
        seen = now if is_driven else written
        return Snapshot(
            config=self._config,
            now_s=seen.timestamp(),
            wall_s=_wall_s(state, seen, written),
            records=self._records,
            running=() if state is None else state.live,
            ended=_newest_ends(state, self._records),
            notes=() if state is None else state.notes,
            epochs=self._epochs,
            driver=driver_words(self.paths.folder.name, state, owner, now),
            is_driven=is_driven,
            samples=tuple(recent_samples(self.paths.folder)) if is_driven else (),
            n_validation=self._n_validation,
        )

    def log_tail(self, number: int, lines: int) -> list[str]:
        """The last lines that a trial's newest attempt wrote; none without a log."""
        attempts = [paths for _, paths in self.paths.attempts(number)]
        return tail_of(attempts[-1].log, lines) if attempts else []

    def _read_again(self, state: StudyState | None, *, is_driven: bool) -> None:
        """Reads the trials where what the driver counts is no longer what it was."""
        known = (is_driven, *_signature(state))
        if known == self._known:
            return
        self._config = read_config(self.paths)
        study = self._reader.read(self._config)
        self._records = () if study is None else read_records(study, self._config.objective)
        self._known = known


def _signature(state: StudyState | None) -> tuple[Any, ...]:
    """What changes whenever a trial begins or ends."""
    if state is None:
        return ()
    begun = tuple((each.number, each.attempt) for each in state.live)
    return (state.status, state.trials, tuple(state.counts.items()), state.ended, begun)


def _wall_s(state: StudyState | None, seen: datetime, written: datetime) -> float:
    if state is None:
        return 0.0
    return state.wall_s + max(0.0, (seen - written).total_seconds())


def _newest_ends(state: StudyState | None, records: Sequence[TrialRecord]) -> tuple[int, ...]:
    """The trials that ended last, the newest first; by number where no driver wrote it down."""
    if state is not None and state.ended:
        return state.ended
    return tuple(each.number for each in reversed(records) if each.state.is_at_rest)
