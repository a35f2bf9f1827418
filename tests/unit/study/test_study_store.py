"""A study's files in a bucket, on a server that speaks S3."""

from pathlib import Path

import pytest

from automl.errors import InstallExtra, PrepareMachine
from automl.study.study_store import Snapshots, StoreError, StudyStore
from tests.s3 import BUCKET

#: A server starts first, and answers a dozen requests a test.
pytestmark = pytest.mark.timeout(30)

KEY = "trials/0000/1"


@pytest.fixture
def store(s3_bucket: str) -> Snapshots:
    """The store of a study in an empty bucket."""
    return StudyStore(f"{s3_bucket}/studies/s").snapshots()


def test_what_is_pushed_comes_back_whole_on_another_machine(
    store: Snapshots, tmp_path: Path
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    (here / "status.json").write_text("{}\n")
    (here / "model.pth").write_bytes(bytes(range(256)) * 9)
    assert store.push(KEY, sorted(here.iterdir()))
    assert not store.push(KEY, sorted(here.iterdir()))
    assert store.folders() == [KEY]
    assert sorted(store.pull(KEY, there)) == ["model.pth", "status.json"]
    for path in here.iterdir():
        assert (there / path.name).read_bytes() == path.read_bytes()


def test_a_reader_sees_the_old_state_or_the_new_one(store: Snapshots, tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    path.write_text("1\n")
    store.push(KEY, [path])
    names = store._listed(KEY)
    path.write_text("1\n2\n")
    store.push(KEY, [path])
    # A reader of the first list can still read what that names; after one more list it is gone.
    system = store._system
    old = store._at(KEY, names["status.json"]["sha256"])
    assert system.cat_file(old) == b"1\n"
    path.write_text("1\n2\n3\n")
    store.push(KEY, [path])
    with pytest.raises(FileNotFoundError):
        system.cat_file(old)


def test_one_file_of_many_and_what_is_not_there(store: Snapshots, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    store.push(KEY, [tmp_path / "a", tmp_path / "b", tmp_path / "vanished"])
    assert "b" in store.pull(KEY, tmp_path / "there", only="b")
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["b"]
    assert store.pull("trials/0001/1", tmp_path / "none") == ()


def test_what_is_damaged_in_the_store_replaces_nothing(store: Snapshots, tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    path.write_bytes(b"good")
    store.push(KEY, [path])
    digest = store._listed(KEY)["model.pth"]["sha256"]
    store._system.pipe_file(store._at(KEY, digest), b"bad")
    with pytest.raises(OSError, match=r"model\.pth is damaged"):
        store.pull(KEY, tmp_path / "there")
    assert not list((tmp_path / "there").iterdir())


def test_an_address_that_nobody_knows_is_refused() -> None:
    with pytest.raises((PrepareMachine, InstallExtra), match="--study-store nowhere://x"):
        StudyStore("nowhere://x").snapshots()


def test_a_bucket_that_was_taken_away_is_one_kind_of_error_and_is_filled_again(
    store: Snapshots, tmp_path: Path
) -> None:
    file = tmp_path / "status.json"
    file.write_text("{}\n")
    store.push(KEY, [file])
    store.try_out()
    assert store.folders() == [KEY]
    store._system.rm(BUCKET, recursive=True)
    assert store.pull(KEY, tmp_path) == ()
    with pytest.raises(StoreError, match=r"what it held is gone: .*bucket"):
        store.push(KEY, [file])
    with pytest.raises(StoreError):
        store.try_out()
    store._system.mkdir(BUCKET)
    assert store.push(KEY, [file])  # all of it again
    assert store.pull(KEY, tmp_path / "there") == ("status.json",)
