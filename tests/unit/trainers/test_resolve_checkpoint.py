"""Which checkpoint is meant, and files that are none."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from automl.errors import FixData, FixInput
from automl.trainers.resolve import check_model, is_word, model_file, resolve_checkpoint


def checkpoint(folder: Path, epoch: int, step: int, text: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"model_epoch_{epoch:03d}_step_{step:05d}.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", text or f"{epoch} {step}")
        archive.writestr("archive/data/0", bytes(200))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The checkpoints of epochs 0, 1 and 3, and the trainer's link to the newest."""
    for epoch in (0, 1, 3):
        newest = checkpoint(tmp_path / "1", epoch, 8 * (epoch + 1))
        link = tmp_path / "1" / "centerpose_model_latest.pth"
        link.unlink(missing_ok=True)
        link.symlink_to(newest.name)
    return tmp_path / "1"


@pytest.mark.parametrize(
    ("asked", "epoch", "said"),
    [
        ("last", 3, "epoch 3, the newest that was kept"),
        ("newest", 3, "epoch 3, the newest that was kept"),
        ("latest", 3, "link"),
        ("0", 0, "counted from 0"),
        ("3", 3, "counted from 0"),
        ("2", 1, "counted from 1"),
        ("4", 3, "counted from 1"),
        ("model_epoch_000_step_00008.pth", 0, "named"),
        ("best", 1, "the best epoch"),
    ],
)
def test_each_way_to_name_one(folder: Path, asked: str, epoch: int, said: str) -> None:
    best = folder / "model_epoch_001_step_00016.pth"
    found = resolve_checkpoint([folder], asked, best)
    assert found.epoch == epoch
    assert said in found.how
    assert not found.path.is_symlink()
    assert found.sha256 == hashlib.sha256(found.path.read_bytes()).hexdigest()


def test_the_last_is_not_one_before_the_last(folder: Path) -> None:
    assert resolve_checkpoint([folder], "last", None, 3).how == "epoch 3, the last"
    with pytest.raises(FixInput, match=r"got last; kept: model_epoch_000"):
        resolve_checkpoint([folder], "last", None, 29)
    newest = resolve_checkpoint([folder], "newest", None, 29)
    assert (newest.epoch, newest.how) == (3, "epoch 3, the newest that was kept of 30")


def test_an_epoch_counts_from_0_before_it_counts_from_1(folder: Path) -> None:
    assert resolve_checkpoint([folder], "1").epoch == 1
    assert resolve_checkpoint([folder], "2").epoch == 1


def test_the_only_one_kept_is_the_best(tmp_path: Path) -> None:
    kept = checkpoint(tmp_path, 2, 24)
    assert resolve_checkpoint([tmp_path], "best").path == kept


def test_the_best_is_never_guessed_among_several(folder: Path) -> None:
    with pytest.raises(FixInput, match="best"):
        resolve_checkpoint([folder], "best")


def test_a_best_that_is_gone_is_not_replaced_by_another(folder: Path) -> None:
    with pytest.raises(FixInput):
        resolve_checkpoint([folder], "best", folder / "model_epoch_009_step_00080.pth")


def test_the_last_is_found_over_all_attempts_and_is_whole(folder: Path, tmp_path: Path) -> None:
    torn = checkpoint(tmp_path / "2", 5, 48)
    torn.write_bytes(torn.read_bytes()[:150])
    assert resolve_checkpoint([folder, tmp_path / "2"], "last").epoch == 3
    checkpoint(tmp_path / "2", 4, 40)
    assert resolve_checkpoint([folder, tmp_path / "2"], "last").epoch == 4


def test_the_link_is_taken_only_when_the_user_says_so(folder: Path) -> None:
    newest = folder / "model_epoch_003_step_00032.pth"
    newest.unlink()
    assert resolve_checkpoint([folder], "last").epoch == 1
    with pytest.raises(FixInput, match="leads nowhere"):
        resolve_checkpoint([folder], "latest")


def test_an_epoch_that_was_not_kept_says_what_was_and_why(folder: Path) -> None:
    with pytest.raises(FixInput) as refused:
        resolve_checkpoint([folder], "7")
    assert "epoch 7; kept: model_epoch_000_step_00008.pth" in refused.value.got
    assert "--keep all" in refused.value.fix


def test_a_named_one_that_is_torn_is_refused(folder: Path) -> None:
    path = folder / "model_epoch_001_step_00016.pth"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(FixInput, match="ends early"):
        resolve_checkpoint([folder], path.name)


def test_damaged_and_foreign_files_are_refused(tmp_path: Path) -> None:
    def refused(name: str, content: bytes) -> str:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(FixData) as error:
            check_model(tmp_path / name)
        return error.value.got

    with zipfile.ZipFile(tmp_path / "photos.pth", "w") as archive:
        archive.writestr("holiday.jpg", "x")
    photos = (tmp_path / "photos.pth").read_bytes()
    pointer = b"version https://git-lfs.github.com/spec/v1\n"
    assert refused("photos.pth", photos) == "a zip archive of something else"
    assert refused("empty.pth", b"") == "an empty file"
    assert refused("cut.pth", photos[:40]).startswith("a file that ends early")
    assert refused("text.onnx", b"hello") == "a file of another format"
    assert refused("pointer.pth", pointer) == "a pointer of Git LFS"
    assert refused("pointer.onnx", pointer) == "a pointer of Git LFS"
    assert refused("weights", b"\x00") == "a file without an ending"
    assert refused("empty.tlt", b"") == "an empty file"


def test_what_passes(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"\x08\x07")
    (tmp_path / "old.tlt").write_bytes(b"encrypted")
    for path in (checkpoint(tmp_path, 0, 8), tmp_path / "model.onnx", tmp_path / "old.tlt"):
        check_model(path)
    weights = tmp_path / "weights"
    weights.mkdir()
    with pytest.raises(FixInput, match="must hold files"):
        check_model(weights)
    (weights / "model.safetensors").write_bytes(b"x")
    assert model_file(weights).path == weights


def test_a_link_given_by_its_path_is_followed_and_told(folder: Path) -> None:
    found = model_file(folder / "centerpose_model_latest.pth", "given")
    assert found.path.name == "model_epoch_003_step_00032.pth"
    assert found.how == "the trainer's link to the latest"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("best", True),
        ("latest", True),
        ("12", True),
        ("model_epoch_000_step_00008.pth", True),
        ("./model_epoch_000_step_00008.pth", False),
        ("runs/x.pth", False),
        ("model.onnx", False),
    ],
)
def test_words_and_paths(text: str, word: bool) -> None:
    assert is_word(text) is word
