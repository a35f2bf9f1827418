"""Properties of rotations and projections over all poses."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from automl.data.geometry import (
    Intrinsics,
    project,
    projection_of,
    quaternion_of,
    rotation_of,
)

PARTS = st.floats(-1.0, 1.0)
QUATERNIONS = st.tuples(PARTS, PARTS, PARTS, PARTS).filter(lambda q: sum(v * v for v in q) > 1e-3)
FOCAL = st.floats(100.0, 2000.0)
CENTRE = st.floats(0.0, 800.0)


@given(QUATERNIONS)
def test_rotation_and_quaternion_are_inverse(quaternion: tuple[float, ...]) -> None:
    rotation = rotation_of(quaternion)
    assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.isclose(np.linalg.det(rotation), 1.0)
    unit = quaternion_of(rotation)
    assert unit[3] >= 0
    assert np.isclose(np.linalg.norm(unit), 1.0)
    assert np.allclose(rotation_of(unit), rotation, atol=1e-12)


@given(FOCAL, FOCAL, CENTRE, CENTRE, st.tuples(st.floats(-3, 3), st.floats(-3, 3)))
def test_projection_is_the_formula_of_its_docstring(
    fx: float, fy: float, cx: float, cy: float, offset: tuple[float, float]
) -> None:
    camera = Intrinsics(fx, fy, cx, cy)
    x, y, z = offset[0], offset[1], -1.5
    projection = projection_of(camera, (600, 800))
    pixel = project(np.array([[x, y, z]]), projection, 600, 800)[0]
    assert np.allclose(pixel, (fx * y / -z + cx, fy * x / -z + cy), atol=1e-6)
