"""What every trainer must do, the shipped fake included."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from automl.processes import started_at
from automl.skill.model import ActionInfo, Skill
from automl.study.layout import AttemptPaths
from automl.trainers.base import Trainer, TrialTask, release
from automl.trainers.process import ProcessTrainer
from automl.trainers.scripted import Fault, FaultKind, Script, ScriptedTrainer
from automl.trainers.warm import WarmTrainer

PROGRAM = """
import os, signal, sys, time
print("CUDA_VISIBLE_DEVICES=" + os.environ.get("CUDA_VISIBLE_DEVICES", "not set"))
for number in range(50):
    print("line", number)
mode = sys.argv[1]
if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready")
if mode in ("long", "stubborn"):
    time.sleep(600)
sys.exit(3 if mode == "fail" else 0)
"""

SERVER = """
import os, signal, sys, time
from automl.centerpose.program.serve import TrainingEnd, serve

def work(job, interrupt):
    with open(job.spec) as file:
        assert "num_epochs" in file.read()
    print("CUDA_VISIBLE_DEVICES=" + os.environ.get("CUDA_VISIBLE_DEVICES", "not set"))
    for number in range(50):
        print("line", number)
    mode = sys.argv[1]
    if mode == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.write(2, b"ready\\n")
    while mode == "stubborn" or (mode == "long" and interrupt.requested is None):
        time.sleep(0.01)
    if interrupt.requested is not None:
        return TrainingEnd(128 + interrupt.requested, True)
    return TrainingEnd(3, False) if mode == "fail" else TrainingEnd(0, True)

sys.exit(serve(work))
"""

MakeTrainer = Callable[[str], Trainer]


def process_trainer(mode: str, folder: Path) -> Trainer:
    program = folder / "program.py"
    program.write_text(PROGRAM)
    command = f"{sys.executable} {program} {mode} {{config_path}}"
    skill = Skill(folder, "other", "other", True, actions={"train": ActionInfo("train", command)})
    return ProcessTrainer(skill)


def warm_trainer(mode: str, folder: Path) -> Trainer:
    program = folder / "server.py"
    program.write_text(SERVER)
    return WarmTrainer(process_trainer(mode, folder), [sys.executable, str(program), mode])


def scripted_trainer(mode: str, folder: Path) -> Trainer:
    faults = {
        "fail": Fault(FaultKind.CRASH, exit_code=3),
        "long": Fault(FaultKind.HANG),
        "stubborn": Fault(FaultKind.STUBBORN),
    }
    script = Script(epoch_s=0.0, faults={0: faults[mode]} if mode in faults else {})
    return ScriptedTrainer(script)


FACTORIES: Mapping[str, Callable[[str, Path], Trainer]] = {
    "process": process_trainer,
    "warm": warm_trainer,
    "scripted": scripted_trainer,
}


@pytest.fixture(params=FACTORIES)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeTrainer]:
    made: list[Trainer] = []

    def factory(mode: str) -> Trainer:
        made.append(FACTORIES[request.param](mode, tmp_path))
        return made[-1]

    yield factory
    for trainer in made:
        release(trainer)


@pytest.fixture
def task(tmp_path: Path) -> TrialTask:
    paths = AttemptPaths(tmp_path / "trials" / "0000" / "1")
    paths.folder.mkdir(parents=True)
    paths.spec.write_text("train: {num_epochs: 2}\n")
    return TrialTask("study", 0, 1, paths.folder, paths.spec, paths.log)


def eventually(condition: Callable[[], bool], within_s: float = 20.0) -> bool:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def running_pid(task: TrialTask) -> int:
    path = AttemptPaths(task.folder).pid
    assert eventually(path.exists), "no pid file"
    return int(json.loads(path.read_text())["pid"])


def is_up(task: TrialTask) -> bool:
    """Whether the trainer has come as far as its last line before it waits."""
    text = task.log_path.read_text() if task.log_path.exists() else ""
    started = (task.folder / "status.json").exists()
    return "ready" in text or started


class TestEveryTrainer:
    def test_finds_no_problem_on_this_machine(self, make: MakeTrainer) -> None:
        assert not make("finish").check()

    def test_ends_with_zero_and_says_so_again(self, make: MakeTrainer, task: TrialTask) -> None:
        handle = make("finish").start(task, [])
        assert handle.wait(20) == 0
        assert handle.wait(0) == 0
        handle.stop(1)
        assert not AttemptPaths(task.folder).pid.exists()

    def test_hands_the_exit_code_on(self, make: MakeTrainer, task: TrialTask) -> None:
        assert make("fail").start(task, []).wait(20) == 3

    def test_says_none_while_it_runs(self, make: MakeTrainer, task: TrialTask) -> None:
        handle = make("long").start(task, [])
        assert handle.wait(0.05) is None
        handle.stop(1)

    def test_is_gone_once_stopped(self, make: MakeTrainer, task: TrialTask) -> None:
        trainer = make("long")
        handle = trainer.start(task, [])
        pid = running_pid(task)
        handle.stop(5)
        assert not AttemptPaths(task.folder).pid.exists()
        release(trainer)
        assert not started_at(pid)
        assert handle.wait(0) == 128 + signal.SIGTERM

    def test_stopping_twice_is_stopping_once(self, make: MakeTrainer, task: TrialTask) -> None:
        handle = make("long").start(task, [])
        handle.stop(5)
        code = handle.wait(0)
        handle.stop(5)
        assert handle.wait(0) == code

    def test_one_that_ignores_the_request_is_killed(
        self, make: MakeTrainer, task: TrialTask
    ) -> None:
        handle = make("stubborn").start(task, [])
        pid = running_pid(task)
        assert eventually(lambda: is_up(task))
        time.sleep(0.1)
        before = time.monotonic()
        handle.stop(0.3)
        assert time.monotonic() - before < 60
        assert not started_at(pid)
        assert handle.wait(0) == 128 + signal.SIGKILL

    def test_a_kill_from_outside_shows_in_the_code(
        self, make: MakeTrainer, task: TrialTask
    ) -> None:
        handle = make("long").start(task, [])
        os.kill(running_pid(task), signal.SIGKILL)
        assert handle.wait(20) == 128 + signal.SIGKILL

    def test_its_output_ends_in_the_log(self, make: MakeTrainer, task: TrialTask) -> None:
        handle = make("finish").start(task, [])
        handle.wait(20)
        assert handle.tail(1) == [task.log_path.read_text().splitlines()[-1]]
        assert len(handle.tail(2)) == 2
        assert len(handle.tail(10_000)) == len(task.log_path.read_text().splitlines())

    @pytest.mark.parametrize(("gpus", "seen"), [((), ""), (("3",), "3"), (("5", "2"), "5,2")])
    def test_sees_its_own_gpus_alone(
        self,
        make: MakeTrainer,
        task: TrialTask,
        gpus: tuple[str, ...],
        seen: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2,3,4,5,6,7")
        handle = make("finish").start(task, gpus)
        handle.wait(20)
        assert f"CUDA_VISIBLE_DEVICES={seen}" in handle.tail(1000)

    def test_dies_with_the_driver(self, make: MakeTrainer, task: TrialTask) -> None:
        with subprocess.Popen(["sleep", "600"]) as driver:
            guarded = TrialTask(
                *(task.study, task.number, task.attempt),
                *(task.folder, task.spec_path, task.log_path),
                driver_pid=driver.pid,
            )
            handle = make("long").start(guarded, [])
            pid = running_pid(task)
            assert handle.wait(0.1) is None
            driver.kill()
            assert handle.wait(5) is not None
        assert not started_at(pid)

    def test_dies_with_the_worker(
        self,
        make: MakeTrainer,
        task: TrialTask,
        tmp_path: Path,
        request: pytest.FixtureRequest,
    ) -> None:
        name = request.node.callspec.params["make"]
        worker = [sys.executable, __file__, name, str(tmp_path)]
        with subprocess.Popen(worker) as process:
            pid = running_pid(task)
            assert eventually(lambda: is_up(task))
            process.kill()
        assert eventually(lambda: not started_at(pid))


def be_a_worker(name: str, folder: Path) -> None:
    """Starts a trainer that ignores SIGTERM, and waits to be killed."""
    paths = AttemptPaths(folder / "trials" / "0000" / "1")
    started = TrialTask("study", 0, 1, paths.folder, paths.spec, paths.log)
    FACTORIES[name]("stubborn", folder).start(started, []).wait(600)


if __name__ == "__main__":
    be_a_worker(sys.argv[1], Path(sys.argv[2]))
