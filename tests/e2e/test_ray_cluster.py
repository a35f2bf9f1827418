"""Whole studies on a real Ray cluster: nodes that die, drivers that die, other code."""

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import pytest

from automl.processes import started_at
from automl.study.layout import StudyPaths
from automl.study.outcomes import read_outcome
from automl.study.records import FailureClass, Outcome, OutcomeState, TrialState
from automl.study.state import read_state
from automl.trainers.contract import CheckpointName
from automl.yamltext import load_yaml
from tests.e2e.evidence import Evidence
from tests.e2e.ray_nodes import RayCluster, ray_cluster
from tests.e2e.terminal import Driver, Terminal, eventually, opened

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    yield from ray_cluster(cpus=2)


@pytest.fixture
def guest(
    cluster: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Terminal]:
    """A terminal on a machine of the cluster."""
    for name, value in cluster.environment().items():
        monkeypatch.setenv(name, value)
    yield from opened(tmp_path)


def study_file(guest: Terminal, cluster: RayCluster, text: str) -> str:
    common = f"ray: {cluster.address}\nsampler: random\nconfirm: 0\nfidelity: full\n"
    return guest.study_file(common + text)


def another(cluster: RayCluster) -> str:
    """Address of the one node beside the head, started if there is none."""
    found = cluster.nodes.keys() - {"head"}
    return found.pop() if found else cluster.start_node(2).address


def outcomes(paths: StudyPaths) -> dict[tuple[int, int], Outcome]:
    found = {}
    for number in paths.numbers():
        for attempt, place in paths.attempts(number):
            outcome, _ = read_outcome(place)
            if outcome is not None:
                found[number, attempt] = outcome
    return found


def address_of(outcome: Outcome) -> str:
    return outcome.node.partition(" ")[0]


def n_past(paths: StudyPaths, epoch: int) -> int:
    """How many attempts have left the checkpoint of an epoch or of a later one."""
    found = [path for path in paths.trials.glob("*/*/model_epoch_*") if not path.is_symlink()]
    names = [(path.parent, CheckpointName.parse(path.name)) for path in found]
    return len({folder for folder, name in names if name and name.epoch >= epoch})


def killed(driver: Driver, paths: StudyPaths) -> list[int]:
    """Kills a driver alone; the trainers that it had, whose guards must end them."""
    trainers = [
        json.loads(file.read_text())["pid"] for file in paths.trials.glob("*/*/trainer.pid")
    ]
    os.kill(driver.pid, signal.SIGKILL)
    driver.process.wait()
    return trainers


def test_a_driver_that_is_killed_leaves_nothing_and_is_resumed_on_every_fit_node(
    guest: Terminal, cluster: RayCluster
) -> None:
    known = another(cluster)
    before = cluster.look()
    other = guest.folder / "other"
    shutil.copytree(Path(__file__).parents[2] / "automl", other / "automl")
    changed = other / "automl" / "visible.py"
    changed.write_text(f"{changed.read_text()}\n# changed\n")
    strange = cluster.start_node(2, {"PYTHONPATH": str(other)}).address
    with_strange = cluster.look()
    # The trial that is asked for at the resume; somebody kills its training once.
    killed_once = "faults: {5: {kind: killed, epoch: 6, attempt: 1}}"
    study = study_file(
        guest,
        cluster,
        f"trials: 5\nset: {{train.num_epochs: 8}}\nscript: {{epoch_s: 0.4, {killed_once}}}\n",
    )
    driver = guest.start("run", study, "--name", "s")
    paths = StudyPaths(guest.studies / "s")
    assert eventually(lambda: n_past(paths, 2) >= 2, 90.0), driver.err.read_text()
    trainers = killed(driver, paths)
    assert trainers
    assert eventually(lambda: not any(started_at(pid) for pid in trainers), 10.0)
    assert eventually(lambda: not cluster.workers(), 10.0)
    assert eventually(lambda: cluster.look() == with_strange, 10.0)
    done = guest.run("resume", "s", "--trials", "6", within_s=120.0)
    assert done.code == 0, done.err
    records = Evidence(paths).records()
    assert [record.state for record in records] == [TrialState.COMPLETE] * 6
    assert all(set(record.values) == set(range(8)) for record in records)
    assert sum(record.attempts for record in records[:5]) > 5
    assert outcomes(paths)[5, 1].failure is FailureClass.KILLED
    assert "it goes on elsewhere" in done.err
    following = outcomes(paths)[5, 2]
    assert [entry.epoch for entry in following.measurements] == [*range(8)]
    ended = [each for each in outcomes(paths).values() if each.state is OutcomeState.OK]
    assert {address_of(outcome) for outcome in ended} == {cluster.head, known}
    state = read_state(paths)
    assert state is not None
    refused = {node.name.partition(" ")[0]: node.refused for node in state.nodes}
    assert refused == {
        cluster.head: "",
        known: "",
        strange: "its automl 0.1.0 is other code than the driver's",
    }
    assert "is other code than the driver's" in done.err
    status = guest.run("status", "s").out
    assert f"note: node {strange} (" in status
    assert f"node       {known} (" in status
    cluster.nodes.pop(strange).clear()
    assert eventually(lambda: cluster.look() == before, 20.0)


def interrupted_at(paths: StudyPaths, address: str) -> dict[tuple[int, int], Outcome]:
    """The attempts that a node could not train to their end."""
    found = outcomes(paths).items()
    return {
        key: each
        for key, each in found
        if address_of(each) == address and each.state is OutcomeState.INTERRUPTED
    }


def check_gone_on(
    paths: StudyPaths, lost: Mapping[tuple[int, int], Outcome], where: set[str], epochs: int
) -> None:
    """Every lost attempt went on elsewhere, with at most one epoch trained again."""
    for (number, attempt), outcome in lost.items():
        following = outcomes(paths)[number, attempt + 1]
        assert following.state is OutcomeState.OK
        assert address_of(following) in where
        assert sorted(entry.epoch for entry in following.measurements) == [*range(epochs)]
        resumed = load_yaml(paths.attempt(number, attempt + 1).spec)
        checkpoint = CheckpointName.parse(
            Path(resumed["train"]["resume_training_checkpoint_path"]).name
        )
        assert checkpoint is not None
        # A checkpoint an epoch: at most the one that was being trained is lost.
        assert checkpoint.epoch >= max(entry.epoch for entry in outcome.measurements) - 1


def test_trials_of_a_node_that_dies_or_is_drained_go_on_elsewhere(
    guest: Terminal, cluster: RayCluster
) -> None:
    victim = another(cluster)
    study = study_file(
        guest, cluster, "trials: 60\nset: {train.num_epochs: 12}\nscript: {epoch_s: 0.5}\n"
    )
    driver = guest.start("run", study, "--name", "s")
    paths = StudyPaths(guest.studies / "s")
    assert eventually(lambda: n_past(paths, 3) >= 3, 90.0), driver.err.read_text()
    cluster.nodes.pop(victim).kill()
    newcomer = cluster.start_node(2).address

    def has_gone_on(address: str) -> bool:
        lost = interrupted_at(paths, address)
        return bool(lost) and {(n, attempt + 1) for n, attempt in lost} <= outcomes(paths).keys()

    def is_at(address: str) -> bool:
        return any(address_of(each) == address for each in outcomes(paths).values())

    assert eventually(lambda: has_gone_on(victim) and is_at(newcomer), 90.0), driver.told()
    check_gone_on(paths, interrupted_at(paths, victim), {cluster.head, newcomer}, 12)
    said = {each.evidence.partition(":")[0] for each in interrupted_at(paths, victim).values()}
    assert said == {"its node left the cluster"}

    trained = n_past(paths, 3)
    assert eventually(lambda: n_past(paths, 3) >= trained + 3, 60.0), driver.told()
    began = time.time()
    cluster.drain(newcomer, within_s=40)
    assert eventually(lambda: bool(interrupted_at(paths, newcomer)), 30.0), driver.told()
    assert eventually(lambda: has_gone_on(newcomer), 60.0), driver.told()
    left = interrupted_at(paths, newcomer)
    assert {each.evidence.partition(":")[0] for each in left.values()} == {
        "its node was to leave the cluster"
    }
    ends = [datetime.fromisoformat(each.ended_at).timestamp() for each in left.values()]
    assert max(ends) < began + 40
    check_gone_on(paths, left, {cluster.head}, 12)
    cluster.nodes.pop(newcomer).clear()
    driver.terminate()
    done = driver.wait(60.0)
    assert done.code == 128 + signal.SIGTERM, done.err
    assert "its node left the cluster" in done.err
    assert "is to leave the cluster in" in done.err
