"""Containers on a real Ray cluster: a node with an engine, and one without."""

import json
import os
import signal
from collections.abc import Iterator

import pytest

from automl.study.layout import StudyPaths
from automl.study.records import TrialState
from automl.study.state import read_state
from tests.docker_engine.engine import PrivateEngine
from tests.docker_engine.images import SCRIPTED
from tests.e2e.evidence import Evidence
from tests.e2e.ray_nodes import RayCluster, ray_cluster
from tests.e2e.terminal import Terminal, eventually, opened

pytestmark = [
    pytest.mark.docker,
    pytest.mark.ray,
    pytest.mark.slow,
    pytest.mark.timeout(240),
    # The docker package leaves a socket open where an engine does not answer.
    pytest.mark.filterwarnings("ignore:unclosed.*socket:ResourceWarning"),
]


@pytest.fixture
def cluster(docker_host: PrivateEngine) -> Iterator[RayCluster]:
    """A head whose engine answers."""
    yield from ray_cluster(2, {"DOCKER_HOST": docker_host.host})


@pytest.fixture
def guest(cluster: RayCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    for terminal in opened(tmp_path_factory.mktemp("guest")):
        terminal.folder.chmod(0o755)
        yield terminal


def test_containers_end_with_their_driver_and_nodes_without_an_engine_get_no_trials(
    guest: Terminal,
    cluster: RayCluster,
    docker_host: PrivateEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in cluster.environment().items():
        monkeypatch.setenv(name, value)
    # The driver needs no engine of its own: its node has one.
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    without = cluster.start_node(2, {"DOCKER_HOST": "unix:///nowhere/docker.sock"}).address
    (guest.folder / "data" / "train" / "script.json").write_text(json.dumps({"epoch_s": 0.5}))
    (guest.folder / "study.yaml").write_text(
        f"data: {{train: data/train, val: data/val}}\ntrainer: docker\nimage: {SCRIPTED}\n"
        f"ray: {cluster.address}\ngpus_per_trial: 0\nsampler: random\nconfirm: 0\n"
        "fidelity: full\ntrials: 3\nset: {train.num_epochs: 8, dataset.batch_size: 2}\n"
    )

    def running() -> list[str]:
        found = docker_host.client().containers.list(ignore_removed=True)
        return [str(each.name) for each in found]

    driver = guest.start("run", "study.yaml", "--name", "s")
    paths = StudyPaths(guest.studies / "s")
    driver.wait_until(lambda: " epoch=2 " in driver.told(), "two epochs", 120.0)
    assert running()
    os.kill(driver.pid, signal.SIGKILL)
    driver.process.wait()
    assert eventually(lambda: not running(), 10.0), running()

    done = guest.run("resume", "s", within_s=120.0)
    assert done.code == 0, done.err
    records = Evidence(paths).records()
    assert [record.state for record in records] == [TrialState.COMPLETE] * 3
    assert all(set(record.values) == set(range(8)) for record in records)
    assert sum(record.attempts for record in records) > 3
    state = read_state(paths)
    assert state is not None
    refused = {node.name.partition(" ")[0]: node.refused for node in state.nodes}
    assert refused.pop(without).startswith("the Docker engine must answer, got ")
    assert refused == {cluster.head: ""}
    assert not docker_host.client().containers.list(all=True, ignore_removed=True)
