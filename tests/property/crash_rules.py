"""What holds of every search under crashes, whatever its method and wherever it is stored.

A storage that fails at a chosen write stands in for ``kill -9``: the write before it is there, the
write after it is not. What runs and what it leaves is the business of each machine.
"""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import optuna
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial

from automl.search.engine import Engine
from automl.study.config import Direction, Objective
from automl.study.confirmation import searched
from automl.study.database import open_database
from automl.study.grouped_journal import GroupedJournal
from automl.study.layout import AttemptPaths, StudyPaths
from automl.study.patience import Patience
from automl.study.records import Measurement, Outcome, TrialRecord
from automl.study.storage import open_study
from automl.study.storage_layer import StorageLayer
from automl.study.trials import read_records
from tests.power import Disk, DiskBackend, PowerCutError

__all__ = ["OBJECTIVE", "CrashRules", "DatabaseMedium", "Found", "JournalMedium", "Medium"]

OBJECTIVE = Objective("score", Direction.MAXIMIZE)
_NAME = "crashes"
_Result = TypeVar("_Result")


class Medium(Protocol):
    """Where a study is kept."""

    def opened(self) -> BaseStorage:
        """The storage as a driver opens it; its writes are cut off."""
        ...

    def seen(self) -> BaseStorage:
        """The storage as another process sees it now; nothing is cut off."""
        ...

    def arm(self, writes: int | None) -> None:
        """Cuts the power at the write after so many; None for never."""
        ...


class JournalMedium:
    """A journal."""

    def __init__(self) -> None:
        self._disk = Disk()

    def opened(self) -> BaseStorage:
        return GroupedJournal(DiskBackend(self._disk))

    def seen(self) -> BaseStorage:
        return GroupedJournal(DiskBackend(Disk([*self._disk.lines])))

    def arm(self, writes: int | None) -> None:
        self._disk.writes_left = writes


class DatabaseMedium(StorageLayer):
    """A database, emptied first.

    Args:
        url: Its address.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._writes_left: int | None = None
        self._reader = open_database(url)
        for study in self._reader.get_all_studies():
            self._reader.delete_study(study._study_id)
        super().__init__(open_database(url, Patience()))

    def opened(self) -> BaseStorage:
        # A new driver knows nothing of what an old one has cached.
        self._inner = open_database(self._url, Patience())
        return self

    def seen(self) -> BaseStorage:
        return self._reader

    def arm(self, writes: int | None) -> None:
        self._writes_left = writes

    def _call(self, method: Callable[..., _Result], *values: Any) -> _Result:
        if method.__name__.startswith(("create", "set")) and self._writes_left is not None:
            self._writes_left -= 1
            if self._writes_left < 0:
                self._writes_left = None
                raise PowerCutError
        return method(*values)


@dataclass(frozen=True, slots=True)
class Found:
    """A checkpoint of an epoch."""

    epoch: int
    path: Path


class CrashRules(RuleBasedStateMachine):
    """A search that is killed at any write, and gone on with."""

    trials: ClassVar[int]
    make_medium: ClassVar[Callable[[], Medium]] = JournalMedium

    def __init__(self) -> None:
        super().__init__()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.paths = StudyPaths(Path(tempfile.mkdtemp(prefix="automl-crashes-")))
        self.medium = type(self).make_medium()
        self.live: dict[int, Any] = {}
        self.final: dict[int, TrialRecord] = {}
        self.outcomes: list[Outcome] = []
        self.engine = self._open(self.medium.opened())

    # What each machine says

    def _engine(self, study: optuna.Study) -> Engine:
        raise NotImplementedError

    def _history(self, paths: AttemptPaths) -> tuple[Measurement, ...]:
        raise NotImplementedError

    def _checkpoint(self, paths: AttemptPaths, epoch: int | None) -> Found | None:
        raise NotImplementedError

    def _check_running(self, running: list[FrozenTrial]) -> None:
        """What may be running once a search has been recovered."""
        raise NotImplementedError

    # What they share

    def _open(self, storage: BaseStorage) -> Engine:
        return self._engine(open_study(storage, _NAME, OBJECTIVE))

    def _study(self) -> optuna.Study:
        """The study as another process reads it."""
        return optuna.load_study(study_name=_NAME, storage=self.medium.seen())

    def _restart(self) -> None:
        """What ``resume`` does, again and again if it is killed too."""
        self.live.clear()
        while True:
            try:
                self.engine = self._open(self.medium.opened())
                self.engine.recover(self.paths, self._history, self._checkpoint)
            except PowerCutError:
                continue
            break
        assert self.engine.recover(self.paths, self._history, self._checkpoint) == ()
        states = (optuna.trial.TrialState.RUNNING,)
        self._check_running(self._study().get_trials(states=states))

    @staticmethod
    def _key(paths: AttemptPaths) -> tuple[int, int]:
        return int(paths.folder.parent.name), int(paths.folder.name)

    @precondition(lambda self: self.outcomes)
    @rule(data=st.data())
    def tell_again(self, data: st.DataObject) -> None:
        before = self.engine.records()
        self.engine.finish(data.draw(st.sampled_from(self.outcomes)))
        assert self.engine.records() == before

    @rule(writes=st.integers(0, 12))
    def arm(self, writes: int) -> None:
        self.medium.arm(writes)

    @rule()
    def kill(self) -> None:
        self._restart()

    @invariant()
    def numbers_have_no_gap_and_keep_the_limit(self) -> None:
        records = self.engine.records()
        assert [record.number for record in records] == list(range(len(records)))
        assert len(searched(records)) <= self.trials

    @invariant()
    def replay_equals_live(self) -> None:
        assert read_records(self._study(), OBJECTIVE) == self.engine.records()

    @invariant()
    def an_ended_trial_never_changes(self) -> None:
        for record in self.engine.records():
            if record.state.is_finished:
                assert self.final.setdefault(record.number, record) == record

    def _ended(self, train: Callable[[Any], None]) -> Mapping[int, TrialRecord]:
        """Every trial, once the search has been gone on with to its end.

        Args:
            train: Runs an attempt to its end.
        """
        self.medium.arm(None)
        self._restart()
        while (attempt := self.engine.ask()) is not None:
            train(attempt)
        records = self.engine.records()
        assert len(searched(records)) == self.trials
        assert all(record.state.is_finished for record in records)
        shutil.rmtree(self.paths.folder)
        return {record.number: record for record in records}
