import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from automl.centerpose.evaluation.baseline import mean_pose, score_mean_pose
from automl.centerpose.evaluation.detections import GroundTruth
from automl.centerpose.evaluation.settings import EvaluationSettings
from automl.data.geometry import rotation_of
from automl.data.objectron import Annotation

MakeScene = Callable[..., Annotation]


def test_the_mean_of_one_object_is_that_object(make_scene: MakeScene) -> None:
    scene = make_scene(0)
    mean, only = mean_pose([scene]), scene.objects[0]
    np.testing.assert_allclose(mean.rotation, rotation_of(only.quaternion_xyzw), atol=1e-12)
    np.testing.assert_allclose(mean.location, only.location, atol=1e-12)
    np.testing.assert_allclose(mean.scale, only.scale)
    poses = mean.poses(GroundTruth.of(scene))
    np.testing.assert_allclose(poses.keypoints_3d[0], only.keypoints_3d, atol=1e-12)
    np.testing.assert_allclose(poses.projected[0], only.projected_cuboid, atol=1e-9)


def test_it_is_perfect_where_every_image_is_the_same(make_scene: MakeScene) -> None:
    scene = make_scene(1)
    result = score_mean_pose([scene] * 3, [scene] * 4, EvaluationSettings())
    assert result.ap50 == 1.0
    assert result.mpe == pytest.approx(0.0, abs=1e-12)


def test_it_is_poor_where_poses_vary(make_scene: MakeScene) -> None:
    train = [make_scene(seed) for seed in range(40)]
    validation = [make_scene(seed) for seed in range(100, 130)]
    result = score_mean_pose(train, validation, EvaluationSettings())
    assert result.n_detections == 30
    assert 0.0 <= result.ap50 < 0.5
    assert result.mpe > 0.02


def test_the_mean_rotation_is_a_rotation(make_scene: MakeScene) -> None:
    rotation = mean_pose([make_scene(seed) for seed in range(20)]).rotation
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1.0)


def test_hidden_objects_do_not_count(make_scene: MakeScene) -> None:
    seen, hidden = make_scene(0), make_scene(1, visibility=0.0)
    np.testing.assert_array_equal(mean_pose([seen, hidden]).location, mean_pose([seen]).location)
    with pytest.raises(ValueError, match="at least one visible object"):
        mean_pose([hidden, dataclasses.replace(seen, objects=())])
