"""What a worker does with an attempt, without a Ray: when it begins, and that it does so once."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from automl.execution import ray_adapters
from automl.execution.driver import TrainerChoice, open_trainer
from automl.execution.ray_adapters import ATTEMPT, MEASUREMENT, TASK, AttemptTrainable
from automl.study.outcomes import read_outcome
from automl.study.records import Outcome, OutcomeState
from automl.trainers.base import Handle, Problem, Trainer, TrialTask

Config = dict[str, Any]


@dataclass
class CountingTrainer:
    """A scripted trainer that notes the trial and the GPUs of each start."""

    inner: Trainer
    starts: list[tuple[int, list[str]]] = field(default_factory=list)

    def check(self) -> Sequence[Problem]:
        return self.inner.check()

    def start(self, task: TrialTask, gpus: Sequence[str]) -> Handle:
        self.starts.append((task.number, list(gpus)))
        return self.inner.start(task, gpus)


@dataclass
class Workers:
    """Makes workers as Ray does, and the configurations that it hands to them."""

    asked: Any
    trainers: list[CountingTrainer] = field(default_factory=list)
    made: list[AttemptTrainable] = field(default_factory=list)

    def open_trainer(self, choice: TrainerChoice) -> Trainer:
        self.trainers.append(CountingTrainer(open_trainer(choice)))
        return self.trainers[-1]

    def config(self) -> Config:
        attempt = self.asked.engine.ask()
        return {ATTEMPT: attempt, TASK: self.asked.request.prepare(attempt)}

    def set_up(self, config: Config) -> AttemptTrainable:
        worker = object.__new__(AttemptTrainable)
        worker.setup(config, self.asked.request.trainer, self.asked.request.settings)
        self.made.append(worker)
        return worker

    @property
    def starts(self) -> list[tuple[int, list[str]]]:
        return [start for trainer in self.trainers for start in trainer.starts]

    def outcome(self, number: int) -> Outcome | None:
        return read_outcome(self.asked.paths.attempt(number, 1))[0]


@pytest.fixture
def workers_of(
    ask: Any, listed_engine: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Workers]]:
    """Workers that hold GPU 5, over scripted trials of two epochs."""
    all_workers: list[Workers] = []

    def make(**options: Any) -> Workers:
        workers = Workers(ask(listed_engine(2), options))
        monkeypatch.setattr(ray_adapters, "open_trainer", workers.open_trainer)
        all_workers.append(workers)
        return workers

    held = SimpleNamespace(get_accelerator_ids=lambda: {"GPU": [5]})
    monkeypatch.setattr("ray.get_runtime_context", lambda: held)
    yield make
    for workers in all_workers:
        for worker in workers.made:
            worker.cleanup()


def steps_of(worker: AttemptTrainable) -> list[int]:
    """The epochs that a worker reports until it is done."""
    epochs = []
    while "done" not in (result := worker.step()):
        epochs.append(json.loads(result[MEASUREMENT])["epoch"])
    return epochs


def test_an_attempt_begins_in_the_first_step(workers_of: Any) -> None:
    workers = workers_of()
    worker = workers.set_up(workers.config())
    assert workers.starts == []
    assert steps_of(worker) == [0, 1]
    assert workers.starts == [(0, ["5"])]


def test_a_surplus_worker_that_is_up_in_time_begins_nothing(workers_of: Any) -> None:
    workers = workers_of()
    config = workers.config()
    worker, surplus = workers.set_up(config), workers.set_up(config)
    worker.step()
    surplus.cleanup()
    assert workers.outcome(0) is None
    steps_of(worker)
    assert workers.outcome(0).state is OutcomeState.OK
    assert workers.starts == [(0, ["5"])]


def test_a_surplus_worker_that_is_up_too_late_leaves_the_outcome_alone(workers_of: Any) -> None:
    workers = workers_of()
    config = workers.config()
    steps_of(workers.set_up(config))
    workers.set_up(config).cleanup()
    assert workers.outcome(0).state is OutcomeState.OK
    assert workers.starts == [(0, ["5"])]


def test_a_finished_attempt_is_never_begun_again(workers_of: Any) -> None:
    workers = workers_of()
    config = workers.config()
    steps_of(workers.set_up(config))
    outcome = workers.outcome(0)
    assert steps_of(workers.set_up(config)) == []
    assert workers.outcome(0) == outcome
    assert workers.starts == [(0, ["5"])]


def test_a_reused_worker_begins_the_next_attempt_in_its_first_step(workers_of: Any) -> None:
    workers = workers_of()
    worker = workers.set_up(workers.config())
    steps_of(worker)
    assert worker.reset_config(workers.config())
    assert workers.starts == [(0, ["5"])]
    assert steps_of(worker) == [0, 1]
    assert workers.starts == [(0, ["5"]), (1, ["5"])]
    assert len(workers.trainers) == 1


def test_a_worker_that_is_stopped_ends_its_attempt_as_interrupted(workers_of: Any) -> None:
    workers = workers_of(epoch_s=0.05, faults={0: {"kind": "hang", "epoch": 1}})
    worker = workers.set_up(workers.config())
    worker.step()
    worker.cleanup()
    assert workers.outcome(0).state is OutcomeState.INTERRUPTED
