"""A study's folder, one attempt of it, and time that stands still."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from automl.study.config import Direction, Objective
from automl.study.layout import AttemptPaths, StudyPaths
from automl.study.records import Attempt
from automl.trainers.attempt_run import AttemptRun
from automl.trainers.attempt_settings import AttemptSettings
from automl.trainers.base import TrialTask
from automl.trainers.contract import (
    EVAL_METRICS,
    TRAIN_METRICS,
    TRAINING_LOOP,
    Status,
    StatusLine,
)
from automl.trainers.timing import Timing

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


@dataclass
class StoppedTime:
    """A clock that a test moves by hand."""

    seconds: float = 0.0
    while_asleep: Callable[[], object] = lambda: None

    @property
    def timing(self) -> Timing:
        return Timing(
            lambda: self.seconds, lambda: NOON + timedelta(seconds=self.seconds), self.sleep
        )

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.while_asleep()


@dataclass
class WrittenStatus:
    """Writes a status file line by line, in the contract's order."""

    path: Path
    kpi: dict[str, Any] = field(default_factory=dict)

    def say(
        self,
        message: str,
        status: Status = Status.RUNNING,
        second: int = 0,
        **fields: Any,
    ) -> None:
        line = StatusLine(status, message, fields, self.kpi)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line.to_json(NOON + timedelta(seconds=second)) + "\n")

    def epoch(
        self,
        epoch: int,
        validation: Mapping[str, Any] | None = None,
        loss: Any = None,
        second: int = 0,
    ) -> None:
        if validation is not None:
            self.kpi = dict(validation)
            self.say(EVAL_METRICS, second=second)
        self.say(TRAINING_LOOP, second=second, epoch=epoch, step=(epoch + 1) * 10)
        if loss is not None:
            self.kpi = {"train_loss": loss}
            self.say(TRAIN_METRICS, second=second)


@dataclass
class PlayedHandle:
    """A trainer of which a test says what each look at it finds.

    ``looks`` holds one entry a look: what happens before it, and the exit code it finds.
    """

    looks: list[tuple[Callable[[], object], int | None]]
    output: Sequence[str] = ()
    stopped_with: list[float] = field(default_factory=list)

    def wait(self, timeout_s: float) -> int | None:
        if not self.looks:
            raise AssertionError("looked at more often than the test says")
        action, code = self.looks.pop(0)
        action()
        return code

    def stop(self, grace_s: float) -> None:
        self.stopped_with.append(grace_s)

    def tail(self, lines: int) -> list[str]:
        return list(self.output)[-lines:]


@dataclass
class PlayedTrainer:
    """Starts the handle it is given, or fails to."""

    handle: PlayedHandle | None = None
    gpus: Sequence[str] = ()

    def check(self) -> Sequence[Any]:
        return []

    def start(self, task: TrialTask, gpus: Sequence[str]) -> PlayedHandle:
        self.gpus = gpus
        if self.handle is None:
            raise PermissionError(13, "not allowed")
        return self.handle


@pytest.fixture
def paths(tmp_path: Path) -> StudyPaths:
    return StudyPaths(tmp_path / "study")


@pytest.fixture
def attempt_paths(paths: StudyPaths) -> AttemptPaths:
    attempt = paths.attempt(0, 1)
    attempt.folder.mkdir(parents=True)
    return attempt


@pytest.fixture
def settings(paths: StudyPaths) -> AttemptSettings:
    return AttemptSettings(paths, Objective("val_3DIoU", Direction.MAXIMIZE))


@pytest.fixture
def attempt() -> Attempt:
    return Attempt(0, 1, {"train.optim.lr": 1e-4})


@pytest.fixture
def task(attempt_paths: AttemptPaths) -> TrialTask:
    attempt_paths.spec.write_text("train: {num_epochs: 3, optim: {lr: 0.001}}\n")
    return TrialTask("study", 0, 1, attempt_paths.folder, attempt_paths.spec, attempt_paths.log)


@pytest.fixture
def status(attempt_paths: AttemptPaths) -> WrittenStatus:
    return WrittenStatus(attempt_paths.folder / "status.json")


@pytest.fixture
def time_stands() -> StoppedTime:
    return StoppedTime()


@pytest.fixture
def played() -> type[PlayedHandle]:
    return PlayedHandle


@pytest.fixture
def played_trainer() -> type[PlayedTrainer]:
    return PlayedTrainer


@pytest.fixture
def leave_checkpoint() -> Callable[[Path, int, int], Path]:
    """Writes an empty but whole archive under a checkpoint's name."""

    def leave(folder: Path, epoch: int, step: int) -> Path:
        path = folder / f"model_epoch_{epoch:03d}_step_{step:05d}.pth"
        comment = json.dumps([epoch, step]).encode()
        path.write_bytes(b"PK\x05\x06" + bytes(16) + len(comment).to_bytes(2, "little") + comment)
        return path

    return leave


@pytest.fixture
def start(
    attempt: Attempt,
    task: Any,
    settings: AttemptSettings,
    time_stands: Any,
    played: Any,
    played_trainer: Any,
) -> Callable[..., AttemptRun]:
    """Begins an attempt whose trainer does what the given looks say."""

    def begin(
        *looks: tuple[Callable[[], object], int | None],
        changed: dict[str, Any] | None = None,
        of: Attempt = attempt,
        output: tuple[str, ...] = (),
        gpus: tuple[str, ...] = (),
        driver: int | None = None,
    ) -> AttemptRun:
        handle = played(list(looks), output)
        run = AttemptRun(
            of,
            replace(task, driver_pid=driver),
            played_trainer(handle),
            replace(settings, **(changed or {})),
            time_stands.timing,
        )
        run.begin(gpus)
        return run

    return begin
