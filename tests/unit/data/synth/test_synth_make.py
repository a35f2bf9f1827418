"""A synthetic data set on disk: its format, its bytes and its folder."""

import hashlib
import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import automl.data.synth.make as make_module
from automl.data.checks import Purpose, check_split
from automl.data.objectron import read_annotation
from automl.data.overlap import shared_images
from automl.data.synth.demo import ensure_demo
from automl.data.synth.make import synthesise
from automl.data.synth.request import EASY, MODERATE, SynthRequest
from automl.errors import FixInput, InstallExtra

SMALL = SynthRequest(
    train=5, val=2, test=1, seed=3, difficulty=replace(MODERATE, frames_per_sequence=3)
)


def digest_of(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_layout_is_the_one_of_the_format(tmp_path: Path) -> None:
    result = synthesise(SMALL, tmp_path / "data")
    names = sorted(str(path.relative_to(result.folder)) for path in result.folder.rglob("*.jpg"))
    assert names == [
        "test/cereal_box-0000/00000.jpg",
        "train/cereal_box-0000/00000.jpg",
        "train/cereal_box-0000/00001.jpg",
        "train/cereal_box-0000/00002.jpg",
        "train/cereal_box-0001/00003.jpg",
        "train/cereal_box-0001/00004.jpg",
        "val/cereal_box-0000/00000.jpg",
        "val/cereal_box-0000/00001.jpg",
    ]
    assert result.images == {"train": 5, "val": 2, "test": 1}
    facts = [
        check_split(folder, Purpose(category="cereal_box")) for folder in result.splits.values()
    ]
    assert sum(split.objects for split in facts) == result.objects
    assert {split.size for split in facts} == {(600, 800)}
    assert [split.warnings for split in facts] == [(), (), ()]
    assert shared_images(result.splits["train"], result.splits["val"]) == ()


def test_every_annotation_is_read_and_has_the_keys_of_the_format(tmp_path: Path) -> None:
    result = synthesise(SMALL, tmp_path / "data")
    for path in result.folder.glob("*/*/*.json"):
        annotation = read_annotation(path)
        assert (annotation.width, annotation.height) == (600, 800)
        assert annotation.objects
        assert set(json.loads(path.read_text())["objects"][0]) == {
            "class",
            "name",
            "provenance",
            "projected_cuboid",
            "keypoints_3d",
            "scale",
            "location",
            "quaternion_xyzw",
            "visibility",
        }


def test_the_same_seed_gives_the_same_bytes_however_many_draw(tmp_path: Path) -> None:
    alone = synthesise(SMALL, tmp_path / "alone")
    shared = synthesise(SMALL, tmp_path / "shared", workers=2)
    assert digest_of(alone.folder) == digest_of(shared.folder)
    assert alone.objects == shared.objects


def test_another_seed_gives_other_images(tmp_path: Path) -> None:
    one = digest_of(synthesise(SMALL, tmp_path / "one").folder)
    other = digest_of(synthesise(replace(SMALL, seed=4), tmp_path / "other").folder)
    assert one.keys() == other.keys()
    assert not [name for name in one if one[name] == other[name]]


def test_more_images_leave_the_first_ones_as_they_were(tmp_path: Path) -> None:
    request = replace(SMALL, train=3, val=0, test=0)
    few = digest_of(synthesise(request, tmp_path / "few").folder / "train")
    many = digest_of(synthesise(replace(request, train=6), tmp_path / "many").folder / "train")
    assert few.items() <= many.items()


def test_png_on_request(tmp_path: Path) -> None:
    request = SynthRequest(train=1, val=0, image_format="png")
    result = synthesise(request, tmp_path / "data")
    (image,) = result.folder.rglob("*.png")
    assert image.read_bytes().startswith(b"\x89PNG")
    assert list(result.splits) == ["train"]


def test_a_chair_says_that_its_sides_differ(tmp_path: Path) -> None:
    result = synthesise(SynthRequest("chair", train=1, val=0), tmp_path / "data")
    (path,) = result.folder.glob("train/*/*.json")
    assert read_annotation(path).objects[0].symmetric is False


def test_the_same_request_finds_its_folder(tmp_path: Path) -> None:
    first = synthesise(SMALL, tmp_path / "data")
    stamps = {path: path.stat().st_mtime_ns for path in first.folder.rglob("*")}
    second = synthesise(SMALL, tmp_path / "data")
    assert (first.reused, second.reused) == (False, True)
    assert (second.splits, second.objects) == (first.splits, first.objects)
    assert {path: path.stat().st_mtime_ns for path in first.folder.rglob("*")} == stamps


def test_a_folder_with_anything_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    result = synthesise(SMALL, tmp_path / "data")
    before = digest_of(result.folder)
    with pytest.raises(FixInput, match="another data set"):
        synthesise(replace(SMALL, seed=4), result.folder)
    assert digest_of(result.folder) == before
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.tex").touch()
    with pytest.raises(FixInput, match="other files"):
        synthesise(SMALL, foreign)


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    assert not synthesise(SMALL, tmp_path / "data").reused


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synthesise(SMALL, tmp_path / "data", interrupt)
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_up_to_all_images(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    synthesise(SMALL, tmp_path / "data", lambda done, total: seen.append((done, total)))
    assert seen == [(3, 8), (5, 8), (7, 8), (8, 8)]


def test_the_demo_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = SynthRequest(train=2, val=1)
    left_over = tmp_path / "synth" / f".cereal_box-{request.key()}.killed"
    left_over.mkdir(parents=True)
    folders = ensure_demo(tmp_path, request)
    assert not left_over.exists()
    assert folders.train is not None
    assert folders.val is not None
    assert folders.test is None
    assert len(list(folders.train.rglob("*.jpg"))) == 2

    def never(*_: object) -> None:
        raise AssertionError("drawn a second time")

    monkeypatch.setattr(make_module, "draw_scene", never)
    assert ensure_demo(tmp_path, request) == folders


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"category": "../up"}, "letters, digits"),
        ({"category": ""}, "letters, digits"),
        ({"train": -1}, "train must not be negative"),
        ({"seed": -1}, "seed must not be negative"),
        ({"train": 0, "val": 0}, "at least one image"),
        ({"image_format": "gif"}, "jpg or png"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(FixInput, match=message):
        SynthRequest(**change)  # type: ignore[arg-type]


def test_a_difficulty_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(FixInput, match="probabilities"):
        replace(EASY, occlusion=1.5)
    with pytest.raises(FixInput, match="known kind"):
        replace(EASY, backgrounds=("sky",))


def test_equal_requests_have_equal_keys_and_others_do_not() -> None:
    assert SynthRequest().key() == SynthRequest().key()
    assert SynthRequest().key() != SynthRequest(seed=1).key()
    assert SynthRequest().key() != SynthRequest(difficulty=MODERATE).key()


def test_without_opencv_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    monkeypatch.delitem(sys.modules, "automl.data.opencv", raising=False)
    with pytest.raises(InstallExtra, match=r"\[trainer\]"):
        importlib.import_module("automl.data.opencv")
