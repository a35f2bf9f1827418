from collections.abc import Callable

import numpy as np
import pytest
import torch

from automl.centerpose.evaluation.detections import Detections, GroundTruth
from automl.centerpose.evaluation.pnp import solve_pnp, solve_poses
from automl.data.geometry import GL_FROM_CV, Array, Intrinsics, box_keypoints, rotation_of
from automl.data.objectron import Annotation

MakeScene = Callable[..., Annotation]
ReadOff = Callable[..., Detections]

ROTATION = rotation_of([0.2, -0.4, 0.1, 0.9])
TRANSLATION = np.array([0.1, -0.2, 3.0])
SCALE = np.array([0.6, 1.0, 0.8])


def solve_pose(points: Array, scale: Array, intrinsic: Array) -> tuple[Array, Array] | None:
    """The pose of one box, if it has one."""
    values = (
        torch.from_numpy(np.asarray(each, float)[None]) for each in (points, scale, intrinsic)
    )
    rotation, translation, solved = solve_pnp(*values)
    return (rotation[0].numpy(), translation[0].numpy()) if bool(solved[0]) else None


def cameras(camera: Intrinsics, count: int) -> torch.Tensor:
    return torch.from_numpy(camera.matrix()).expand(count, 3, 3)


def pixels(camera: Intrinsics, translation: Array = TRANSLATION) -> Array:
    points = box_keypoints(SCALE)[1:] @ ROTATION.T + translation
    image = points @ camera.matrix().T
    return np.asarray(image[:, :2] / image[:, 2:])


@pytest.mark.parametrize("absent", [0, 1, 2, 3])
def test_five_exact_points_or_more_give_the_pose(camera: Intrinsics, absent: int) -> None:
    points = pixels(camera)
    points[[0, 3, 5][:absent], 1] = -10000.0
    pose = solve_pose(points, SCALE, camera.matrix())
    assert pose is not None
    tolerance = 1e-6 if absent <= 2 else 1e-2
    np.testing.assert_allclose(pose[0], ROTATION, atol=tolerance)
    np.testing.assert_allclose(pose[1], TRANSLATION, atol=tolerance)


def test_four_points_give_a_pose_that_is_near(camera: Intrinsics) -> None:
    points = pixels(camera)
    points[[0, 3, 5, 6], 0] = -10000.0
    pose = solve_pose(points, SCALE, camera.matrix())
    assert pose is not None
    np.testing.assert_allclose(pose[1], TRANSLATION, atol=0.2)


def test_three_points_give_none(camera: Intrinsics) -> None:
    points = pixels(camera)
    points[:5] = -10000.0
    assert solve_pose(points, SCALE, camera.matrix()) is None


@pytest.mark.parametrize(
    ("points", "scale"),
    [
        (np.full((8, 2), np.nan), SCALE),
        (np.ones((8, 2)), np.array([np.inf, 1.0, 1.0])),
        (np.ones((8, 2)), np.array([0.0, 1.0, 1.0])),
    ],
    ids=["points not finite", "size not finite", "flat box"],
)
def test_what_cannot_be_solved_gives_none(camera: Intrinsics, points: Array, scale: Array) -> None:
    assert solve_pose(points, scale, camera.matrix()) is None


def test_a_pose_behind_the_camera_is_rejected(camera: Intrinsics) -> None:
    """Points mirrored through the principal point are those of a box behind the camera."""
    behind = pixels(camera, np.array([0.1, -0.2, -3.0]))
    assert solve_pose(behind, SCALE, camera.matrix()) is None


def test_the_size_is_known_up_to_the_unit_of_the_scale(camera: Intrinsics) -> None:
    pose = solve_pose(pixels(camera), 10.0 * SCALE, camera.matrix())
    assert pose is not None
    np.testing.assert_allclose(pose[1], 10.0 * TRANSLATION, rtol=1e-6)


def test_poses_are_in_the_frame_of_annotations(
    make_scene: MakeScene, read_off: ReadOff, camera: Intrinsics
) -> None:
    scene = make_scene(4, n_objects=2)
    truth = GroundTruth.of(scene)
    poses, rows = solve_poses(read_off(scene), cameras(camera, 2), opencv=False)
    assert rows.tolist() == [0, 1]
    height = truth.scale[:, 1]
    np.testing.assert_allclose(
        poses.keypoints_3d.numpy() * height[:, None, None], truth.keypoints_3d, atol=1e-6
    )
    np.testing.assert_allclose(poses.projected[:, 1:], truth.projected[:, 1:], atol=1e-3)
    np.testing.assert_allclose(
        poses.projected[:, 0], truth.projected[:, 1:].mean(axis=1), atol=1e-3
    )


def test_opencv_frame_is_the_other_one(
    make_scene: MakeScene, read_off: ReadOff, camera: Intrinsics
) -> None:
    found = read_off(make_scene(4, n_objects=2))
    gl, cv = (solve_poses(found, cameras(camera, 2), opencv=f)[0] for f in (False, True))
    np.testing.assert_allclose(cv.keypoints_3d.numpy() @ GL_FROM_CV.T, gl.keypoints_3d, atol=1e-12)
    np.testing.assert_allclose(
        gl.keypoints_3d,
        np.array([box_keypoints(s.numpy()) for s in gl.scale])
        @ gl.rotation.numpy().transpose(0, 2, 1)
        + gl.translation.numpy()[:, None],
        atol=1e-12,
    )
    assert (gl.translation[:, 2] < 0).all()
    assert (cv.translation[:, 2] > 0).all()
    np.testing.assert_array_equal(gl.projected, cv.projected)


def test_detections_without_a_pose_are_left_out(
    make_scene: MakeScene, read_off: ReadOff, camera: Intrinsics
) -> None:
    found = read_off(make_scene(4, n_objects=2))
    found.points[0] = -10000.0
    poses, rows = solve_poses(found, cameras(camera, 2), opencv=False)
    assert rows.tolist() == [1]
    assert poses.scores.tolist() == [found.scores[1]]
    nothing = found.take(torch.zeros(2, dtype=torch.bool))
    none, _ = solve_poses(nothing, cameras(camera, 0), opencv=False)
    assert none.keypoints_3d.shape == (0, 9, 3)
    assert none.projected.shape == (0, 9, 2)
