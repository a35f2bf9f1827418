"""Corners in any order, axes that point anywhere, and what is no box."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.data.convert.axes import UP_AXES, rotation_from, upright
from automl.data.convert.cuboid_fit import (
    FACE_BY_FACE,
    MIRRORED,
    box_of_corners,
    pixels_of,
    pose_by_pixels,
    size_by_pixels,
)
from automl.data.convert.frames import BrokenFrame
from automl.data.convert.symmetry import CONTINUOUS_TURNS, UprightSymmetry, upright_symmetry
from automl.data.geometry import (
    CORNER_SIGNS,
    Array,
    Intrinsics,
    box_keypoints,
    rotation_about_y,
    rotation_of,
)

CAMERA = Intrinsics(600.0, 620.0, 300.0, 410.0)
_EDGES = st.floats(0.05, 0.4)
_SIDE = st.floats(-0.3, 0.3)
_SIZES = st.tuples(_EDGES, _EDGES, _EDGES).map(np.array)
_CENTRES = st.tuples(_SIDE, _SIDE, st.floats(1.0, 4.0)).map(np.array)
_TURNS = (
    st.lists(st.floats(-1, 1), min_size=4, max_size=4)
    .filter(lambda values: np.linalg.norm(values) > 0.1)
    .map(rotation_of)
)


@given(rotation=_TURNS, centre=_CENTRES, size=_SIZES)
def test_a_box_is_found_from_its_corners(rotation: Array, centre: Array, size: Array) -> None:
    points = box_keypoints(size) @ rotation.T + centre
    found = box_of_corners(points)
    for value, truth in zip(found, (rotation, centre, size), strict=True):
        assert value == pytest.approx(truth, abs=1e-9)
    assert np.linalg.det(found[0]) == pytest.approx(1.0)


@given(rotation=_TURNS, centre=_CENTRES, size=_SIZES, axis=st.integers(0, 2))
def test_a_mirrored_order_is_no_box(
    rotation: Array, centre: Array, size: Array, axis: int
) -> None:
    mirror = np.ones(3)
    mirror[axis] = -1
    points = np.vstack([np.zeros(3), CORNER_SIGNS * mirror * size / 2]) @ rotation.T + centre
    with pytest.raises(BrokenFrame, match="mirror image"):
        box_of_corners(points)


@pytest.mark.parametrize("spoil", ["flat", "skew"])
def test_what_is_no_box_is_refused(spoil: str) -> None:
    points = box_keypoints((0.2, 0.0 if spoil == "flat" else 0.3, 0.1))
    if spoil == "skew":
        points[1:] += [0.0, 0.0, 0.05] * (points[1:, :1] > 0)
    with pytest.raises(BrokenFrame, match="right-angled box"):
        box_of_corners(points)


@given(rotation=_TURNS, centre=_CENTRES, size=_SIZES, flips=st.integers(0, 7))
def test_the_size_is_found_whatever_axes_the_numbering_runs_against(
    rotation: Array, centre: Array, size: Array, flips: int
) -> None:
    signs = np.array([-1.0 if flips >> axis & 1 else 1.0 for axis in range(3)])
    corners = FACE_BY_FACE * signs * size / 2 @ rotation.T + centre
    found = size_by_pixels(pixels_of(corners, CAMERA), FACE_BY_FACE, CAMERA, (rotation, centre))
    assert found == pytest.approx(signs * size, abs=1e-6)


@given(rotation=_TURNS, centre=_CENTRES, size=_SIZES, mirrored=st.booleans())
def test_the_pose_is_found_from_pixels_and_a_size(
    rotation: Array, centre: Array, size: Array, mirrored: bool
) -> None:
    order = MIRRORED if mirrored else FACE_BY_FACE
    pixels = pixels_of(order * size / 2 @ rotation.T + centre, CAMERA)
    _, place, off = pose_by_pixels(pixels, order, CAMERA, size)
    assert off < 0.05
    assert place == pytest.approx(centre, abs=5e-3)


@pytest.mark.parametrize("up", UP_AXES)
@given(rotation=_TURNS, size=_SIZES)
def test_the_axis_that_points_up_becomes_y(up: str, rotation: Array, size: Array) -> None:
    turned, sides = upright(rotation, size, up)
    assert np.linalg.det(UP_AXES[up]) == pytest.approx(1.0)
    source = np.zeros(3)
    source["xyz".index(up[-1])] = -1.0 if up.startswith("-") else 1.0
    assert turned[:, 1] == pytest.approx(rotation @ source)
    assert sides[1] == size["xyz".index(up[-1])]
    before = {tuple(np.round(point, 9) + 0.0) for point in CORNER_SIGNS * size / 2 @ rotation.T}
    after = {tuple(np.round(point, 9) + 0.0) for point in CORNER_SIGNS * sides / 2 @ turned.T}
    assert len(before) == 8
    assert np.allclose(sorted(before), sorted(after), atol=1e-8)


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (np.zeros(4), "length 0"),
        (np.diag([1.0, 1.0, -1.0]), "mirrors"),
        (np.diag([1.0, 1.0, 1.2]), "stretches"),
    ],
)
def test_what_is_no_rotation_is_refused(values: Array, what: str) -> None:
    with pytest.raises(BrokenFrame, match=what):
        rotation_from(values, "cam_R_m2c")


def test_a_rounded_matrix_becomes_a_rotation() -> None:
    rounded = np.round(rotation_of([0.1, 0.5, -0.3, 0.8]), 4)
    found = rotation_from(rounded, "cam_R_m2c")
    assert found @ found.T == pytest.approx(np.eye(3), abs=1e-12)
    assert found == pytest.approx(rounded, abs=1e-4)


def _about_y(turns: int) -> list[Array]:
    return [rotation_about_y(2 * np.pi * k / turns) for k in range(1, turns)]


@pytest.mark.parametrize(
    ("discrete", "continuous", "expected"),
    [
        ([], [], UprightSymmetry(1)),
        (_about_y(2), [], UprightSymmetry(2)),
        (_about_y(4), [], UprightSymmetry(4)),
        (_about_y(6), [], UprightSymmetry(6)),
        ([np.eye(3)], [], UprightSymmetry(1)),
        ([], [[0, 0, 1]], UprightSymmetry(1, others=True)),
        ([], [[0, -2, 0]], UprightSymmetry(CONTINUOUS_TURNS)),
        ([np.diag([1.0, -1.0, -1.0])], [], UprightSymmetry(1, others=True)),
        (
            [np.diag([1.0, -1.0, -1.0])],
            [[0, 1, 0]],
            UprightSymmetry(CONTINUOUS_TURNS, others=True),
        ),
    ],
)
def test_turns_about_the_upright_axis_are_counted(
    discrete: list[Array], continuous: list[Any], expected: UprightSymmetry
) -> None:
    axes = [np.array(axis, dtype=np.float64) for axis in continuous]
    assert upright_symmetry(np.array([0.0, 1.0, 0.0]), discrete, axes) == expected
