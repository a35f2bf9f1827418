"""The docker trainer does what every trainer must, against a real engine; and it outlives."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from automl.skill.model import ActionInfo, Skill
from automl.study.layout import AttemptPaths
from automl.trainers.base import ChecksPaths, Outliving, TrialTask
from automl.trainers.docker.engine import connect
from automl.trainers.docker.options import DockerOptions
from automl.trainers.docker.trainer import DockerTrainer
from tests.contract import test_trainers as contract
from tests.docker_engine.engine import PrivateEngine
from tests.docker_engine.images import SCRIPTED

pytestmark = [
    pytest.mark.docker,
    pytest.mark.timeout(300),
    # The docker package leaves a socket open where an engine does not answer.
    pytest.mark.filterwarnings("ignore:unclosed.*socket:ResourceWarning"),
]


def docker_trainer(mode: str, folder: Path) -> DockerTrainer:
    command = f"python3 -c {shlex.quote(contract.PROGRAM)} {mode} {{config_path}}"
    skill = Skill(folder, "other", "other", True, actions={"train": ActionInfo("train", command)})
    return DockerTrainer(skill, DockerOptions(image=SCRIPTED))


def pid_of(task: TrialTask) -> int:
    """The id, on this machine, of the first process of the task's container; 0 for none."""
    engine = connect()
    ours = [each for each in engine.own_containers() if each.labels.folder == str(task.folder)]
    return engine.state(ours[0].id).pid if ours else 0


def running_pid(task: TrialTask) -> int:
    assert contract.eventually(lambda: pid_of(task) > 0), "no process"
    return pid_of(task)


@pytest.fixture
def make(
    docker_host: PrivateEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> contract.MakeTrainer:
    monkeypatch.setattr(contract, "running_pid", running_pid)
    return lambda mode: docker_trainer(mode, tmp_path)


@pytest.fixture
def task(tmp_path: Path) -> TrialTask:
    paths = AttemptPaths(tmp_path / "trials" / "0000" / "1")
    paths.folder.mkdir(parents=True)
    paths.spec.write_text("train: {num_epochs: 2}\n")
    return TrialTask("study", 0, 1, paths.folder, paths.spec, paths.log)


class TestDockerTrainer(contract.TestEveryTrainer):
    # These three are other in a container; what holds instead is tested below.
    test_dies_with_the_driver: Any = None
    test_dies_with_the_worker: Any = None
    test_sees_its_own_gpus_alone: Any = None

    def test_a_container_has_no_variable_that_numbers_gpus(
        self,
        make: contract.MakeTrainer,
        task: TrialTask,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
        handle = make("finish").start(task, [])
        handle.wait(20)
        assert "CUDA_VISIBLE_DEVICES=not set" in handle.tail(1000)

    def test_outlives_whoever_started_it_and_is_found_again(
        self, make: contract.MakeTrainer, task: TrialTask, tmp_path: Path
    ) -> None:
        with subprocess.Popen([sys.executable, __file__, str(tmp_path)]) as worker:
            pid = running_pid(task)
            assert contract.eventually(lambda: contract.is_up(task))
            worker.kill()
        trainer = make("long")
        assert isinstance(trainer, Outliving)
        assert trainer.left_running(tmp_path / "trials") == {task.folder}
        said = task.log_path.read_text()
        handle = trainer.start(task, [])
        assert pid_of(task) == pid
        assert handle.wait(0.3) is None
        handle.stop(5)
        assert handle.wait(0) == 128 + signal.SIGTERM
        # What it had said before was not written down twice.
        assert task.log_path.read_text() == said

    def test_an_end_that_nobody_saw_is_entered_later(
        self, make: contract.MakeTrainer, task: TrialTask, tmp_path: Path
    ) -> None:
        assert make("fail").start(task, []).wait(20) == 3
        trainer = make("fail")
        assert isinstance(trainer, Outliving)
        assert trainer.left_running(tmp_path / "trials") == {task.folder}
        assert trainer.start(task, []).wait(0) == 3
        AttemptPaths(task.folder).outcome.write_text("{}")
        assert not trainer.left_running(tmp_path / "trials")

    def test_ending_an_attempt_leaves_nothing_of_it(
        self, make: contract.MakeTrainer, task: TrialTask
    ) -> None:
        trainer = make("long")
        handle = trainer.start(task, [])
        running_pid(task)
        assert isinstance(trainer, Outliving)
        trainer.end(task.folder)
        assert pid_of(task) == 0
        assert handle.wait(10) == 128 + signal.SIGKILL

    def test_paths_are_looked_for_where_the_engine_is(
        self, make: contract.MakeTrainer, tmp_path: Path
    ) -> None:
        trainer = make("finish")
        assert isinstance(trainer, ChecksPaths)
        problems = trainer.check_paths([tmp_path, tmp_path / "nowhere"])
        assert [problem.got for problem in problems] == [f"no {tmp_path / 'nowhere'} there"]

    def test_a_tcp_address_serves_as_well(
        self,
        make: contract.MakeTrainer,
        task: TrialTask,
        docker_host: PrivateEngine,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{docker_host.tcp_port}")
        assert make("finish").start(task, []).wait(20) == 0


def be_a_worker(folder: Path) -> None:
    """Starts a container and waits to be killed."""
    paths = AttemptPaths(folder / "trials" / "0000" / "1")
    driven = TrialTask(
        *("study", 0, 1, paths.folder, paths.spec, paths.log), driver_pid=os.getpid()
    )
    docker_trainer("long", folder).start(driven, []).wait(600)


if __name__ == "__main__":
    be_a_worker(Path(sys.argv[1]))
