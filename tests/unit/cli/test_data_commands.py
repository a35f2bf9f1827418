"""``automl data``: what is made, what is found, and what is said of it."""

import json
from pathlib import Path

import pytest

from automl.cli.main import main
from tests.small_data import write_split

Capture = pytest.CaptureFixture[str]


def test_a_good_split_is_described(tmp_path: Path, capsys: Capture) -> None:
    write_split(tmp_path / "train", 3)
    assert main(["data", "check", str(tmp_path / "train")]) == 0
    told = capsys.readouterr().out
    assert told == (f"{tmp_path / 'train'}: 3 images of 6 x 8, objects: cereal_box 3\n")


def test_the_same_as_json(tmp_path: Path, capsys: Capture) -> None:
    write_split(tmp_path / "train", 3)
    argv = ["data", "check", str(tmp_path / "train"), "--category", "bike", "--json"]
    assert main(argv) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["images"] == value["objects"] == 3
    assert value["size"] == [6, 8]
    assert "no object of category bike" in value["warnings"][0]


def test_a_broken_split_is_an_error_that_names_the_file(tmp_path: Path, capsys: Capture) -> None:
    broken = write_split(tmp_path / "train", 2) / "batch-1" / "00001.json"
    broken.unlink()
    assert main(["data", "check", str(tmp_path / "train")]) == 2
    assert "00001" in capsys.readouterr().err


def test_synthetic_data_passes_its_own_check_and_is_made_once(
    tmp_path: Path, capsys: Capture
) -> None:
    argv = ["data", "synth", "--out", str(tmp_path / "synth"), "--category", "shoe"]
    argv += ["--train", "2", "--val", "1", "--test", "0", "--seed", "4"]
    assert main(argv) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["train", "2"], ["val", "1"]]
    folder = lines[0].split()[-1]
    assert main(["data", "check", folder, "--category", "shoe", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["warnings"] == []
    before = {path: path.stat().st_mtime_ns for path in Path(folder).rglob("*")}
    assert main(argv) == 0
    assert "holds this data set already" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in Path(folder).rglob("*")} == before


def test_a_folder_of_something_else_is_not_overwritten(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep me")
    assert main(["data", "synth", "--out", str(tmp_path / "mine"), "--train", "1"]) == 2
    assert (tmp_path / "mine" / "notes.txt").read_text() == "keep me"


def test_generated_files_can_be_compared(tmp_path: Path, capsys: Capture) -> None:
    assert main(["schema", "generate", "--check"]) == 0
    assert main(["schema", "generate", "--check", "--out", str(tmp_path)]) == 2
    assert "run automl schema generate" in capsys.readouterr().err
    assert main(["schema", "generate", "--out", str(tmp_path)]) == 0
    assert main(["schema", "generate", "--check", "--out", str(tmp_path)]) == 0
