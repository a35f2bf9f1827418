"""Which frames a split holds, and reading one annotation."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.data.objectron import list_frames, read_annotation
from automl.errors import FixData, FixInput
from tests.unit.data.conftest import annotation_of

WriteFrame = Callable[..., Path]


def test_frames_are_sorted_and_carry_the_annotation_of_their_stem(
    split: Path, write_frame: WriteFrame
) -> None:
    second = write_frame("b/00000")
    first = write_frame("a/00015")
    frames = list_frames(split)
    assert [frame.image for frame in frames] == [first, second]
    assert frames[0].annotation == split / "a" / "00015.json"


def test_a_folder_with_sub_folders_contributes_none_of_its_own_files(
    split: Path, write_frame: WriteFrame
) -> None:
    write_frame("above")
    leaf = write_frame("a/00000")
    assert [frame.image for frame in list_frames(split)] == [leaf]


def test_the_split_itself_may_be_the_leaf(split: Path, write_frame: WriteFrame) -> None:
    image = write_frame("00000")
    assert [frame.image for frame in list_frames(split)] == [image]


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".png", ".bmp", ".JPEG", ".JPG", ".PNG"])
def test_every_known_ending_is_an_image(split: Path, write_frame: WriteFrame, suffix: str) -> None:
    image = write_frame("a/00000", suffix=suffix)
    assert [frame.image for frame in list_frames(split)] == [image]


def test_other_files_are_no_images(split: Path, write_frame: WriteFrame) -> None:
    write_frame("a/00000", suffix=".gif")
    with pytest.raises(FixInput, match="at least one image"):
        list_frames(split)


def test_images_without_annotation_are_refused_unless_asked_for(
    split: Path, write_frame: WriteFrame
) -> None:
    image = write_frame("a/00000")
    image.with_suffix(".json").unlink()
    with pytest.raises(FixInput, match="1 of 1 images without one") as caught:
        list_frames(split)
    assert str(image) in str(caught.value)
    assert [frame.image for frame in list_frames(split, annotated=False)] == [image]


def test_a_missing_folder_and_a_tarball_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(FixInput, match="no such folder"):
        list_frames(tmp_path / "nowhere")
    tarball = tmp_path / "train.tar.gz"
    tarball.touch()
    with pytest.raises(FixInput, match="a tarball"):
        list_frames(tarball)


def test_a_loop_of_links_ends(split: Path, write_frame: WriteFrame) -> None:
    write_frame("a/00000")
    (split / "b").mkdir()
    (split / "b" / "again").symlink_to(split, target_is_directory=True)
    assert len(list_frames(split)) == 1


def test_an_annotation_is_read_into_arrays(write_frame: WriteFrame) -> None:
    annotation = read_annotation(write_frame().with_suffix(".json"))
    assert (annotation.width, annotation.height) == (6, 8)
    assert annotation.intrinsics.fx == 6.0
    assert annotation.projection.shape == (4, 4)
    (pose,) = annotation.objects
    assert pose.category == "cereal_box"
    assert pose.projected_cuboid.shape == (9, 2)
    assert pose.keypoints_3d.dtype == np.float64
    assert pose.symmetric is None


def test_the_symmetric_mark_is_text_on_disk(
    write_frame: WriteFrame, annotation: dict[str, Any]
) -> None:
    annotation["objects"][0]["symmetric"] = "False"
    path = write_frame(values=annotation).with_suffix(".json")
    assert read_annotation(path).objects[0].symmetric is False
    annotation["objects"][0]["symmetric"] = "yes"
    path.write_text(json.dumps(annotation))
    with pytest.raises(FixInput, match=r"objects\[0\]\.symmetric"):
        read_annotation(path)


def test_broken_values_are_refused_by_key_and_file(
    write_frame: WriteFrame, annotation: dict[str, Any]
) -> None:
    del annotation["objects"][0]["projected_cuboid"][8]
    path = write_frame(values=annotation).with_suffix(".json")
    with pytest.raises(FixInput, match=r"objects\[0\]\.projected_cuboid.*8 rows") as caught:
        read_annotation(path)
    assert caught.value.where == str(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "must be JSON"),
        ("[]", "must be a JSON object"),
        ("{}", "objects must be a list"),
        ('{"objects": []}', r"camera_data\.width must be a finite number"),
        ('{"camera_data": {"intrinsics": {}, "width": NaN}, "objects": []}', "width must be"),
    ],
)
def test_a_file_that_is_no_annotation_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "00000.json"
    path.write_text(text)
    with pytest.raises(FixInput, match=message):
        read_annotation(path)


def test_a_missing_annotation_is_the_users_to_fix(tmp_path: Path) -> None:
    with pytest.raises(FixInput, match="must be readable"):
        read_annotation(tmp_path / "00000.json")


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("scale", [1e-320, 1.0, 1.0], "edge lengths other than 0"),
        ("quaternion_xyzw", [1e-200, 0.0, 0.0, 0.0], "must be a rotation"),
        ("location", [1e300, 0.0, 0.0], "finite numbers"),
        ("visibility", 1e300, "too large for any measure"),
        ("keypoints_3d", [[0.1, 0.1, -1.0]] * 8 + [[0.1, 0.1, 0.0]], "camera's own plane"),
    ],
)
def test_a_measure_that_nothing_can_be_computed_with_is_refused(
    tmp_path: Path, key: str, value: object, words: str
) -> None:
    content = annotation_of()
    content["objects"][0][key] = value
    path = tmp_path / "00000.json"
    path.write_text(json.dumps(content))
    with pytest.raises(FixData, match=words):
        read_annotation(path)
