"""A study with a trained trial on disk, without a training, and trainers that play one action."""

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from automl.app.plan import Plan
from automl.app.prepare import Preparer
from automl.app.winner import keep_best_current
from automl.files import sha256_of
from automl.study.folder import NewStudy, create_folder, write_study
from automl.study.layout import AttemptPaths, StudyPaths
from automl.study.outcomes import write_outcome
from automl.study.records import (
    Attempt,
    Measurement,
    Outcome,
    OutcomeState,
    TrialRecord,
    TrialState,
)
from automl.trainers.base import Handle, Problem, TrialTask
from tests.unit.app.kit import MakePlan

__all__ = ["Player", "add_checkpoint", "add_trial", "studied", "study_of"]


def add_checkpoint(folder: Path, epoch: int, step: int) -> Path:
    """A file that looks like a checkpoint from outside."""
    path = folder / f"model_epoch_{epoch:03d}_step_{step:05d}.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", f"{folder.parent.name} {epoch} {step}")
    return path


def study_of(plan: Plan) -> StudyPaths:
    """The study of a plan, with no trial yet."""
    paths = create_folder(plan.studies_dir, plan.config.name)
    write_study(paths, NewStudy(plan.request, plan.config, {}, plan.base_spec, plan.provenance))
    return paths


def add_trial(
    paths: StudyPaths, plan: Plan, number: int, value: float, epochs: Sequence[int] = (0, 1)
) -> AttemptPaths:
    """A trial that has ended; the last of its epochs is its best."""
    Preparer(paths, plan.config, plan.skill, plan.base_spec).prepare(Attempt(number, 1, {}))
    attempt = paths.attempt(number, 1)
    files = [add_checkpoint(attempt.folder, epoch, 2 * (epoch + 1)) for epoch in epochs]
    metric = plan.config.objective.metric
    measured = tuple(Measurement(epoch, {metric: value}, 1.0) for epoch in epochs)
    name = paths.relative(files[-1])
    outcome = Outcome(
        number,
        1,
        OutcomeState.OK,
        measured,
        exit_code=0,
        checkpoint=name,
        checkpoint_sha256=sha256_of(files[-1]),
    )
    write_outcome(attempt, outcome)
    record = TrialRecord(
        number,
        TrialState.COMPLETE,
        {},
        values=dict.fromkeys(epochs, value),
        best_epoch=epochs[-1],
        best_value=value,
        checkpoint=name,
    )
    keep_best_current(paths, record, plan.config.keys)
    return attempt


def studied(plan: MakePlan, splits: Path, *names: str) -> StudyPaths:
    """A study of one trial, whose data has these splits."""
    data = [f"--{split}-data={splits / split}" for split in names]
    made = plan("--policy", "off", "--name", "bikes", *data, "--set=train.num_epochs=2")
    paths = study_of(made)
    add_trial(paths, made, 0, 0.4)
    return paths


class Player:
    """A trainer that plays one action: what it writes, and the exit code."""

    def __init__(self, code: int = 0, write: Callable[[TrialTask], None] | None = None) -> None:
        self.code = code
        self.write = write
        self.gpus: list[str] = []
        self.stopped = False

    def check(self) -> Sequence[Problem]:
        return ()

    def start(self, task: TrialTask, gpus: Sequence[str]) -> Handle:
        self.gpus = list(gpus)
        if self.write is not None:
            self.write(task)
        return self

    def wait(self, timeout_s: float) -> int | None:
        if self.code < 0:
            raise KeyboardInterrupt
        return self.code

    def stop(self, grace_s: float) -> None:
        self.stopped = True

    def tail(self, lines: int) -> list[str]:
        return []
