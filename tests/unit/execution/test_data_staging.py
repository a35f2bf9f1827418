"""Data on its way to a node: named by content, brought in pieces, checked, kept."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.errors import PrepareMachine
from automl.execution.cluster import staging
from automl.execution.cluster.mirror import NodeFiles
from automl.execution.cluster.staging import DataSource, FolderContent, Piece, pieces_of
from automl.study.layout import AttemptPaths
from automl.trainers.base import TrialTask
from automl.yamltext import load_yaml


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOML_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "data"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.bin").write_bytes(bytes(range(256)) * 40)
    (folder / "sub" / "b.json").write_text("{}")
    (folder / "empty").touch()
    return folder


class Asked:
    """The driver's side without Ray, its questions counted."""

    def __init__(self, folder: Path) -> None:
        self.source = DataSource([str(folder)])
        self.listing = self.source.listing(str(folder))
        self.folder = str(folder)
        self.n_asked = 0

    def ask(self, pieces: Sequence[Piece]) -> list[bytes]:
        self.n_asked += 1
        return self.source.parcel("n1", self.folder, pieces)

    def bring(self) -> Path:
        return staging._kept(self.listing, self.ask, lambda content: content)


def test_a_folder_arrives_whole_and_once(data: Path) -> None:
    asked = Asked(data)
    there = asked.bring()
    assert FolderContent.of(there) == asked.listing
    assert asked.source.given("n1", str(data)) == asked.listing.n_bytes
    assert asked.n_asked == 1
    again = Asked(data)
    assert again.bring() == there
    assert again.n_asked == 0


def test_a_file_arrives_under_its_name(data: Path) -> None:
    file = data / "sub" / "b.json"
    asked = Asked(file)
    assert asked.listing.is_file
    assert (asked.bring() / "b.json").read_text() == "{}"
    files = NodeFiles(data={str(file): "/cache/data/b.json"})
    assert files._place(str(file)) == "/cache/data/b.json"
    assert files._place(f"{file}.bak") is None


def test_other_content_of_the_same_sizes_is_other_data(data: Path) -> None:
    before = Asked(data).bring()
    (data / "sub" / "b.json").write_text("[]")
    after = Asked(data).bring()
    assert before != after
    assert (after / "sub" / "b.json").read_text() == "[]"


def test_a_file_that_changes_on_the_way_is_no_data(data: Path) -> None:
    asked = Asked(data)
    (data / "sub" / "b.json").write_text("[]")
    with pytest.raises(PrepareMachine, match="has changed while it was brought"):
        asked.bring()
    assert not [path for path in (data.parent / "cache" / "staged").iterdir() if path.is_dir()]


def test_a_disk_that_is_too_small_is_said_before_anything_is_brought(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(data)
    monkeypatch.setattr(staging, "_SPARE", 1 << 60)
    with pytest.raises(PrepareMachine, match="must have room for the data and a gigabyte"):
        asked.bring()
    assert asked.n_asked == 0


def test_nothing_but_the_study_s_data_is_given(data: Path) -> None:
    asked = Asked(data)
    (data.parent / "secret").write_text("x")
    with pytest.raises(ValueError, match="holds no such file"):
        asked.ask([Piece("../secret", 0, 1)])
    with pytest.raises(ValueError, match="no data of this study"):
        asked.source.listing(str(data.parent))


@given(st.lists(st.integers(0, 50), max_size=20), st.integers(1, 20))
def test_pieces_cover_every_byte_once_in_parcels_of_a_bounded_size(
    sizes: list[int], parcel: int
) -> None:
    files = tuple((f"{i:03d}", size, hashlib.sha256().hexdigest()) for i, size in enumerate(sizes))
    parcels = [*pieces_of(FolderContent(files), parcel)]
    assert all(sum(piece.size for piece in each) <= parcel for each in parcels)
    for name, size, _ in files:
        own = [piece for each in parcels for piece in each if piece.name == name]
        covered = [
            byte for piece in own for byte in range(piece.offset, piece.offset + piece.size)
        ]
        assert own
        assert covered == [*range(size)]


def test_a_spec_of_the_node_names_its_copies_and_the_study_s_spec_stays(tmp_path: Path) -> None:
    paths = AttemptPaths(tmp_path)
    text = "data: {train: /d/train, other: /d/trainer, deep: [/d/train/x, 3]}\n"
    paths.spec.write_text(text)
    task = TrialTask("s", 0, 1, tmp_path, paths.spec, paths.log)
    assert NodeFiles().placed(task) is task
    placed = NodeFiles(data={"/d/train": "/cache/1/data"}).placed(task)
    assert load_yaml(placed.spec_path) == {
        "data": {
            "train": "/cache/1/data",
            "other": "/d/trainer",
            "deep": ["/cache/1/data/x", 3],
        }
    }
    assert paths.spec.read_text() == text
