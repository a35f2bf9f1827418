"""What single containers of a real engine come to: restarts of the engine, refusals, GPUs."""

import io
import shlex
import signal
import tarfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

import automl.trainers.docker.engine as docker_engine_module
import automl.trainers.docker.probe as docker_probe_module
from automl.checkup import Check, Result
from automl.gpus import Gpu
from automl.skill.model import ActionInfo, Skill
from automl.study.layout import AttemptPaths
from automl.study.records import FailureClass
from automl.trainers.base import CannotStart, TrialTask
from automl.trainers.docker.checkup import check_engine, engine_facts
from automl.trainers.docker.engine import connect
from automl.trainers.docker.leftovers import leftover_containers, remove_leftovers
from automl.trainers.docker.options import DockerOptions
from automl.trainers.docker.probe import probe_gpus
from automl.trainers.docker.trainer import DockerTrainer
from automl.trainers.failures import TrainerExit, classify
from tests.docker_engine.engine import PrivateEngine
from tests.docker_engine.images import SCRIPTED
from tests.docker_engine.registry import small_registry
from tests.e2e.terminal import eventually

pytestmark = [
    pytest.mark.docker,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    # The docker package leaves a socket open where an engine does not answer.
    pytest.mark.filterwarnings("ignore:unclosed.*socket:ResourceWarning"),
]

COUNTING = """
import pathlib, time
for number in range(30):
    print("line", number)
    time.sleep(0.1)
    while number == 15 and not pathlib.Path("go").exists():
        time.sleep(0.05)
"""
GPUS = "import os; print('GPUS', os.environ.get('NVIDIA_VISIBLE_DEVICES'))"


def trainer_of(program: str) -> DockerTrainer:
    """A trainer whose command is a program in Python."""
    command = f"python3 -c {shlex.quote(program)} {{config_path}}"
    actions = {"train": ActionInfo("train", command)}
    skill = Skill(Path("/skill"), "other", "other", True, actions=actions)
    return DockerTrainer(skill, DockerOptions(image=SCRIPTED))


@pytest.fixture
def task(tmp_path: Path) -> TrialTask:
    paths = AttemptPaths(tmp_path / "trials" / "0000" / "1")
    paths.folder.mkdir(parents=True)
    paths.spec.write_text("train: {num_epochs: 2, num_gpus: 1, gpu_ids: [0]}\n")
    return TrialTask("study", 0, 1, paths.folder, paths.spec, paths.log)


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_a_container_goes_on_while_its_engine_is_restarted(
    docker_host: PrivateEngine, task: TrialTask, kill: bool
) -> None:
    handle = trainer_of(COUNTING).start(task, [])
    assert eventually(lambda: "line 3" in handle.tail(100), 10.0)
    docker_host.halt(kill=kill)
    assert handle.wait(0.3) is None
    docker_host.start()
    (task.folder / "go").touch()
    assert handle.wait(30.0) == 0
    assert task.log_path.read_text().splitlines() == [f"line {number}" for number in range(30)]


def test_a_stop_waits_for_an_engine_that_is_away(
    docker_host: PrivateEngine, task: TrialTask
) -> None:
    handle = trainer_of("import time; print('ready'); time.sleep(600)").start(task, [])
    assert eventually(lambda: "ready" in handle.tail(10), 10.0)
    docker_host.halt()
    with ThreadPoolExecutor() as others:
        stopped = others.submit(handle.stop, 20.0)
        docker_host.start()
        stopped.result(40.0)
    assert handle.wait(0) == 128 + signal.SIGTERM


def test_a_program_that_the_image_lacks_is_the_image_s_fault(
    docker_host: PrivateEngine, task: TrialTask
) -> None:
    actions = {"train": ActionInfo("train", "no-such-program -e {config_path}")}
    skill = Skill(Path("/skill"), "other", "other", True, actions=actions)
    handle = DockerTrainer(skill, DockerOptions(image=SCRIPTED)).start(task, [])
    # The container's own first process is there: it says what it cannot start.
    code = handle.wait(20.0)
    assert code == 127
    found = classify(TrainerExit(code, handle.tail(10)))
    assert found is not None
    assert found[0] is FailureClass.IMAGE
    assert "no-such-program" in found[1]


def test_an_image_that_a_node_lacks_is_pulled_once(docker_host: PrivateEngine) -> None:
    skill = trainer_of(COUNTING).skill
    with small_registry() as registry:
        trainer = DockerTrainer(skill, DockerOptions(image=registry.image))
        assert trainer.check()
        assert trainer.fetchable() == f"the image {registry.image}"
        assert trainer.fetch() == []
        asked = registry.n_asked
        assert asked > 0
        assert trainer.check() == []
        assert trainer.fetchable() == ""
        assert DockerTrainer(skill, trainer.options).fetch() == []
        assert registry.n_asked == asked
        docker_host.client().images.remove(registry.image)
        other = replace(trainer.options, image_id=f"sha256:{'0' * 64}")
        (problem,) = DockerTrainer(skill, other).fetch()
        assert "no sha256:0000" in problem.got  # another image than the study is held to
    (problem,) = DockerTrainer(skill, DockerOptions(image="127.0.0.1:1/none:1")).fetch()
    assert problem.got.startswith(
        f"no 127.0.0.1:1/none:1 in {docker_host.host}, and a pull failed"
    )


def test_a_container_that_cannot_start_is_removed(
    docker_host: PrivateEngine, task: TrialTask
) -> None:
    options = DockerOptions(image=SCRIPTED, network="no-such-network")
    trainer = replace(trainer_of(COUNTING), options=options)
    with pytest.raises(CannotStart, match="no-such-network") as refused:
        trainer.start(task, [])
    assert refused.value.failure is FailureClass.IMAGE
    assert docker_host.client().containers.list(all=True) == []


def test_gpus_without_an_nvidia_runtime_are_the_machine_s_fault(
    docker_host: PrivateEngine, task: TrialTask
) -> None:
    with pytest.raises(CannotStart, match="no NVIDIA runtime") as refused:
        trainer_of(GPUS).start(task, ["0"])
    assert refused.value.failure is FailureClass.GPU
    assert docker_host.client().containers.list(all=True) == []


@pytest.fixture
def with_gpus(docker_host: PrivateEngine, tmp_path: Path) -> Iterator[None]:
    """The engine, made to believe that NVIDIA's runtime is installed."""
    folder = tmp_path / "bin"
    folder.mkdir()
    stub = folder / "nvidia-container-runtime-hook"
    stub.write_text("#!/bin/sh\nexit 0\n")
    stub.chmod(0o755)
    docker_host.restart(path_first=[folder])
    yield
    docker_host.restart()


@pytest.mark.usefixtures("with_gpus")
@pytest.mark.parametrize("gpus", [["1"], ["GPU-8f1c", "GPU-17aa"]], ids=["index", "uuids"])
def test_a_container_gets_the_gpus_that_were_asked_for(task: TrialTask, gpus: list[str]) -> None:
    handle = trainer_of(GPUS).start(task, gpus)
    assert handle.wait(20.0) == 0
    assert f"GPUS {','.join(gpus)}" in handle.tail(10)
    spec = AttemptPaths(task.folder).container_spec.read_text()
    assert f"num_gpus: {len(gpus)}" in spec


NVIDIA_SMI = "automl-test/nvidia-smi:1"
SMI = """#!/bin/sh
if [ "$NVIDIA_VISIBLE_DEVICES" = 7 ]; then echo "Driver/library version mismatch"; exit 18; fi
echo "GPU-$NVIDIA_VISIBLE_DEVICES"
"""


def runtime_of(image: str, *gpus: Gpu) -> Check:
    checks = {check.name: check for check in check_engine(engine_facts(image, gpus))}
    assert checks["image"].result is Result.OK
    return checks["NVIDIA runtime"]


def test_the_check_up_tells_that_gpus_are_refused(docker_host: PrivateEngine) -> None:
    check = runtime_of(SCRIPTED, Gpu(0, "GPU-0", "NVIDIA L40S"))
    assert check.result is Result.FAIL
    assert "could not select device driver" in check.detail
    assert "nvidia-ctk runtime configure" in check.fix
    assert docker_host.client().containers.list(all=True) == []


@pytest.mark.usefixtures("with_gpus")
def test_the_check_up_gets_gpus_whether_or_not_the_image_can_list_them(
    docker_host: PrivateEngine,
) -> None:
    gpus = [Gpu(index, f"GPU-{index}", "NVIDIA L40S") for index in (0, 1, 7)]
    check = runtime_of(SCRIPTED, *gpus[:2])
    assert check.result is Result.OK
    assert "got GPUs 0, 1 in" in check.detail

    make_image_with_smi(docker_host)
    same = runtime_of(NVIDIA_SMI, gpus[1])
    assert (same.result, "the same as outside" in same.detail) == (Result.OK, True)
    other = runtime_of(NVIDIA_SMI, replace(gpus[1], uuid="GPU-9"))
    assert (other.result, "sees GPU-1 where GPU-9" in other.detail) == (Result.FAIL, True)
    broken = runtime_of(NVIDIA_SMI, gpus[2])
    assert (broken.result, "version mismatch" in broken.detail) == (Result.FAIL, True)
    assert docker_host.client().containers.list(all=True) == []


def make_image_with_smi(engine: PrivateEngine) -> None:
    """The small image with an ``nvidia-smi`` that repeats what the container was given."""
    client = engine.client()
    base = client.containers.create(SCRIPTED, ["sh"], network_mode="none")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo("nvidia-smi")
        entry.size, entry.mode = len(SMI), 0o755
        archive.addfile(entry, io.BytesIO(SMI.encode()))
    base.put_archive("/usr/bin", packed.getvalue())
    base.commit(*NVIDIA_SMI.split(":"))
    base.remove()


def test_the_check_up_leaves_no_container_that_does_not_end(
    docker_host: PrivateEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs = {"entrypoint": ["sleep", "600"], "network_mode": "none", "init": True}
    monkeypatch.setattr(docker_engine_module, "probe_options", lambda *_: hangs)
    monkeypatch.setattr(docker_probe_module, "_END_S", 0.2)
    probed = probe_gpus(connect(), SCRIPTED, ["0"])
    assert (probed.refusal, probed.uuids) == ("", None)
    assert docker_host.client().containers.list(all=True) == []


def test_without_gpus_a_container_sees_none(docker_host: PrivateEngine, task: TrialTask) -> None:
    handle = trainer_of(GPUS).start(task, [])
    assert handle.wait(20.0) == 0
    assert handle.tail(1) == ["GPUS void"]


def test_folders_of_the_data_cannot_be_written(
    docker_host: PrivateEngine, task: TrialTask, tmp_path: Path
) -> None:
    data = tmp_path / "elsewhere"
    data.mkdir()
    task.spec_path.write_text(f"dataset: {{train_data: {data}}}\n")
    program = "open('/inputs/dataset-train_data/new', 'w')"
    handle = trainer_of(program).start(task, [])
    assert handle.wait(20.0) == 1
    # The line names the folder as the reader knows it.
    assert f"Read-only file system: '{data}/new'" in handle.tail(1)[0]


def test_leftovers_are_listed_and_removed(docker_host: PrivateEngine, task: TrialTask) -> None:
    handle = trainer_of("import time; time.sleep(600)").start(task, [])
    (left,) = leftover_containers()
    assert (left.study, left.number, left.attempt) == ("study", 0, 1)
    assert left.status == "running"
    # Its folder belongs to no study that could go on with it.
    assert not left.is_resumable
    assert leftover_containers(task.folder / "other") == ()
    assert remove_leftovers([left]) == (left.name,)
    assert leftover_containers() == ()
    before = time.monotonic()
    assert handle.wait(60.0) == 137
    assert time.monotonic() - before < 60.0
