"""Training after training in one process: when it is kept, and when the next gets a fresh one."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from automl.processes import started_at
from automl.skill.model import ActionInfo, Skill
from automl.study.layout import AttemptPaths, StudyPaths
from automl.trainers.base import Handle, TrialTask
from automl.trainers.leftovers import end_servers
from automl.trainers.process import ProcessTrainer
from automl.trainers.warm import WarmTrainer

SERVER = """
import ctypes, os, sys, time
from automl.centerpose.program.serve import TrainingEnd, serve

def work(job, interrupt):
    how = open(job.spec).read().strip()
    print("trains", how, "in", os.getcwd(), *job.overrides)
    os.write(2, b"straight to the descriptor\\n")
    if how == "spoil":
        return TrainingEnd(1, False)
    if how == "mistake":
        return TrainingEnd(1, True)
    if how == "die":
        os.kill(os.getpid(), 11)
    if how == "leave":
        os._exit(0)
    while how == "long" and interrupt.requested is None:
        time.sleep(0.005)
    return TrainingEnd(0 if interrupt.requested is None else 128 + interrupt.requested, True)

sys.exit(serve(work))
"""

MakeTask = Callable[..., TrialTask]


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[WarmTrainer]:
    program = tmp_path / "server.py"
    program.write_text(SERVER)
    actions = {"train": ActionInfo("train", f"{sys.executable} -c pass")}
    cold = ProcessTrainer(Skill(tmp_path, "other", "other", True, actions=actions))
    made = WarmTrainer(cold, [sys.executable, str(program)], ["a=1"])
    yield made
    made.release()


@pytest.fixture
def make(tmp_path: Path) -> MakeTask:
    numbers = iter(range(100))

    def task(how: str = "well", **changes: object) -> TrialTask:
        number = next(numbers)
        paths = StudyPaths(tmp_path / "study").attempt(number, 1)
        paths.folder.mkdir(parents=True)
        paths.spec.write_text(how)
        made = TrialTask("study", number, 1, paths.folder, paths.spec, paths.log)
        return replace(made, **changes)  # type: ignore[arg-type]

    return task


def pid_of(task: TrialTask) -> int:
    return int(json.loads(AttemptPaths(task.folder).pid.read_text())["pid"])


def trained(trainer: WarmTrainer, task: TrialTask, code: int = 0) -> int:
    """Runs a training to its end; the process it ran in."""
    handle = trainer.start(task, [])
    pid = pid_of(task)
    assert handle.wait(20) == code
    assert not AttemptPaths(task.folder).pid.exists()
    return pid


class TestOneProcess:
    def test_takes_one_after_the_other_each_with_its_own_log(
        self, trainer: WarmTrainer, make: MakeTask
    ) -> None:
        tasks = [make(), make(), make("mistake")]
        pids = {
            *(trained(trainer, task) for task in tasks[:2]),
            trained(trainer, tasks[2], code=1),
            trained(trainer, make()),
        }
        (pid,) = pids
        for number, task in enumerate(tasks, start=1):
            assert task.log_path.read_text().splitlines() == [
                f"trainer process {pid}, its training number {number}",
                f"trains {task.spec_path.read_text()} in {task.folder} a=1",
                "straight to the descriptor",
            ]

    def test_goes_on_after_a_training_that_was_stopped(
        self, trainer: WarmTrainer, make: MakeTask
    ) -> None:
        stopped = make("long")
        handle = trainer.start(stopped, [])
        pid = pid_of(stopped)
        handle.stop(10)
        assert handle.wait(0) == 128 + signal.SIGTERM
        assert trained(trainer, make()) == pid

    @pytest.mark.parametrize(
        ("how", "code"),
        [("spoil", 1), ("die", 128 + signal.SIGSEGV), ("leave", 1)],
        ids=["a failure", "a crash", "an exit without a word"],
    )
    def test_is_not_used_again_once_it_may_be_spoiled(
        self, trainer: WarmTrainer, make: MakeTask, how: str, code: int
    ) -> None:
        spoiled = trained(trainer, make(how), code)
        assert not started_at(spoiled)
        assert trained(trainer, make()) != spoiled

    def test_that_dies_between_two_trainings_is_replaced(
        self, trainer: WarmTrainer, make: MakeTask
    ) -> None:
        pid = trained(trainer, make())
        os.kill(pid, signal.SIGKILL)
        assert trained(trainer, make()) != pid

    def test_serves_trials_of_the_same_threads_and_variables_alone(
        self, trainer: WarmTrainer, make: MakeTask
    ) -> None:
        pids = [
            trained(trainer, make()),
            trained(trainer, make(threads=2)),
            trained(trainer, make(threads=2, environment={"NEW": "1"})),
        ]
        assert len(set(pids)) == 3
        assert [pid for pid in pids if started_at(pid)] == pids[-1:]

    def test_is_left_alone_by_trials_of_several_gpus(
        self, trainer: WarmTrainer, make: MakeTask
    ) -> None:
        pid = trained(trainer, make())
        assert trainer.start(make(), ["0", "1"]).wait(20) == 0
        assert trained(trainer, make()) == pid

    def test_that_is_busy_makes_way_for_a_process_of_its_own(
        self, trainer: WarmTrainer, make: MakeTask
    ) -> None:
        busy: Handle = trainer.start(make("long"), [])
        assert trainer.start(make(), []).wait(20) == 0
        assert busy.wait(0) is None
        busy.stop(10)


class TestEnd:
    def test_releasing_it_leaves_nothing(self, trainer: WarmTrainer, make: MakeTask) -> None:
        first = make()
        pid = trained(trainer, first)
        assert AttemptPaths(first.folder).server.exists()
        trainer.release()
        trainer.release()
        assert not started_at(pid)
        assert not AttemptPaths(first.folder).server.exists()

    def test_a_study_waits_for_those_that_are_ending(
        self, trainer: WarmTrainer, make: MakeTask, tmp_path: Path
    ) -> None:
        first = make()
        pid = trained(trainer, first)
        end_servers(StudyPaths(tmp_path / "study"), timeout_s=0.2)
        deadline = time.monotonic() + 20.0
        while started_at(pid):
            assert time.monotonic() < deadline
            time.sleep(0.01)
