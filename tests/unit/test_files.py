"""Whole files or none."""

import math
from pathlib import Path

import pytest

from automl.files import clear_unfinished, replaced, sha256_of, write_json, write_text


def write_half(path: Path) -> None:
    with replaced(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("half way")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "value.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError, match="half way"):
        write_half(path)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["value.txt"]


def test_json_is_strict(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"value": math.nan})
    assert not path.exists()


def test_the_hash_is_that_of_the_content(tmp_path: Path) -> None:
    write_text(tmp_path / "file", "abc")
    assert sha256_of(tmp_path / "file") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_what_a_crash_left_is_cleared_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / ".ray").mkdir()
    for name in (".value.json", ".hidden", "value.json"):
        (tmp_path / name).write_text("kept")
    with replaced(tmp_path / "value.json") as temporary:
        temporary.write_text("half")
        left = tmp_path / temporary.name.replace(temporary.name[-8:], "a1b2c3_d")
        temporary.rename(left)
        clear_unfinished(tmp_path)
        assert not left.exists()
        temporary.write_text("whole")
    assert {entry.name for entry in tmp_path.iterdir()} == {
        *(".ray", ".value.json", ".hidden", "value.json"),
    }
    clear_unfinished(tmp_path / "missing")
