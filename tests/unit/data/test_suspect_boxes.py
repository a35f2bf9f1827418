"""Labels that disagree with themselves are found, and the usual causes named."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from automl.data.geometry import Intrinsics, box_keypoints, project, projection_of, rotation_of
from automl.data.objectron import Annotation, PoseObject
from automl.data.suspects.boxes import check_boxes
from automl.data.suspects.corners import ORDERS, handedness
from automl.data.suspects.finding import Certainty, Finding, FindingKind

CAMERA = Intrinsics(700.0, 700.0, 300.0, 400.0)
SIZE = (600, 800)
PROJECTION = projection_of(CAMERA, SIZE)
EDGES = np.array([0.19, 0.30, 0.06])
TURN = np.array([0.4, -0.5, 0.2, 0.7])
LOCATION = np.array([0.05, -0.04, -0.9])


def labelled(
    scale: np.ndarray = EDGES, turn: np.ndarray = TURN, location: np.ndarray = LOCATION
) -> PoseObject:
    """An object whose three accounts agree."""
    points = box_keypoints(scale) @ rotation_of(turn).T + location
    return PoseObject(
        "cereal_box", "box_0", project(points, PROJECTION, *SIZE), points, scale, location, turn,
        1.0, False,
    )  # fmt: skip


def sheet(*items: PoseObject) -> Annotation:
    return Annotation(
        *SIZE, CAMERA.fx, CAMERA.fy, CAMERA.cx, CAMERA.cy, PROJECTION, np.eye(4),
        np.array([-0.15, 0.0, -0.9]), np.array([1.0, 0.0, 0.0]), items,
    )  # fmt: skip


def only(item: PoseObject) -> Finding:
    (found,) = check_boxes(Path("a/0.json"), sheet(item))
    assert found.fix
    assert found.path == Path("a/0.json")
    return found


def test_labels_that_agree_are_left_alone() -> None:
    assert list(check_boxes(Path("x"), sheet(labelled(), labelled(EDGES * 2)))) == []
    assert list(check_boxes(Path("x"), sheet())) == []


def test_whole_pixels_and_what_real_labels_are_off_by_are_no_fault() -> None:
    item = labelled()
    whole = np.rint(item.projected_cuboid)
    off = item.projected_cuboid + np.array([1.2, -1.2])  # 1.7 px
    assert list(check_boxes(Path("x"), sheet(*(
        replace(item, projected_cuboid=pixels) for pixels in (whole, off)
    )))) == []  # fmt: skip


@pytest.mark.parametrize(("shift", "certainty"), [(4.0, "likely"), (25.0, "sure")])
def test_a_keypoint_that_is_off_is_found(shift: float, certainty: str) -> None:
    item = labelled()
    pixels = item.projected_cuboid.copy()
    pixels[3, 0] += shift
    found = only(replace(item, projected_cuboid=pixels))
    assert (found.kind, found.certainty.value, found.number) == (FindingKind.BOX, certainty, 0)
    assert f"{shift:.1f} px" in found.what


def _rows(words: str) -> np.ndarray:
    return next(order.rows for order in ORDERS if order.words == words)


def _mirrored(item: PoseObject) -> PoseObject:
    rows = _rows("x reversed")
    return replace(
        item, projected_cuboid=item.projected_cuboid[rows], keypoints_3d=item.keypoints_3d[rows]
    )


def _in_scale(factor: float) -> Callable[[PoseObject], PoseObject]:
    return lambda item: replace(item, scale=item.scale * factor)


CAUSES: list[tuple[Callable[[PoseObject], PoseObject], FindingKind, str]] = [
    (_mirrored, FindingKind.ORDER, "the corners are mirrored (x reversed)"),
    (
        lambda o: replace(o, projected_cuboid=o.projected_cuboid[_rows("y and z swapped")]),
        FindingKind.ORDER,
        "mirrored (y and z swapped)",
    ),
    (
        lambda o: replace(o, projected_cuboid=o.projected_cuboid[_rows("x and z reversed")]),
        FindingKind.ORDER,
        "in another order (x and z reversed)",
    ),
    (
        lambda o: replace(o, projected_cuboid=o.projected_cuboid * [-1, 1] + [600, 0]),
        FindingKind.ORDER,
        "of the image flipped",
    ),
    (
        lambda o: replace(o, projected_cuboid=o.projected_cuboid[:, ::-1]),
        FindingKind.BOX,
        "x and y of the keypoints are swapped",
    ),
    (
        lambda o: replace(o, projected_cuboid=o.projected_cuboid / 2),
        FindingKind.BOX,
        "of an image 0.5 times as large",
    ),
    (_in_scale(100.0), FindingKind.UNITS, "scale is 100 times too large (centimetres?)"),
    (_in_scale(0.001), FindingKind.UNITS, "scale is 1000 times too small"),
    (
        lambda o: replace(o, location=o.location * 1000),
        FindingKind.UNITS,
        "location is 1000 times too large (millimetres?)",
    ),
    (
        lambda o: replace(o, location=o.location * 100, scale=o.scale * 100),
        FindingKind.UNITS,
        "scale and location are 100 times too large",
    ),
    (
        lambda o: replace(o, keypoints_3d=o.keypoints_3d * 100),
        FindingKind.UNITS,
        "keypoints_3d are 100 times too large",
    ),
    (
        lambda o: replace(o, scale=o.scale[[2, 1, 0]]),
        FindingKind.BOX,
        "edges of scale are in another order",
    ),
    (
        lambda o: replace(o, quaternion_xyzw=np.roll(o.quaternion_xyzw, 1)),
        FindingKind.BOX,
        "the quaternion has w first",
    ),
    (
        lambda o: replace(o, quaternion_xyzw=o.quaternion_xyzw * [-1, -1, -1, 1]),
        FindingKind.BOX,
        "the rotation is the inverse one",
    ),
    (
        lambda o: replace(o, keypoints_3d=o.keypoints_3d * [1, 1, -1], location=-o.location),
        FindingKind.BOX,
        "behind the camera",
    ),
]


@pytest.mark.parametrize(("broken", "kind", "words"), CAUSES, ids=[words for *_, words in CAUSES])
def test_the_usual_causes_are_named(
    broken: Callable[[PoseObject], PoseObject], kind: FindingKind, words: str
) -> None:
    found = only(broken(labelled()))
    assert (found.kind, found.certainty) == (kind, Certainty.SURE)
    assert words in found.what


def test_keypoints_mirrored_with_their_box_are_found_by_their_handedness() -> None:
    """A cube looks the same in a mirror, so only the order of its corners can tell."""
    item = _mirrored(labelled(np.full(3, 0.2)))
    assert handedness(item.keypoints_3d) == pytest.approx(-1.0)
    assert only(item).kind is FindingKind.ORDER


def test_the_orders_are_all_different_and_half_of_them_mirror() -> None:
    assert len({tuple(order.rows) for order in ORDERS}) == 47
    assert sum(order.mirrored for order in ORDERS) == 24
    points = box_keypoints(EDGES)
    for order in ORDERS:
        assert (handedness(points[order.rows]) < 0) == order.mirrored
