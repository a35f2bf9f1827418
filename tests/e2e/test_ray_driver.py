"""Scripted trials through Ray Tune and the real engine: failures, stops, deaths and resuming.

Run as a program this file is a driver, which the tests kill.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from automl.execution import ray_driver
from automl.execution.control import Control
from automl.execution.driver import (
    DriveEnd,
    DriveRequest,
    Event,
    Measured,
    TrainerChoice,
    TrialEnded,
    TrialStarted,
)
from automl.processes import started_at, stat_of
from automl.search.decision import Decision, Stop
from automl.search.engine import Engine
from automl.skill.model import Skill
from automl.space.distributions import FloatRange
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.study.config import Direction, Objective, Resources, SearchSettings, StudyConfig
from automl.study.layout import AttemptPaths, StudyPaths
from automl.study.limits import Limits
from automl.study.outcomes import read_outcome
from automl.study.records import (
    Attempt,
    FailureClass,
    Measurement,
    OutcomeState,
    TrialRecord,
    TrialState,
)
from automl.study.storage import create_study, open_storage, open_study
from automl.trainers.attempt_settings import AttemptSettings
from automl.trainers.base import TrialTask
from automl.trainers.checkpoints import CheckpointFile, checkpoints_in, newest_whole
from automl.trainers.leftovers import end_leftovers
from automl.trainers.status import history
from automl.yamltext import dump_yaml

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]

LR = "train.optim.lr"
SPACE = SearchSpace((Parameter(LR, "float", FloatRange(1e-5, 1e-1, log=True), default=1e-4),))


@dataclass(frozen=True)
class Case:
    """One study of scripted trials, in plain values that a command line can carry."""

    folder: str
    trials: int
    epochs: int = 2
    max_concurrent: int = 2
    timeout_s: float | None = None
    gpus_per_trial: int = 0
    gpu_ids: tuple[int, ...] | None = None
    trials_per_gpu: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def paths(self) -> StudyPaths:
        return StudyPaths(Path(self.folder))

    @property
    def config(self) -> StudyConfig:
        return StudyConfig(
            "study",
            *("/skill", "on", "test"),
            Objective("val_3DIoU", Direction.MAXIMIZE, 0.0),
            search=SearchSettings(sampler="random", seed=7),
            limits=Limits(self.trials, self.timeout_s),
            resources=Resources(
                self.max_concurrent,
                self.gpus_per_trial,
                self.gpu_ids,
                trials_per_gpu=self.trials_per_gpu,
            ),
        )

    def engine(self) -> Engine:
        is_new = not self.paths.journal.exists()
        self.paths.trials.mkdir(parents=True, exist_ok=True)
        opened = create_study if is_new else open_study
        study = opened(open_storage(self.paths), "study", self.config.objective)
        return Engine(study, SPACE, self.config)

    def prepare(self, attempt: Attempt) -> TrialTask:
        place = self.paths.attempt(attempt.number, attempt.attempt)
        place.folder.mkdir(parents=True)
        resume = str(self.paths.folder / attempt.resume_from) if attempt.resume_from else None
        train = {
            "num_epochs": self.epochs,
            "resume_training_checkpoint_path": resume,
            "optim": {"lr": attempt.params[LR]},
        }
        place.spec.write_text(dump_yaml({"train": train}))
        return TrialTask(
            "study", attempt.number, attempt.attempt, place.folder, place.spec, place.log
        )

    def request(self, engine: Engine, on_event: Callable[[Event], None]) -> DriveRequest:
        return DriveRequest(
            engine=engine,
            prepare=self.prepare,
            trainer=TrainerChoice(
                "scripted", Skill(Path("/skill"), "s", "s", True), {"epoch_s": 0.0, **self.options}
            ),
            settings=AttemptSettings(self.paths, self.config.objective, self.timeout_s),
            resources=self.config.resources,
            control=Control(self.paths.stop, say),
            on_event=on_event,
        )

    def recover(self, engine: Engine) -> None:
        def read_history(paths: AttemptPaths) -> tuple[Measurement, ...]:
            return history(paths.folder, "val_3DIoU")

        def find_checkpoint(paths: AttemptPaths, epoch: int | None) -> CheckpointFile | None:
            return newest_whole(checkpoints_in(paths.folder), epoch)

        end_leftovers(self.paths)
        engine.recover(self.paths, read_history, find_checkpoint)

    def drive(
        self, engine: Engine | None = None, on_event: Callable[[Event], None] = lambda _: None
    ) -> tuple[DriveEnd, dict[int, TrialRecord]]:
        driven = engine or self.engine()
        end = ray_driver.drive(self.request(driven, on_event))
        return end, {record.number: record for record in driven.records()}


def say(text: str) -> None:
    """Tells the test that runs this file as a driver how far it is."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def eventually(condition: Callable[[], bool], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def trainer_ids(paths: StudyPaths) -> Iterator[Mapping[str, Any]]:
    for file in paths.trials.glob("*/*/trainer.pid"):
        yield json.loads(file.read_text())


def children_of(pid: int) -> list[int]:
    entries = [entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [int(name) for name in entries if stat_of(name)[1:2] == [str(pid)]]


def test_every_kind_of_death_is_classed_and_the_search_goes_on(tmp_path: Path) -> None:
    faults = {
        "1": {"kind": "crash", "epoch": 1, "exit_code": 9},
        "2": {"kind": "oom"},
        "3": {"kind": "hang"},
        "4": {"kind": "nan", "epoch": 1},
    }
    case = Case(str(tmp_path / "s"), 6, timeout_s=8.0, options={"faults": faults})
    events: list[Event] = []
    end, records = case.drive(on_event=events.append)
    assert end is DriveEnd.FINISHED
    assert sorted(records) == [0, 1, 2, 3, 4, 5]
    assert {number: record.failure for number, record in records.items()} == {
        0: None,
        1: FailureClass.UNKNOWN,
        2: FailureClass.OOM,
        3: FailureClass.HANG,
        4: FailureClass.DIVERGED,
        5: None,
    }
    assert records[0].state is records[5].state is TrialState.COMPLETE
    assert "exit code 9" in records[1].evidence
    assert records[4].values.keys() == {0}
    for kind in (TrialStarted, TrialEnded):
        assert sum(isinstance(event, kind) for event in events) == 6
    assert not list(trainer_ids(case.paths))
    assert not case.paths.ray.exists()


def test_trials_shorter_than_the_start_of_a_worker_are_started_once(tmp_path: Path) -> None:
    # Four workers are asked for: the first that is up runs most of the trials, and the others find
    # the trials that they were asked for running or ended.
    case = Case(str(tmp_path / "s"), 12, epochs=1, max_concurrent=4)
    end, records = case.drive()
    assert end is DriveEnd.FINISHED
    assert {record.state for record in records.values()} == {TrialState.COMPLETE}
    for number in range(12):
        attempt = case.paths.attempt(number, 1)
        status = (attempt.folder / "status.json").read_text().splitlines()
        assert sum("Starting Training Loop" in line for line in status) == 1, number
        outcome, _ = read_outcome(attempt)
        assert outcome is not None
        assert outcome.state is OutcomeState.OK, number


def test_trials_share_gpus(tmp_path: Path) -> None:
    case = Case(
        str(tmp_path / "s"),
        4,
        max_concurrent=4,
        gpus_per_trial=1,
        gpu_ids=(3, 5),
        trials_per_gpu=2,
        options={"epoch_s": 3.0},
    )
    most, live = 0, 0

    def count(event: Event) -> None:
        nonlocal most, live
        live += isinstance(event, TrialStarted) - isinstance(event, TrialEnded)
        most = max(most, live)

    end, _ = case.drive(on_event=count)
    assert end is DriveEnd.FINISHED
    assert most == 4
    logs = [case.paths.attempt(number, 1).log.read_text() for number in range(4)]
    seen = [f"CUDA_VISIBLE_DEVICES={gpu}\n" for gpu in (3, 5)]
    assert [sum(text in log for log in logs) for text in seen] == [2, 2]


def test_a_stopped_trial_is_pruned_and_a_killed_worker_ends_its_trial_alone(
    tmp_path: Path,
) -> None:
    case = Case(
        str(tmp_path / "s"),
        4,
        epochs=20,
        gpus_per_trial=1,
        gpu_ids=(3, 5),
        options={"epoch_s": 0.3},
    )

    class StoppingEngine(Engine):
        def report(self, number: int, measurement: Measurement) -> Decision:
            decision = super().report(number, measurement)
            return Stop("behind the others") if number in (0, 2, 3) else decision

    study = create_study_of(case)
    engine = StoppingEngine(study, SPACE, case.config)
    killed: list[int] = []

    def kill_worker(event: Event) -> None:
        if isinstance(event, Measured) and event.attempt.number == 1 and not killed:
            ids = json.loads(case.paths.attempt(1, 1).pid.read_text())
            killed.append(int(ids["pid"]))
            os.kill(int(stat_of(ids["guard"])[1]), signal.SIGKILL)

    end, records = case.drive(engine, kill_worker)
    assert end is DriveEnd.FINISHED
    assert [records[number].state for number in (0, 2, 3)] == [TrialState.PRUNED] * 3
    assert records[0].evidence == "behind the others"
    assert records[1].failure is FailureClass.KILLED
    assert not started_at(killed[0])
    seen = {
        line
        for number in range(4)
        for line in case.paths.attempt(number, 1).log.read_text().splitlines()
        if line.startswith("CUDA_VISIBLE_DEVICES=")
    }
    assert seen <= {"CUDA_VISIBLE_DEVICES=3", "CUDA_VISIBLE_DEVICES=5"}


def test_an_error_of_the_engine_ends_the_search_as_itself_and_leaves_no_trainer(
    tmp_path: Path,
) -> None:
    case = Case(str(tmp_path / "s"), 2, epochs=50, options={"epoch_s": 0.3})

    class FullDisk(Engine):
        def report(self, number: int, measurement: Measurement) -> Decision:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        case.drive(FullDisk(create_study_of(case), SPACE, case.config))
    assert eventually(lambda: not list(trainer_ids(case.paths)), 20.0)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (KeyError("trial"), "KeyError: 'trial'"),
        (RuntimeError("Traceback:\n  File x\nActorDiedError: gone"), "ActorDiedError: gone"),
        (OSError(5, "Input/output error"), "OSError: [Errno 5] Input/output error"),
        (Exception(), "Exception"),
    ],
    ids=["key", "text of a traceback", "disk", "bare"],
)
def test_whatever_ray_raises_the_search_ends_resumably(
    fault: Exception, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ray.tune.execution.tune_controller import TuneController

    step, events = TuneController.step, list[Event]()

    def fail_later(controller: Any) -> None:
        if any(isinstance(event, Measured) for event in events):
            raise fault
        step(controller)

    monkeypatch.setattr(TuneController, "step", fail_later)
    case = Case(str(tmp_path / "s"), 2, epochs=50, options={"epoch_s": 0.3})
    engine = case.engine()
    request = case.request(engine, events.append)
    assert ray_driver.drive(request) is DriveEnd.STOPPED_NOW
    assert request.control.reason == f"Ray failed ({said})"
    assert {record.state for record in engine.records()} == {TrialState.WAITING}
    assert eventually(lambda: not list(trainer_ids(case.paths)), 20.0)


def test_a_fault_of_our_own_is_no_failure_of_ray(tmp_path: Path) -> None:
    def prepare(attempt: Attempt) -> TrialTask:
        raise KeyError(attempt.number)

    case = Case(str(tmp_path / "s"), 2)
    request = replace(case.request(case.engine(), lambda _: None), prepare=prepare)
    with pytest.raises(KeyError):
        ray_driver.drive(request)


def create_study_of(case: Case) -> Any:
    case.paths.trials.mkdir(parents=True, exist_ok=True)
    return create_study(open_storage(case.paths), "study", case.config.objective)


class TestDriverProcess:
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        return Case(str(tmp_path / "s"), 4, epochs=6, options={"epoch_s": 0.4})

    @pytest.fixture
    def driver(self, case: Case) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, __file__, json.dumps(vars(case))]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, start_new_session=True
        ) as process:
            yield process
            process.kill()

    def wait_for(self, driver: subprocess.Popen[str], word: str) -> None:
        assert driver.stdout is not None
        for line in driver.stdout:
            if word in line:
                return
        raise AssertionError(f"the driver ended without saying {word!r}")

    def test_killed_with_ray_it_leaves_no_trainer_and_can_be_resumed(
        self, case: Case, driver: subprocess.Popen[str]
    ) -> None:
        self.wait_for(driver, "Measured")
        family = [driver.pid, *children_of(driver.pid)]
        trainers = [int(ids["pid"]) for ids in trainer_ids(case.paths)]
        assert trainers
        for pid in family:
            os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: not any(started_at(pid) for pid in trainers), 20.0)
        driver.wait()
        assert eventually(lambda: not list(trainer_ids(case.paths)), 20.0)

        engine = case.engine()
        case.recover(engine)
        assert not [r for r in engine.records() if r.state is TrialState.RUNNING]
        end, records = case.drive(engine)
        assert end is DriveEnd.FINISHED
        assert sorted(records) == [0, 1, 2, 3]
        assert {record.state for record in records.values()} == {TrialState.COMPLETE}
        assert all(set(record.values) == set(range(6)) for record in records.values())

    def test_interrupted_once_it_lets_the_running_trials_finish(
        self, case: Case, driver: subprocess.Popen[str]
    ) -> None:
        self.wait_for(driver, "Measured")
        os.killpg(driver.pid, signal.SIGINT)
        self.wait_for(driver, "stopped after running")
        assert driver.wait(60) == 0
        records = case.engine().records()
        assert 1 <= len(records) < case.trials
        assert {record.state for record in records} == {TrialState.COMPLETE}
        assert all(set(record.values) == set(range(6)) for record in records)

    def test_interrupted_twice_it_stops_now_and_keeps_the_checkpoints(
        self, case: Case, driver: subprocess.Popen[str]
    ) -> None:
        self.wait_for(driver, "Measured")
        # A terminal sends it to the whole group, Ray's processes included.
        os.killpg(driver.pid, signal.SIGINT)
        self.wait_for(driver, "after the running trials")
        os.killpg(driver.pid, signal.SIGINT)
        self.wait_for(driver, "checkpoints are kept")
        self.wait_for(driver, "stopped now")
        assert driver.wait(60) == 0
        assert not list(trainer_ids(case.paths))
        records = case.engine().records()
        assert {record.state for record in records} <= {TrialState.WAITING, TrialState.COMPLETE}
        assert any(record.checkpoint for record in records)


def be_a_driver(text: str) -> None:
    """Drives one case and prints each event's kind; the tests read and kill this."""
    values = json.loads(text)
    case = Case(**values)
    end, _ = case.drive(on_event=lambda event: say(type(event).__name__))
    say(end)


if __name__ == "__main__":
    be_a_driver(sys.argv[1])
