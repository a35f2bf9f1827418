"""``automl data check`` on a split with faults: what it says, draws, and remembers for plans."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.app.data_check import CheckProgress, DataCheckRequest, check_split_deeply
from automl.app.plan import make_plan
from automl.app.request import PlanRequest
from automl.cli.main import main

cv2 = pytest.importorskip("cv2", reason="images are rendered and decoded by OpenCV")

from automl.data.layout import list_frames  # noqa: E402
from automl.data.suspects.tiles import tiles_of  # noqa: E402
from automl.data.synth.make import synthesise  # noqa: E402
from automl.data.synth.request import SynthRequest  # noqa: E402


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rendered") / "data"
    synthesise(SynthRequest(train=8, val=8, test=1, seed=5), folder)
    return folder


@pytest.fixture
def data(rendered: Path, tmp_path: Path) -> Path:
    """The splits ``train`` and ``val``, free to be broken."""
    for split in ("train", "val"):
        shutil.copytree(rendered / split, tmp_path / split)
    return tmp_path


def change(folder: Path, place: int, **values: Any) -> Path:
    """Gives the first object of an annotation other values; returns the file."""
    path = sorted(folder.rglob("*.json"))[place]
    content = json.loads(path.read_text())
    content["objects"][0].update(values)
    path.write_text(json.dumps(content))
    return path


def first_object(folder: Path, place: int) -> dict[str, Any]:
    path = sorted(folder.rglob("*.json"))[place]
    found: dict[str, Any] = json.loads(path.read_text())["objects"][0]
    return found


def leak(data: Path, place: int) -> tuple[Path, Path]:
    """Puts a train image, encoded anew, in the place of a val image."""
    train, val = (sorted((data / split).rglob("*.jpg"))[place] for split in ("train", "val"))
    cv2.imwrite(str(val), cv2.imread(str(train)), [cv2.IMWRITE_JPEG_QUALITY, 60])
    shutil.copy(train.with_suffix(".json"), val.with_suffix(".json"))
    return train, val


def checked(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    assert main(["data", "check", *map(str, words), "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["schema"] == "automl.data-check/1"
    return found


def test_good_data_has_no_findings(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = checked(capsys, data / "val", "--split", "val", "--against", data / "train")
    assert found["findings"] == []
    assert found["notes"] == [f"compared with {data / 'train'}: what images show"]


def test_every_finding_says_file_fault_certainty_and_fix(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    val = data / "val"
    item = first_object(val, 0)
    scaled = change(val, 0, scale=[100 * edge for edge in item["scale"]])
    flipped = [[600 - x, y] for x, y in first_object(val, 1)["projected_cuboid"]]
    mirrored = change(val, 1, projected_cuboid=flipped)
    train_image, val_image = leak(data, 2)
    found = checked(capsys, val, "--split", "val", "--against", data / "train")
    by_kind = {each["kind"]: each for each in found["findings"]}
    assert len(found["findings"]) == 3
    assert by_kind["units"]["file"] == str(scaled)
    assert "100 times too large" in by_kind["units"]["what"]
    assert by_kind["order of corners"]["file"] == str(mirrored)
    assert by_kind["order of corners"]["object"] == 0
    twin = by_kind["near-duplicate"]
    assert (twin["file"], twin["other_file"]) == (str(val_image), str(train_image))
    assert {each["certainty"] for each in found["findings"]} == {"sure"}
    assert all(each["fix"] for each in found["findings"])
    assert main(["data", "check", str(val), "--against", str(data / "train")]) == 0
    text = capsys.readouterr().out
    for part in (str(scaled), "sure: ", "fix: ", f"as {train_image}", "near-duplicate: 1 found"):
        assert part in text


def test_many_findings_are_counted_and_the_worst_named(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in range(7):
        moved = np.array(first_object(data / "val", place)["projected_cuboid"])
        moved[3] += 4.0 + place
        change(data / "val", place, projected_cuboid=moved.tolist())
    assert main(["data", "check", str(data / "val")]) == 0
    text = capsys.readouterr().out
    assert "box and keypoints: 7 found" in text
    last = sorted((data / "val").rglob("*.json"))[6]
    assert f"{last}: objects[0]: " in text.splitlines()[2]
    folder = last.parent
    assert f"and 2 more, most in {folder} (7), 1 folders in all: --json lists them" in text


def test_a_preview_shows_suspects_first_and_in_red(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    val, picture = data / "val", data / "grid.png"
    moved = np.array(first_object(val, 3)["projected_cuboid"]) + np.array([0.0, 90.0])
    change(val, 3, projected_cuboid=moved.tolist())
    train_image, val_image = leak(data, 5)
    found = checked(capsys, val, "--against", data / "train", "--preview", picture)
    assert found["preview"] == str(picture)
    assert cv2.imread(str(picture)).shape == (3 * 430, 3 * 408, 3)
    frames = list_frames(val)
    findings = check_split_deeply(
        DataCheckRequest(str(val), against=(str(data / "train"),)),
        CheckProgress(None, lambda _, __: None),
    ).findings
    tiles = tiles_of(val, frames, findings, labelled=True)
    images = [tile.image for tile in tiles]
    assert images[:3] == [frames[3].image, val_image, train_image]
    assert set(images[3:]) == {frame.image for frame in frames} - set(images[:3])
    suspect, plain = tiles[0].outlines
    assert (suspect.suspect, suspect.caption, plain.suspect) == (True, "box off", False)
    np.testing.assert_allclose(suspect.points - plain.points, np.tile([0.0, 90.0], (9, 1)), atol=1)
    assert not any(outline.suspect for tile in tiles[1:] for outline in tile.outlines)
    assert main(["data", "check", str(val), "--preview", str(picture)]) == 0
    assert "grid.png, 8 images; suspects in red, first" in capsys.readouterr().out


def test_a_plan_says_again_what_the_check_found(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = {f"{split}_data": str(data / split) for split in ("train", "val")}
    request = PlanRequest({**flags, "set": ["dataset.batch_size=2"], "trainer": "scripted"},
                          studies_dir=data / "studies")  # fmt: skip

    def notes() -> list[str]:
        return [note for note in make_plan(request).notes if "nearly in the other" in note]

    _, image = leak(data, 2)
    assert notes() == []  # nobody has looked
    checked(capsys, data / "val", "--split", "val", "--against", data / "train")
    (said,) = notes()
    assert "1 images" in said
    assert str(image) in said
    for path in (image, image.with_suffix(".json")):
        path.unlink()
    assert notes() == []  # the split is another one now


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (("--against", "VAL"), "held against another one"),
        (("--preview", "grid.gif"), "must be a PNG or a JPEG"),
        (("--preview", "VAL/grid.png"), "among the images"),
        (("--split", "inference", "--model", "bike"), "that has some"),
        (("--against", "nowhere"), "must be a folder or a tarball"),
        (("--model", "nobody", "--studies-dir", "VAL"), "study"),
    ],
)
def test_what_cannot_be_done_is_refused(
    data: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], rule: str
) -> None:
    given = [word.replace("VAL", str(data / "val")) for word in words]
    assert main(["data", "check", str(data / "val"), *given]) == 2
    told = capsys.readouterr()
    assert rule in told.err
    assert not told.out
