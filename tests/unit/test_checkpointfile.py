"""What cannot be a checkpoint is told from its first bytes."""

import io
import os
import zipfile
from pathlib import Path

import pytest

from automl.checkpointfile import check_checkpoint_file, check_not_encrypted
from automl.errors import FixData


def saved(*, record: str = "archive/data.pkl") -> bytes:
    """What torch.save writes, as far as the outside goes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(record, b"\x80\x02}q\x00.")
        archive.writestr("archive/data/0", bytes(4096))
    return file.getvalue()


@pytest.mark.parametrize("content", [saved(), b"\x80\x02\x8a\nl\xfc"], ids=["zip", "legacy"])
def test_what_torch_writes_passes(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.pth"
    path.write_bytes(content)
    check_checkpoint_file(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "an empty file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git lfs pull"),
        (b"<!DOCTYPE html><html>login</html>", "a page of markup"),
        (b'\n{"error": "not found"}', "JSON"),
        (saved()[:-30], "ends early"),
        (saved()[:2000], "ends early"),
        (saved(record="mimetype"), "a zip archive of something else"),
        (b"\x89HDF\r\n\x1a\n", "another format"),
    ],
)
def test_what_cannot_be_one_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "model.pth"
    path.write_bytes(content)
    with pytest.raises(FixData, match=message) as caught:
        check_checkpoint_file(path)
    assert caught.value.where == str(path)


def test_a_damaged_part_is_found(tmp_path: Path) -> None:
    content = bytearray(saved())
    content[2000] ^= 0xFF
    path = tmp_path / "model.pth"
    path.write_bytes(content)
    with pytest.raises(FixData, match="is damaged"):
        check_checkpoint_file(path)


def test_a_pipe_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FixData, match="exists"):
        check_checkpoint_file(tmp_path / "gone.pth")
    os.mkfifo(tmp_path / "pipe.pth")
    with pytest.raises(FixData, match="regular file"):
        check_checkpoint_file(tmp_path / "pipe.pth")


def test_another_networks_format_is_left_to_it(tmp_path: Path) -> None:
    path = tmp_path / "model.tlt"
    path.write_bytes(b"\x01\x02")
    check_checkpoint_file(path)
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(FixData, match="git lfs"):
        check_checkpoint_file(path)


@pytest.mark.parametrize("name", ["model.etlt", "model.tlt"])
def test_what_tao_encrypted_is_refused_by_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x17\x03\x9b" * 40)
    with pytest.raises(FixData, match=rf"one that TAO encrypted \(.*{name}"):
        check_not_encrypted(path)
