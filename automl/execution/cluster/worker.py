"""The worker of a cluster: an actor that runs one attempt after the other on its node.

It dies with the driver's job, however that ends; the guard of its trainer then ends the training.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ray

from automl.execution.cluster.mirror import AttemptMirror, NodeFiles
from automl.execution.driver import TrainerChoice, open_trainer
from automl.files import write_text
from automl.study.records import Attempt, Measurement, Outcome, OutcomeState
from automl.study.study_store import StudyStore
from automl.trainers.attempt_run import AttemptRun
from automl.trainers.attempt_settings import AttemptSettings
from automl.trainers.base import TrialTask, release

__all__ = ["CONTROL", "AttemptWorker", "worker_class"]

#: The thread of a worker that answers while a training is waited for.
CONTROL = "control"


class AttemptWorker:
    """Runs attempts.

    Args:
        choice: What trains.
        settings: What is the same for every attempt.
        files: Where the files of attempts are on this node.
    """

    def __init__(self, choice: TrainerChoice, settings: AttemptSettings, files: NodeFiles) -> None:
        self._snapshots = StudyStore(files.store).snapshots() if files.store else None
        self._files = files
        self._mirror: AttemptMirror | None = None
        self._trainer = open_trainer(choice)
        self._settings = settings
        self._run: AttemptRun | None = None

    def begin(self, attempt: Attempt, task: TrialTask) -> Measurement | Outcome:
        """Starts an attempt, and waits for its first measurement, or for its end."""
        paths = self._settings.paths
        if self._snapshots is not None:
            self._mirror = AttemptMirror(self._snapshots, paths.relative(task.folder), task.folder)
            if self._files.is_apart:
                self._mirror.fetch(paths, attempt)
            self._mirror.start()
        self._run = AttemptRun(attempt, self._files.placed(task), self._trainer, self._settings)
        self._run.begin(_gpus())
        return self.advance()

    def advance(self) -> Measurement | Outcome:
        """Waits for the next measurement, or for the end."""
        if self._run is None:
            raise RuntimeError("an attempt must begin before it can advance")
        said = self._run.advance()
        if isinstance(said, Outcome):
            self._put_away()
        return said

    def close(self) -> None:
        """Ends an attempt that still runs, and what is kept for a next one."""
        if self._run is not None:
            self._run.stop(OutcomeState.INTERRUPTED, "the worker of the trial was stopped")
            self._put_away()
        release(self._trainer)

    def _put_away(self) -> None:
        if self._mirror is not None:
            self._mirror.close(leaves=not self._files.is_apart)
            self._mirror = None

    def put(self, path: Path, content: str) -> None:
        """Writes a file by which an attempt is asked for something, also while it trains."""
        write_text(path, content)

    def ping(self) -> None:
        """Answers, also while a training runs."""


def worker_class() -> Any:
    """The actor class. A lost worker is replaced by the driver, never by Ray."""
    for method in (AttemptWorker.ping, AttemptWorker.put):
        ray.method(concurrency_group=CONTROL)(method)
    as_actor = ray.remote(max_restarts=0, max_task_retries=0, concurrency_groups={CONTROL: 1})
    return as_actor(AttemptWorker)


def _gpus() -> Sequence[str]:
    """Ids of the GPUs that Ray has given to this worker."""
    return [str(gpu) for gpu in ray.get_runtime_context().get_accelerator_ids().get("GPU", [])]
