"""Frames, projection and rotations of the Objectron layout."""

import numpy as np
import pytest

from automl.data.geometry import (
    CORNER_SIGNS,
    GL_FROM_CV,
    Intrinsics,
    apply,
    box_keypoints,
    pose_matrix,
    project,
    projection_of,
    quaternion_of,
    rotation_about_y,
    rotation_of,
)

SIZE = (600, 800)
CAMERA = Intrinsics(fx=660.0, fy=650.0, cx=310.0, cy=395.0)


def test_corners_are_in_the_order_of_the_format() -> None:
    order = ["".join("-+"[int(sign > 0)] for sign in corner) for corner in CORNER_SIGNS]
    assert order == ["---", "--+", "-+-", "-++", "+--", "+-+", "++-", "+++"]


def test_box_keypoints_have_the_centre_first_and_the_given_size() -> None:
    keypoints = box_keypoints((0.2, 0.4, 0.6))
    assert np.array_equal(keypoints[0], np.zeros(3))
    assert np.allclose(np.ptp(keypoints, axis=0), (0.2, 0.4, 0.6))
    assert np.allclose(keypoints[1], (-0.1, -0.2, -0.3))


def test_gl_frame_is_a_rotation_and_its_own_inverse() -> None:
    assert np.isclose(np.linalg.det(GL_FROM_CV), 1.0)
    assert np.array_equal(GL_FROM_CV @ GL_FROM_CV, np.eye(3))
    assert np.array_equal(GL_FROM_CV @ np.array([1.0, 2.0, 3.0]), (2.0, 1.0, -3.0))


def test_projection_agrees_with_the_pinhole_camera_of_the_opencv_frame() -> None:
    points = np.array([[0.1, 0.2, 1.0], [-0.3, 0.4, 2.0], [0.0, 0.0, 0.5]])
    homogeneous = points @ CAMERA.matrix().T
    expected = homogeneous[:, :2] / homogeneous[:, 2:]
    pixels = project(points @ GL_FROM_CV.T, projection_of(CAMERA, SIZE), *SIZE)
    assert np.allclose(pixels, expected, atol=1e-9)


def test_device_x_runs_down_the_image_and_device_y_to_its_right() -> None:
    projection = projection_of(Intrinsics(600.0, 800.0, 300.0, 400.0), SIZE)
    pixel = project(np.array([[0.25, 0.0, -1.0], [0.0, 0.25, -1.0]]), projection, *SIZE)
    assert np.allclose(pixel, [[300.0, 600.0], [450.0, 400.0]])


def test_rotation_about_y_turns_z_towards_x() -> None:
    assert np.allclose(rotation_about_y(np.pi / 2) @ (0.0, 0.0, 1.0), (1.0, 0.0, 0.0))


@pytest.mark.parametrize("quaternion", [(0.0, 0.0, 0.0, 0.0), (float("nan"), 0.0, 0.0, 1.0)])
def test_a_quaternion_without_direction_is_refused(quaternion: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="non-zero quaternion"):
        rotation_of(quaternion)


def test_a_rigid_motion_rotates_and_then_moves() -> None:
    motion = pose_matrix(rotation_about_y(np.pi / 2), (1.0, -2.0, 3.0))
    assert np.allclose(apply(motion, np.array([[0.0, 0.0, 1.0]])), [[2.0, -2.0, 3.0]])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_half_turns_have_an_exact_quaternion(axis: int) -> None:
    signs = -np.ones(3)
    signs[axis] = 1
    quaternion = quaternion_of(np.diag(signs))
    assert np.allclose(np.abs(quaternion), np.eye(4)[axis])
