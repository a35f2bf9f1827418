"""A study on two hosts that share no folder: its files on a real S3 server, its data brought.

The second host is a network namespace with files of its own; the head and the driver are here.
"""

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from automl.study.layout import StudyPaths
from automl.study.outcomes import read_outcome
from automl.study.records import OutcomeState, TrialState
from automl.study.state import read_state
from automl.study.study_store import StudyStore
from tests.e2e.evidence import Evidence
from tests.e2e.other_host import OtherHost, other_host, why_no_host
from tests.e2e.ray_nodes import RayCluster, ray_cluster
from tests.e2e.terminal import Terminal, eventually, opened
from tests.s3 import bucket_at, s3_server

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def host() -> Iterator[OtherHost]:
    """Another host on a cable; skips, with the reason, where there can be none."""
    if reason := why_no_host():
        pytest.skip(reason)
    with other_host() as made:
        yield made


@pytest.fixture
def bucket(host: OtherHost, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An address in an empty bucket of a server that both hosts reach."""
    with s3_server(host.near) as endpoint, bucket_at(endpoint, monkeypatch) as address:
        yield f"{address}/studies"


@pytest.fixture
def cluster(bucket: str) -> Iterator[RayCluster]:
    yield from ray_cluster(cpus=1)


@pytest.fixture
def guest(
    cluster: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Terminal]:
    for name, value in cluster.environment().items():
        monkeypatch.setenv(name, value)
    yield from opened(tmp_path)


def test_trials_go_on_from_the_store_where_no_folder_is_shared(
    guest: Terminal, cluster: RayCluster, bucket: str, host: OtherHost, tmp_path: Path
) -> None:
    cache = guest.folder / "cache-there"
    far = {"AUTOML_CACHE_DIR": str(cache), "OMP_NUM_THREADS": "1"}
    apart = cluster.start_node(1, far, host, [guest.folder])
    weights = guest.folder / "weights.pth"
    with zipfile.ZipFile(weights, "w") as file:
        file.writestr("model/data.pkl", b"")
    study = guest.study_file(
        f"ray: {cluster.address}\nstudy_store: {bucket}\nsampler: random\nconfirm: 0\n"
        "fidelity: full\ntrials: 3\nscript: {epoch_s: 0.7}\n"
        f"set: {{train.num_epochs: 8, train.pretrained_model_path: {weights}}}\n"
    )
    driver = guest.start("run", study, "--name", "s")
    paths = StudyPaths(guest.studies / "s")
    store = StudyStore(f"{bucket}/s").snapshots()

    def stored() -> list[str]:
        """Folders of attempts whose checkpoints are in the store alone, not in the folder here."""
        keys = [key for key in store.folders() if key]
        found = [key for key in keys if any("model_epoch" in name for name in store._listed(key))]
        return [key for key in found if not list((paths.folder / key).glob("model_epoch_*"))]

    assert eventually(lambda: len(stored()) == 1, 90.0), driver.err.read_text()
    (key,) = stored()
    assert not cache.exists()  # neither that folder nor any other of the test is seen from here
    cluster.nodes.pop(apart.address).kill()
    done = driver.wait(120.0)
    assert done.code == 0, done.err
    state = read_state(paths)
    assert state is not None
    notes = {node.name.partition(" ")[0]: node.note for node in state.nodes}
    data = [str(guest.folder / "data" / split) for split in ("train", "val")]
    assert notes.pop(host.address) == (
        f"uses the study's store; has a copy of {data[0]} and {data[1]} and {weights}"
    )
    assert set(notes.values()) == {""}
    assert f"does not see the data in {data[0]}" in done.err
    number = int(Path(key).parent.name)
    lost, _ = read_outcome(paths.attempt(number, 1))
    following, _ = read_outcome(paths.attempt(number, 2))
    assert lost is not None
    assert lost.state is OutcomeState.INTERRUPTED
    assert lost.node.startswith(host.address)
    assert lost.checkpoint is not None
    assert following is not None
    assert following.state is OutcomeState.OK
    assert following.node.startswith(cluster.head)
    assert [entry.epoch for entry in following.measurements] == [*range(8)]
    records = Evidence(paths).records()
    assert {record.state for record in records} == {TrialState.COMPLETE}

    # Another machine, which has no folder of the study, goes on from the store.
    shutil.move(paths.folder, guest.folder / "gone")
    guest.program = "tests.e2e.serially"
    address = ("--study-store", bucket, "--ray-address", "local")
    resumed = guest.run("resume", "s", "--trials", "4", *address)
    assert resumed.code == 0, resumed.err
    assert "brought" in resumed.err
    again = Evidence(paths).records()
    assert [record.values for record in again[:3]] == [record.values for record in records]
    assert again[3].state is TrialState.COMPLETE
