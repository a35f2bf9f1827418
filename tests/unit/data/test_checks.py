"""Checks of a split before training."""

import ast
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import automl.data
from automl.data.checks import Purpose, SplitFacts, check_enough, check_split
from automl.data.imagefile import BrokenImage, image_file
from automl.data.overlap import shared_images
from automl.errors import FixInput
from tests.small_data import write_split

WriteFrame = Callable[..., Path]


def test_a_sound_split_is_counted(split: Path, write_frame: WriteFrame) -> None:
    for name in ("a/00000", "a/00001", "b/00000"):
        write_frame(name)
    facts = check_split(split, Purpose(category="cereal_box"))
    assert (facts.images, facts.objects) == (3, 3)
    assert facts.categories == {"cereal_box": 3}
    assert facts.size == (6, 8)
    assert facts.warnings == ()


@pytest.mark.parametrize("rows", [7, 8, 10])
@pytest.mark.parametrize("key", ["projected_cuboid", "keypoints_3d"])
def test_a_wrong_number_of_joints_names_file_and_number(
    split: Path, write_frame: WriteFrame, annotation: dict[str, Any], key: str, rows: int
) -> None:
    row = annotation["objects"][0][key][0]
    annotation["objects"][0][key] = [row] * rows
    path = write_frame(values=annotation).with_suffix(".json")
    with pytest.raises(FixInput, match=f"num_joints mismatch: {rows} rows") as caught:
        check_split(split)
    assert caught.value.where == str(path)
    assert f"objects[0].{key}" in caught.value.rule


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("camera_data", "intrinsics", "fx"), None, r"intrinsics\.fx must be a finite number"),
        (("camera_data", "camera_projection_matrix"), [1.0] * 16, "4 x 4 finite numbers"),
        (("AR_data", "plane_normal"), [0.0, "up", 0.0], r"AR_data\.plane_normal must be 3 finite"),
        (("AR_data",), 3, r"AR_data\.plane_center"),
        (("objects", 0, "scale"), [0.1, float("nan"), 0.1], r"objects\[0\]\.scale"),
        (("objects", 0, "visibility"), True, r"objects\[0\]\.visibility"),
        (("objects", 0, "class"), None, r"objects\[0\]\.class must be text"),
        (("objects", 0, "projected_cuboid"), [[1, 2, 3]] * 9, "9 x 2 finite numbers"),
        (("objects", 0), 7, "objects must be a list"),
        (("objects",), {}, "objects must be a list"),
    ],
)
def test_what_training_cannot_read_is_refused_by_key(
    split: Path,
    write_frame: WriteFrame,
    annotation: dict[str, Any],
    place: tuple[Any, ...],
    value: object,
    message: str,
) -> None:
    target: Any = annotation
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = value
    write_frame(values=annotation)
    with pytest.raises(FixInput, match=message):
        check_split(split)


@pytest.mark.parametrize(("text", "message"), [("{", "must be JSON"), ("[1]", "JSON object")])
def test_a_file_that_is_no_annotation_is_refused(
    split: Path, write_frame: WriteFrame, text: str, message: str
) -> None:
    write_frame().with_suffix(".json").write_text(text)
    with pytest.raises(FixInput, match=message):
        check_split(split)


def test_all_broken_files_are_named_up_to_the_limit(split: Path, write_frame: WriteFrame) -> None:
    for index in range(4):
        write_frame(f"a/{index:05d}").with_suffix(".json").write_text("{")
    with pytest.raises(FixInput) as caught:
        check_split(split, limit_errors=3)
    text = str(caught.value)
    assert [f"{index:05d}.json" in text for index in range(4)] == [True, True, True, False]


def test_an_image_that_is_none_is_refused(split: Path, write_frame: WriteFrame) -> None:
    image = write_frame(content=b"")
    with pytest.raises(FixInput, match="0 bytes") as caught:
        check_split(split)
    assert caught.value.where == str(image)


def test_images_without_annotations_pass_when_none_are_needed(
    split: Path, write_frame: WriteFrame
) -> None:
    write_frame().with_suffix(".json").unlink()
    facts = check_split(split, Purpose(annotated=False, category="shoe"))
    assert (facts.images, facts.objects, facts.warnings) == (1, 0, ())


def test_a_split_without_objects_is_refused(
    split: Path, write_frame: WriteFrame, annotation: dict[str, Any]
) -> None:
    annotation["objects"] = []
    write_frame(values=annotation)
    with pytest.raises(FixInput, match="at least one object"):
        check_split(split)


def test_a_tarball_in_the_place_of_a_folder_is_said(tmp_path: Path) -> None:
    tarball = tmp_path / "val.tar.gz"
    tarball.touch()
    with pytest.raises(FixInput, match=r"a tarball.*extract"):
        check_split(tarball)


def test_a_folder_among_the_images_is_named_where_it_hides_all_of_them(
    split: Path, write_frame: WriteFrame
) -> None:
    image = write_frame("a/00000")
    write_frame("a/00001")
    (image.parent / "labels.old").mkdir()
    with pytest.raises(FixInput, match="must hold at least one image") as caught:
        check_split(split)
    said = f"2 in folders that hold folders too, first {image.parent} with labels.old"
    assert caught.value.got == said


def test_two_images_of_one_annotation_are_a_warning(split: Path, write_frame: WriteFrame) -> None:
    image = write_frame("a/00000")
    image.with_suffix(".JPG").write_bytes(image.read_bytes())
    (warning,) = check_split(split).warnings
    said = "2 images share their annotation with another image of the same name, first "
    assert warning.startswith(said)


def test_what_only_looks_wrong_is_a_warning(
    split: Path, write_frame: WriteFrame, annotation: dict[str, Any]
) -> None:
    write_frame("mypng/00000")
    write_frame("above")
    annotation["camera_data"]["width"] = 600
    write_frame("b/00000", values=annotation)
    annotation["objects"] = []
    write_frame("b/00001", values=annotation)
    warnings = "\n".join(check_split(split, Purpose(category="bottle")).warnings)
    assert f"1 images lie in a folder with sub-folders and are not read, first {split}" in warnings
    assert "1 images repeat their ending" in warnings
    assert "2 images differ in size" in warnings
    assert "1 images hold no object" in warnings
    assert "no object of category bottle, but of cereal_box; the category's name" in warnings


def test_several_sizes_are_a_warning(split: Path, write_frame: WriteFrame) -> None:
    write_frame("a/00000")
    header = b"BM" + bytes(16) + struct.pack("<ii", 6, -10)
    write_frame("a/00001", suffix=".bmp", content=header)
    facts = check_split(split)
    assert facts.sizes == {(6, 8): 1, (6, 10): 1}
    assert any("6 x 8, 6 x 10" in warning for warning in facts.warnings)


@pytest.mark.parametrize(("batch", "gpus", "enough"), [(3, 1, True), (2, 2, False), (3, 0, True)])
def test_a_split_fills_one_batch_on_each_gpu(batch: int, gpus: int, enough: bool) -> None:
    facts = SplitFacts(Path("val"), 3, 3, {}, {}, ())
    if enough:
        check_enough(facts, batch, gpus, "dataset.val_data")
        return
    with pytest.raises(FixInput, match="2 x 2 = 4 images, but got 3 in val") as caught:
        check_enough(facts, batch, gpus, "dataset.val_data")
    assert caught.value.where == "dataset.val_data"


def test_images_that_two_splits_share_are_paired(
    tmp_path: Path, split: Path, write_frame: WriteFrame
) -> None:
    val = tmp_path / "val"
    first = write_frame("a/00000", content=b"\x89PNGsame")
    write_frame("a/00001", content=b"\x89PNGelse")
    write_frame("z/00000", content=b"\x89PNGsame")
    twin = write_frame("b/00007", content=b"\x89PNGsame", root=val)
    write_frame("b/00008", content=b"\x89PNGdiff", root=val)
    write_frame("b/00009", content=b"\x89PNG longer", root=val)
    assert shared_images(split, val) == ((first, twin),)


def jpeg_header(width: int, height: int, marker: int = 0xC0) -> bytes:
    comment = b"\xff\xfe" + struct.pack(">H", 6) + b"text"
    frame = b"\xff\xff" + bytes([marker]) + struct.pack(">HBHHB", 17, 8, height, width, 3)
    return b"\xff\xd8" + comment + frame


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (jpeg_header(600, 800), (600, 800)),
        (jpeg_header(600, 800, 0xC2), (600, 800)),
        (jpeg_header(600, 800)[:-5], None),
        (b"\xff\xd8\x00\x00\x00\x00", None),
        (b"\x89PNG\r\n\x1a\n" + bytes(8), None),
        (b"BM" + bytes(16) + struct.pack("<ii", 0, 5), None),
        (b"GIF89a", None),
        (b"", None),
    ],
)
def test_the_size_is_read_from_the_header(
    tmp_path: Path, content: bytes, size: tuple[int, int] | None
) -> None:
    path = tmp_path / "image"
    path.write_bytes(content)
    if size is None:
        with pytest.raises(BrokenImage):
            image_file(path)
        return
    image = image_file(path)
    assert (image.width, image.height) == size


@pytest.mark.parametrize(
    "module", ["checks", "annotations", "layout", "archive", "untar", "imagefile", "wholeimage"]
)
def test_checking_needs_neither_numpy_nor_opencv(module: str) -> None:
    source = Path(automl.data.__path__[0]) / f"{module}.py"
    imported = {
        name
        for node in ast.walk(ast.parse(source.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    heavy = {"numpy", "cv2", "automl.data.geometry", "automl.data.objectron", "automl.data.opencv"}
    assert not imported & heavy


def test_the_light_check_accepts_what_the_arrays_accept(
    split: Path, write_frame: WriteFrame, annotation: dict[str, Any]
) -> None:
    annotation["objects"][0]["symmetric"] = "True"
    path = write_frame(values=annotation).with_suffix(".json")
    assert check_split(split).objects == len(json.loads(path.read_text())["objects"])


def test_the_folder_above_several_splits_is_no_split(tmp_path: Path) -> None:
    for name in ("train", "val"):
        write_split(tmp_path / name, 2)
    with pytest.raises(FixInput, match="holds the splits train, val") as caught:
        check_split(tmp_path)
    assert str(tmp_path / "train") in caught.value.fix
