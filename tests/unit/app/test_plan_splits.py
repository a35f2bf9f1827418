"""What is odd about the splits of a study is said of each of them, and by what it is for."""

import json
from pathlib import Path
from typing import Any

import pytest

from automl.app.doctor_study import check_batches, check_splits
from automl.cli.main import main
from automl.errors import FixData
from tests.small_data import write_split
from tests.unit.app.kit import MakePlan

SPLITS = ("train", "val", "test", "inference")


def first_annotation(folder: Path) -> Path:
    return min(folder.rglob("*.json"))


def change(folder: Path, **values: Any) -> None:
    """Gives the objects of the first annotation these values; None takes one away."""
    path = first_annotation(folder)
    content = json.loads(path.read_text())
    for item in content["objects"]:
        item.update(values)
        for name in [name for name, value in values.items() if value is None]:
            del item[name]
    path.write_text(json.dumps(content))


def crowd(folder: Path, count: int) -> None:
    path = first_annotation(folder)
    content = json.loads(path.read_text())
    content["objects"] *= count
    path.write_text(json.dumps(content))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Four splits of two images; each has an orphan and an image of three objects."""
    for split in SPLITS:
        folder = write_split(tmp_path / split, 2)
        (folder / "batch-1" / "99999.json").write_text("{}")
        crowd(folder, 3)
    return tmp_path


def flags(data: Path, *splits: str) -> list[str]:
    return [word for split in splits for word in (f"--{split}-data", str(data / split))]


SMALL = ("--set", "dataset.batch_size=1", "--set", "dataset.max_objs=2")


def test_a_plan_says_it_of_every_split(plan: MakePlan, data: Path) -> None:
    made = plan(*flags(data, *SPLITS), *SMALL)
    assert tuple(made.data) == SPLITS
    for split in ("train", "val", "test"):
        notes = [note for note in made.notes if note.startswith(f"{split} data: ")]
        assert any("JSON files have no image" in note for note in notes)
        assert any("more than 2 objects (max_objs)" in note for note in notes)
    assert not any(note.startswith("inference data: ") for note in made.notes)


def test_the_doctor_says_it_of_every_split(plan: MakePlan, data: Path) -> None:
    made = plan(*flags(data, *SPLITS), *SMALL)
    lines = list(check_splits(made.data))
    for split in ("train", "val", "test"):
        of_split = [line.detail for line in lines if line.name == f"{split} data"]
        assert sum("(max_objs)" in line or "JSON files" in line for line in of_split) == 2
    assert [line.detail for line in lines if line.name == "inference data"] == [
        f"2 images, {data / 'inference'}"
    ]


def test_data_of_later_actions_bounds_no_batch(plan: MakePlan, tmp_path: Path) -> None:
    for split, images in (("train", 8), ("val", 8), ("test", 1)):
        write_split(tmp_path / split, images)
    made = plan(*flags(tmp_path, "train", "val", "test"))
    check = check_batches(made.data, 8, 1, "dataset.batch_size")
    assert check is not None
    assert not check.fix
    assert all(ceiling.high == 8 for ceiling in made.ceilings)


@pytest.mark.parametrize("split", ["test", "val"])
def test_a_split_that_is_scored_needs_visibility(plan: MakePlan, data: Path, split: str) -> None:
    change(data / split, visibility=None)
    with pytest.raises(FixData, match=f"how much of it can be seen.*{split} data"):
        plan(*flags(data, *SPLITS), *SMALL)


def test_images_to_predict_on_need_no_labels_but_must_be_whole(plan: MakePlan, data: Path) -> None:
    for path in (data / "inference").rglob("*.json"):
        path.unlink()
    plan(*flags(data, *SPLITS), *SMALL)
    image = min((data / "inference").rglob("*.png"))
    image.write_bytes(image.read_bytes()[:60])
    with pytest.raises(FixData, match=r"image must be whole.*inference data"):
        plan(*flags(data, *SPLITS), *SMALL)


def test_a_folder_of_another_machine_is_left_alone(plan: MakePlan, data: Path) -> None:
    made = plan(*flags(data, "train", "val"), *SMALL, "--set", "dataset.test_data=/elsewhere/test")
    assert tuple(made.data) == ("train", "val")


def test_data_check_takes_what_a_split_is_for(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(data / "train")
    assert main(["data", "check", folder, "--max-objs", "2"]) == 0
    out = capsys.readouterr().out
    assert "more than 2 objects (max_objs)" in out
    assert "JSON files have no image" in out
    assert main(["data", "check", folder]) == 0
    assert "max_objs" not in capsys.readouterr().out
    change(data / "train", visibility=None)
    assert main(["data", "check", folder, "--split", "val"]) == 2
    for path in (data / "inference").rglob("*.json"):
        path.unlink()
    assert main(["data", "check", str(data / "inference"), "--split", "inference"]) == 0
    assert "objects" not in capsys.readouterr().out.splitlines()[-1]
