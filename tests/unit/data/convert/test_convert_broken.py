"""What is wrong with a source is said by name, and one broken frame ends nothing."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from automl.data.convert.choice import WantedObjects
from automl.data.convert.conversion import Converted, ConvertRequest, convert
from automl.data.convert.frames import SourceOptions
from automl.data.layout import list_frames
from automl.data.objectron import read_annotation
from automl.errors import FixData, FixInput
from tests.unit.data.convert.sources import (
    WRITERS,
    KnownFrame,
    write_bop,
    write_dope,
    write_isaac_dope,
    write_objectron,
    write_ycb,
)

Spoil = Callable[[Any], None]


def _edit(path: Path, spoil: Spoil) -> None:
    value = json.loads(path.read_text())
    spoil(value)
    path.write_text(json.dumps(value))


def _run(root: Path, out: Path, **words: Any) -> Converted:
    return convert(ConvertRequest(root, out, **words))


def _kept(out: Path) -> int:
    return len(list_frames(out / "train"))


def _set(path: str, value: Any) -> Spoil:
    def spoil(values: Any) -> None:
        *keys, last = path.split(".")
        for key in keys:
            values = values[int(key) if key.isdigit() and isinstance(values, list) else key]
        if value is None:
            del values[last]
        else:
            values[last] = value

    return spoil


BROKEN_BOP = [
    ("scene_camera.json", _set("0", None), r"scene_camera.json of 000001 must have 0"),
    ("scene_camera.json", _set("0.cam_K", [1, 2]), "cam_K must be 9 finite numbers, but got 2"),
    (
        "scene_camera.json",
        _set("0.cam_K", None),
        "cam_K must be 9 finite numbers, but got nothing",
    ),
    ("scene_gt.json", _set("0", {"a": 1}), "the poses of an image must be a list of JSON objects"),
    (
        "scene_gt.json",
        _set("0", [{"obj_id": 9}]),
        r"a model of models_info.json, but got 9; it knows 5",
    ),
    ("scene_gt.json", _set("0", [{"obj_id": "x"}]), "obj_id must be a whole number"),
    (
        "scene_gt.json",
        _set("0", [{"obj_id": 5, "cam_R_m2c": [1.0] * 9}]),
        "cam_R_m2c must be a rotation",
    ),
    (
        "scene_gt.json",
        _set("0", [{"obj_id": 5, "cam_R_m2c": [1, 0, 0, 0, 1, 0, 0, 0, 1]}]),
        "cam_t_m2c",
    ),
]


@pytest.mark.parametrize(("name", "spoil", "why"), BROKEN_BOP)
def test_a_broken_frame_of_bop_is_named_and_left_out(
    name: str, spoil: Spoil, why: str, frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    root = write_bop(source, frames)
    _edit(root / "000001" / name, spoil)
    made = _run(root, tmp_path / "out")
    assert _kept(tmp_path / "out") == len(frames) - 1
    (skipped,) = made.skipped
    assert skipped.frame.startswith("000001/000000 (")
    assert re.search(why, skipped.why)


BROKEN_DOPE = [
    (
        _set("objects.0.quaternion_xyzw", [0.0, 0.0, 1.0]),
        "quaternion_xyzw must be 4 finite numbers, but got 3",
    ),
    (_set("objects.0.quaternion_xyzw", [0.0] * 4), "quaternion of length 0"),
    (_set("objects.0.location", [0.0, 0.0, float("nan")]), "location must be 3 finite numbers"),
    (
        _set("objects.0.location", [5.0, 0.0, 1.0]),
        r"pixels off; with its size, --size 003_cracker_box=X,Y,Z",
    ),
    (_set("objects.0.location", [0.0, 0.0, -1.0]), "a pose behind the camera"),
    (
        _set("objects.0.projected_cuboid", [[1.0, 2.0]]),
        "projected_cuboid must be 18 finite numbers, but got 2",
    ),
    (_set("objects.0.class", 3), "an object must have a class"),
    (_set("objects", None), "objects must be a list"),
    (_set("camera_data", None), r"camera_data.intrinsics or in _camera_settings.json"),
    (_set("camera_data.intrinsics.fx", -600.0), "focal lengths must be positive, but got -600"),
    (
        _set("camera_data.intrinsics.fx", 1e12),
        "fx must be a number, but got one that is no measure",
    ),
    (_set("camera_data.intrinsics.fx", None), "fx must be a number, but got nothing"),
    (_set("camera_data.width", 601), "the size that its labels say, 601 x 800, but got 600 x 800"),
]


@pytest.mark.parametrize(("spoil", "why"), BROKEN_DOPE)
def test_a_broken_frame_of_dope_is_named_and_left_out(
    spoil: Spoil, why: str, frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    root = write_dope(source, frames)
    _edit(root / "000000.json", spoil)
    made = _run(root, tmp_path / "out", format="dope")
    assert _kept(tmp_path / "out") == len(frames) - 1
    assert re.search(why, made.skipped[0].why)


def test_other_broken_files_of_dope_are_named(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    root = write_dope(source, frames)
    (root / "000000.json").write_text("{")
    (root / "000001.jpg").unlink()
    (root / "000002.jpg").write_bytes(b"\xff\xd8 cut off")
    made = _run(root, tmp_path / "out")
    assert [one.why.split(",")[0] for one in made.skipped][:2] == [
        "000000.json must be JSON",
        "an image of the same stem must lie beside each JSON file",
    ]
    assert len(made.skipped) == 3
    assert _kept(tmp_path / "out") == len(frames) - 3


def test_the_pose_is_found_from_a_size_where_the_file_has_another(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    """Isaac Sim writes such poses for DOPE."""
    root = write_isaac_dope(source, frames)
    with pytest.raises(FixData, match=r"--size 003_cracker_box=X,Y,Z"):
        _run(root, tmp_path / "out")
    size = tuple(frames[0].boxes[0].size.tolist())
    options = SourceOptions(sizes={"003_cracker_box": size})
    made = _run(root, tmp_path / "out", options=options)
    assert (made.format, made.skipped) == ("dope", [])
    for frame, known in zip(list_frames(tmp_path / "out" / "train"), frames, strict=True):
        for item, truth in zip(
            read_annotation(frame.annotation).objects, known.truth.objects, strict=True
        ):
            assert np.abs(item.projected_cuboid - truth.projected_cuboid).max() < 0.5
            assert np.abs(item.keypoints_3d - truth.keypoints_3d).max() < 0.01


def test_a_size_of_another_object_is_refused(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    options = SourceOptions(sizes={"003_cracker_box": (0.5, 0.1, 0.1)})
    with pytest.raises(FixData, match="the size may be of another object"):
        _run(write_dope(source, frames), tmp_path / "out", options=options)


def test_a_pose_that_fits_wins_over_the_size_of_the_settings(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    """Settings hold the size of the mesh, before a script scaled it."""
    root = write_dope(source, frames)
    kind = {"class": "003_cracker_box", "cuboid_dimensions": [3.0, 2.0, 1.0]}
    (root / "_object_settings.json").write_text(json.dumps({"exported_objects": [kind]}))
    made = _run(root, tmp_path / "out")
    assert made.skipped == []
    (item, *_) = read_annotation(list_frames(tmp_path / "out" / "train")[0].annotation).objects
    assert item.scale == pytest.approx(frames[0].boxes[0].size, abs=1e-6)


def test_the_size_of_the_settings_serves_where_the_pose_is_missing(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    """Location and quaternion are optional in DOPE's format."""
    root = write_dope(source, frames)
    for path in root.glob("0*.json"):
        value = json.loads(path.read_text())
        for item in value["objects"]:
            del item["location"]
        path.write_text(json.dumps(value))
    size = frames[0].boxes[0].in_frame("z")[1]
    kind = {"class": "003_cracker_box", "cuboid_dimensions": size.tolist()}
    with pytest.raises(FixData, match="where projected_cuboid is, but got neither"):
        _run(root, tmp_path / "out")
    (root / "_object_settings.json").write_text(json.dumps({"exported_objects": [kind]}))
    made = _run(root, tmp_path / "out")
    assert made.skipped == []
    for frame, known in zip(list_frames(tmp_path / "out" / "train"), frames, strict=True):
        found = read_annotation(frame.annotation).objects
        for item, truth in zip(found, known.truth.objects, strict=True):
            assert np.abs(item.projected_cuboid - truth.projected_cuboid).max() < 0.5
            assert item.location == pytest.approx(truth.location, abs=0.01)


def test_a_camera_without_middle_gets_that_of_the_image(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    """BlenderProc's script reads cx and cy from the wrong row of the matrix, which holds 0."""
    centred = [replace(frame, truth=replace(frame.truth, cx=300.0, cy=400.0)) for frame in frames]
    root = write_dope(source, centred)
    for path in root.glob("*.json"):
        _edit(path, _set("camera_data.intrinsics.cx", 0.0))
        _edit(path, _set("camera_data.intrinsics.cy", 0.0))
    made = _run(root, tmp_path / "out")
    assert made.skipped == []
    assert "the middle of the image is taken" in made.notes[0]


def test_corners_that_show_elsewhere_are_refused(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    root = WRITERS["isaac"][1](source, frames)
    _edit(root / "0000.json", _set("camera_data.intrinsics.fx", 100.0))
    _edit(root / "0001.json", _set("keypoint_order", ["LDB"]))
    _edit(root / "0002.json", _set("objects.0.label", None))
    made = _run(root, tmp_path / "out")
    reasons = [one.why for one in made.skipped]
    assert [
        "pixels off" in reasons[0],
        "keypoint_order" in reasons[1],
        "a label" in reasons[2],
    ] == [True] * 3


def test_broken_files_of_ycb_are_named(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    root = write_ycb(source, frames)
    first, second, third, fourth = sorted(root.glob("0000/*-meta.mat"))[:4]
    first.write_bytes(b"no matrix")
    savemat(second, {**_meta(second), "poses": np.zeros((3, 4, 7))})
    savemat(third, {**_meta(third), "cls_indexes": np.full(_meta(third)["cls_indexes"].shape, 40)})
    third.with_name("000003-box.txt").unlink()
    fourth.with_name("000004-color.jpg").unlink()
    made = _run(root, tmp_path / "out")
    reasons = " | ".join(one.why for one in made.skipped)
    assert "must be a MATLAB file" in reasons
    assert "poses must be" in reasons
    assert "cls_indexes must be classes from 1 to 1, but got 40" in reasons
    assert "-color.jpg or -color.png" in reasons
    assert _kept(tmp_path / "out") == len(frames) - 4


def _meta(path: Path) -> dict[str, Any]:
    return {key: value for key, value in loadmat(path).items() if not key.startswith("_")}


def test_a_broken_annotation_file_of_objectron_is_one_broken_frame(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    root = write_objectron(source, frames)
    (root / "annotations" / "cereal_box" / "batch-1" / "4.pbdata").write_bytes(b"\xff\xff")
    (root / "annotations" / "cereal_box" / "batch-1" / "5.pbdata").write_bytes(b"")
    made = _run(root, tmp_path / "out")
    assert _kept(tmp_path / "out") == len(frames)
    assert len(made.skipped) == 2
    assert all("one of Objectron's annotations" in one.why for one in made.skipped)


def test_a_missing_video_is_named(frames: list[KnownFrame], source: Path, tmp_path: Path) -> None:
    root = write_objectron(source, frames)
    shutil.rmtree(root / "videos")
    with pytest.raises(FixData, match=r"6 of 6 broken.*put 3\.MOV or the folder 3/"):
        _run(root, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_all_frames_need_is_an_error(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    root = write_bop(source, frames)
    (source / "models" / "models_info.json").unlink()
    with pytest.raises(
        FixData, match=r"none beside the split.*--models DATASET/models/models_info\.json"
    ):
        _run(root, tmp_path / "out")
    options = SourceOptions(models=tmp_path / "no.json")
    with pytest.raises(FixData, match=r"no such file: .*no\.json"):
        _run(root, tmp_path / "out", options=options)


def test_the_models_of_ycb_are_needed(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    root = write_ycb(source, frames)
    shutil.move(source / "models", tmp_path / "elsewhere")
    with pytest.raises(FixData, match="give the folder of the models with --models"):
        _run(root, tmp_path / "out")
    made = _run(root, tmp_path / "out", options=SourceOptions(models=tmp_path / "elsewhere"))
    assert made.images == {"train": len(frames)}


def test_what_is_in_no_format_is_refused(tmp_path: Path, frames: list[KnownFrame]) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        FixData, match="one of bop, ycb, objectron, isaac, dope, but got an empty folder"
    ):
        _run(tmp_path / "empty", tmp_path / "out")
    with pytest.raises(FixData, match="no such folder"):
        _run(tmp_path / "lost", tmp_path / "out")
    with pytest.raises(FixData, match="the training layout, which needs no conversion"):
        _run(frames[0].image.parents[1], tmp_path / "out")
    (tmp_path / "empty" / "notes.txt").write_text("nothing")
    with pytest.raises(FixData, match="none of these formats"):
        _run(tmp_path / "empty", tmp_path / "out")
    for name, rule in (
        ("bop", "scene_gt"),
        ("ycb", "meta.mat"),
        ("dope", "JSON"),
        ("objectron", "pbdata"),
    ):
        with pytest.raises(FixData, match=rule):
            _run(tmp_path / "empty", tmp_path / "out", format=name)


def test_a_data_set_of_several_splits_is_refused(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    root = write_bop(source, frames)
    assert _run(source, tmp_path / "out").images == {"train": len(frames)}
    shutil.copytree(root, source / "test")
    with pytest.raises(FixData, match=r"a data set with test, train_pbr.*give one of them"):
        _run(source, tmp_path / "out2")


def test_no_object_of_the_kind_is_an_error_that_says_which_there_are(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    wanted = WantedObjects(kinds=("cup",))
    with pytest.raises(FixData, match="its kinds are obj_000005"):
        _run(write_bop(source, frames), tmp_path / "out", wanted=wanted)
    assert not (tmp_path / "out").exists()


def test_one_category_for_several_kinds_is_refused(
    frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    root = write_dope(source, frames)
    _edit(root / "000002.json", _set("objects.0.class", "mug"))
    wanted = WantedObjects(category="box")
    with pytest.raises(FixInput, match=r"003_cracker_box, mug.*say which is box"):
        _run(root, tmp_path / "out", wanted=wanted)
    wanted = WantedObjects(category="box", kinds=("003_cracker_box",))
    made = _run(root, tmp_path / "out", wanted=wanted)
    assert made.counts.other == {"mug": 1}
