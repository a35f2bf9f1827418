"""Which checkpoints there are, which is whole, and which go."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.trainers.checkpoints import (
    CheckpointFile,
    checkpoint_of,
    checkpoints_in,
    drop_others,
    is_whole,
    newest_whole,
    place,
)
from automl.trainers.contract import CheckpointName

Leave = Callable[[Path, int, int], Path]


@pytest.fixture
def folder(tmp_path: Path, leave_checkpoint: Leave) -> Path:
    for epoch, step in [(2, 30), (0, 10), (10, 110), (1, 20)]:
        leave_checkpoint(tmp_path, epoch, step)
    (tmp_path / "centerpose_model_latest.pth").symlink_to("model_epoch_010_step_00110.pth")
    (tmp_path / "lightning_logs").mkdir()
    return tmp_path


def epochs(folder: Path) -> list[int]:
    return [entry.epoch for entry in checkpoints_in(folder)]


def test_they_are_listed_by_number_and_without_the_link(folder: Path) -> None:
    assert epochs(folder) == [0, 1, 2, 10]


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 200_000)), max_size=6))
def test_files_are_ordered_by_epoch_then_step(places: list[tuple[int, int]]) -> None:
    names = [CheckpointName(epoch, step) for epoch, step in places]
    files = [CheckpointFile(name, Path(str(name))) for name in names]
    found = [(file.name.epoch, file.name.step) for file in sorted(files)]
    assert found == sorted(places)


def test_a_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert checkpoints_in(tmp_path / "none") == []


def test_a_truncated_one_is_not_whole(folder: Path) -> None:
    newest = checkpoints_in(folder)[-1].path
    assert is_whole(newest)
    newest.write_bytes(newest.read_bytes()[:10])
    assert not is_whole(newest)


@pytest.mark.parametrize(("content", "whole"), [(b"", False), (b"opaque", True)])
def test_an_encrypted_one_is_whole_unless_empty(
    tmp_path: Path, content: bytes, whole: bool
) -> None:
    path = tmp_path / "model_epoch_000_step_00001.tlt"
    path.write_bytes(content)
    assert is_whole(path) is whole


@pytest.mark.parametrize(("asked", "given"), [(1, 1), (5, 10), (None, 10)])
def test_the_one_of_an_epoch_else_the_newest(folder: Path, asked: int | None, given: int) -> None:
    found = checkpoint_of(checkpoints_in(folder), asked)
    assert found is not None
    assert found.epoch == given


def test_a_broken_newest_is_passed_over(folder: Path) -> None:
    checkpoints_in(folder)[-1].path.write_bytes(b"half")
    found = newest_whole(checkpoints_in(folder))
    assert found is not None
    assert found.epoch == 2


def test_of_two_for_one_epoch_the_further_counts(tmp_path: Path, leave_checkpoint: Leave) -> None:
    leave_checkpoint(tmp_path, 3, 37)
    further = leave_checkpoint(tmp_path, 3, 40)
    found = checkpoint_of(checkpoints_in(tmp_path), 3)
    assert found is not None
    assert found.path == further


def test_all_but_the_kept_go_and_a_link_to_one_that_went(folder: Path) -> None:
    keep = checkpoints_in(folder)[1].path
    assert drop_others(folder, {keep}) > 0
    assert epochs(folder) == [1]
    assert not (folder / "centerpose_model_latest.pth").is_symlink()


def test_the_link_stays_while_it_points_at_something(folder: Path) -> None:
    drop_others(folder, {checkpoints_in(folder)[-1].path})
    assert (folder / "centerpose_model_latest.pth").exists()


def test_a_placed_checkpoint_outlives_its_source(folder: Path, tmp_path: Path) -> None:
    source = checkpoints_in(folder)[0].path
    content = source.read_bytes()
    target = tmp_path / "best" / "model.pth"
    place(source, target)
    source.unlink()
    assert target.read_bytes() == content
    assert not target.is_symlink()


def test_placing_replaces_what_is_there_and_copies_where_it_cannot_link(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(18, "another file system")

    monkeypatch.setattr("os.link", refuse)
    source, target = checkpoints_in(folder)[0].path, folder / "best.pth"
    target.write_bytes(b"old")
    place(source, target)
    assert target.read_bytes() == source.read_bytes()


def test_a_link_in_the_place_of_a_checkpoint_is_not_followed(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.pth"
    outside.write_bytes(b"a secret")
    source, target = folder / "model_epoch_009_step_00100.pth", folder / "best.pth"
    source.symlink_to(outside)
    with pytest.raises(OSError, match="symbolic links"):
        place(source, target)
    assert not target.exists()
