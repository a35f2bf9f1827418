import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch

from automl.centerpose.evaluation import measures
from automl.centerpose.evaluation.boxes import Boxes, keypoints_of, rotated_about_up
from automl.centerpose.evaluation.boxes import fit_boxes as fitted
from automl.centerpose.evaluation.detections import Detections, GroundTruth, Poses
from automl.centerpose.evaluation.evaluator import Evaluator
from automl.centerpose.evaluation.matching import Record, assign
from automl.centerpose.evaluation.pnp import solve_poses
from automl.centerpose.evaluation.settings import EvaluationSettings
from automl.centerpose.evaluation.truths import Truths
from automl.data.geometry import Array, Intrinsics, box_keypoints
from automl.data.objectron import Annotation

MakeScene = Callable[..., Annotation]
ReadOff = Callable[..., Detections]


def t(values: npt.ArrayLike) -> torch.Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.float64))


def fit_boxes(points: Array) -> Boxes:
    return fitted(t(points))


def score_images(
    pairs: list[tuple[Poses, GroundTruth]], settings: EvaluationSettings
) -> list[Record]:
    """The records of images of which the poses are known."""
    evaluator = Evaluator(settings)
    evaluator.add_poses(*zip(*pairs, strict=True))
    return evaluator.records()


def of(record: Record, name: str) -> Array:
    """The values of one measure."""
    return record.measured[:, [measure.name for measure in measures.MEASURES].index(name)]


def nearest(poses: Poses, truth: GroundTruth) -> tuple[list[int], list[bool]]:
    """The object that each detection goes to, and whether it is visible."""
    image = torch.zeros(len(poses), dtype=torch.long)
    index, visible = assign(poses, image, Truths.of([truth], torch.device("cpu")))
    return index.tolist(), visible.tolist()


def turned_projections(truth: GroundTruth, steps: int) -> Array:
    """(steps, M, 9, 2) pixels of one image's objects."""
    count = len(truth)
    return measures.turned_projections(
        t(truth.keypoints_3d),
        t(truth.projection).expand(count, 4, 4),
        t(truth.size).expand(count, 2),
        steps,
    ).numpy()


def exact(truth: GroundTruth) -> Poses:
    """The ground truth as detections, in metres."""
    count = len(truth)
    return Poses(
        scores=t(np.linspace(0.9, 0.5, count)),
        rotation=t(np.tile(np.eye(3), (count, 1, 1))),
        translation=t(truth.keypoints_3d[:, 0]),
        scale=t(truth.scale),
        keypoints_3d=t(truth.keypoints_3d),
        projected=t(truth.projected),
    )


def turned(truth: GroundTruth, angle: float, projected: Array) -> Poses:
    """The ground truth turned about its up axes, seen at the given pixels."""
    boxes = rotated_about_up(fit_boxes(truth.keypoints_3d), angle)
    return dataclasses.replace(
        exact(truth), keypoints_3d=keypoints_of(boxes), projected=t(projected)
    )


def test_an_image_counts_if_one_object_is_visible_inside_and_ahead(
    make_scene: MakeScene,
) -> None:
    truth = GroundTruth.of(make_scene(1))
    assert truth.counts(0.1)
    assert not dataclasses.replace(truth, visibility=np.array([0.1])).counts(0.1)
    behind = truth.keypoints_3d * np.array([1.0, 1.0, -1.0])
    assert not dataclasses.replace(truth, keypoints_3d=behind).counts(0.1)
    for border in ([0.0, 10.0], [600.0, 10.0], [10.0, 0.0], [10.0, 800.0]):
        outside = truth.projected.copy()
        outside[0, 0] = border
        assert not dataclasses.replace(truth, projected=outside).counts(0.1)


def test_an_image_without_objects_does_not_count(make_scene: MakeScene) -> None:
    assert not GroundTruth.of(make_scene(1, n_objects=0)).counts(0.1)


def test_each_detection_goes_to_the_nearest_object_also_when_it_is_shared(
    make_scene: MakeScene,
) -> None:
    truth = GroundTruth.of(make_scene(2, n_objects=3))
    poses = exact(truth).take(torch.tensor([2, 0, 1, 1]))
    assert nearest(poses, truth)[0] == [2, 0, 1, 1]
    (record,) = score_images([(poses, truth)], EvaluationSettings())
    np.testing.assert_allclose(of(record, measures.PIXEL_ERROR), 0.0, atol=1e-12)


def test_a_far_detection_is_still_compared_with_the_nearest_object(
    make_scene: MakeScene,
) -> None:
    truth = GroundTruth.of(make_scene(2))
    moved = t(truth.projected + np.array([300.0, 0.0]))
    poses = dataclasses.replace(exact(truth), projected=moved)
    assert nearest(poses, truth) == ([0], [True])
    (record,) = score_images([(poses, truth)], EvaluationSettings())
    # Half the image's width of 600 pixels.
    np.testing.assert_allclose(of(record, measures.PIXEL_ERROR), 0.5)


@pytest.mark.parametrize(("visibility", "seen"), [(0.05, False), (0.1, True), (0.5, True)])
def test_the_nearest_object_may_be_hidden(
    make_scene: MakeScene, visibility: float, seen: bool
) -> None:
    truth = GroundTruth.of(make_scene(2, n_objects=2))
    truth = dataclasses.replace(truth, visibility=np.array([visibility, 1.0]))
    assert nearest(exact(truth), truth) == ([0, 1], [seen, True])


def test_nearness_is_in_image_sides_not_in_pixels(make_scene: MakeScene) -> None:
    """45 pixels down are 0.056 of the height, 43 to the right 0.072 of the width."""
    truth = GroundTruth.of(make_scene(2))
    here = truth.projected[0]
    both = dataclasses.replace(
        truth,
        projected=np.stack([here + np.array([43.0, 0.0]), here + np.array([0.0, 45.0])]),
        keypoints_3d=np.tile(truth.keypoints_3d, (2, 1, 1)),
        scale=np.tile(truth.scale, (2, 1)),
        visibility=np.ones(2),
    )
    assert nearest(exact(truth), both)[0] == [1]


def test_the_ground_plane_gives_metres_back(make_scene: MakeScene) -> None:
    truth = GroundTruth.of(make_scene(3, n_objects=2))
    for factor in (0.2, 7.0):
        plane = (t(each).expand(2, 3) for each in (truth.plane_center, truth.plane_normal))
        points = measures.on_ground(t(truth.keypoints_3d * factor), *plane)
        np.testing.assert_allclose(points, truth.keypoints_3d, atol=1e-12)


def test_a_box_at_the_cameras_height_is_not_scaled() -> None:
    points = box_keypoints([0.0, 0.0, 1.0])[None] + np.array([0.0, 0.0, -3.0])
    up = np.array([-1.0, 0.0, 0.0])
    same = measures.on_ground(t(points), t(-up[None]), t(up[None]))
    np.testing.assert_array_equal(same, points)


def test_absolute_sizes_are_left_as_they_are(make_scene: MakeScene) -> None:
    truth = GroundTruth.of(make_scene(3))
    half = dataclasses.replace(exact(truth), keypoints_3d=t(truth.keypoints_3d * 0.5))
    relative, absolute = (
        score_images([(half, truth)], EvaluationSettings(absolute_scale=flag))[0]
        for flag in (False, True)
    )
    assert of(relative, measures.IOU_3D)[0] == pytest.approx(1.0, abs=1e-7)
    assert of(absolute, measures.IOU_3D)[0] < 0.2
    assert of(absolute, "add_m")[0] > 0.3


def test_the_truth_itself_has_no_error(make_scene: MakeScene) -> None:
    truth = GroundTruth.of(make_scene(5, n_objects=3))
    scores = score_images([(exact(truth), truth)], EvaluationSettings())[0]
    assert scores.matched.all()
    for measure in measures.MEASURES:
        best = 1.0 if measure.name == measures.IOU_3D else 0.0
        np.testing.assert_allclose(of(scores, measure.name), best, atol=1e-6)
    np.testing.assert_allclose(np.diag(scores.overlaps), 1.0, atol=1e-7)


def test_azimuth_and_polar_angles_are_those_of_the_turn(make_scene: MakeScene) -> None:
    truth = GroundTruth.of(make_scene(6))
    azimuth, polar = measures.viewpoint_errors(
        turned(truth, np.radians(25.0), truth.projected).keypoints_3d, t(truth.keypoints_3d), 1
    )
    np.testing.assert_allclose(azimuth, 25.0)
    np.testing.assert_allclose(polar, 0.0, atol=1e-9)


@pytest.mark.parametrize(
    ("angle", "steps", "expected"),
    [(350.0, 1, 10.0), (95.0, 4, 5.0), (85.0, 4, 5.0), (45.0, 4, 45.0)],
)
def test_azimuth_counts_modulo_the_symmetry(
    make_scene: MakeScene, angle: float, steps: int, expected: float
) -> None:
    truth = GroundTruth.of(make_scene(6))
    poses = turned(truth, np.radians(angle), truth.projected)
    azimuth, _ = measures.viewpoint_errors(poses.keypoints_3d, t(truth.keypoints_3d), steps)
    np.testing.assert_allclose(azimuth, expected)


def test_a_symmetric_turn_costs_no_pixels(make_scene: MakeScene) -> None:
    """Symmetric turns are those of a square column: the corners change places only."""
    scene = make_scene(6)
    column = dataclasses.replace(scene.objects[0], scale=np.array([0.2, 0.3, 0.2]))
    axes = fit_boxes(column.keypoints_3d[None]).half[0].numpy()
    axes = axes / np.linalg.norm(axes, axis=0)
    points = box_keypoints(column.scale) @ axes.T + column.location
    column = dataclasses.replace(column, keypoints_3d=points)
    truth = GroundTruth.of(dataclasses.replace(scene, objects=(column,)))
    pixels = turned_projections(truth, 4)
    poses = turned(truth, np.pi / 2.0, pixels[1])
    plain, symmetric = (
        score_images([(poses, truth)], EvaluationSettings(num_symmetry=steps))[0]
        for steps in (1, 4)
    )
    assert of(plain, measures.PIXEL_ERROR)[0] > 0.01
    assert of(symmetric, measures.PIXEL_ERROR)[0] == pytest.approx(0.0, abs=1e-9)


def test_pixels_are_measured_against_the_keypoints_in_3d(make_scene: MakeScene) -> None:
    """The annotated pixels say which object is meant; they may be off by what an annotator is."""
    truth = GroundTruth.of(make_scene(2))
    perfect = exact(truth)
    off = dataclasses.replace(truth, projected=truth.projected + np.array([6.0, 0.0]))
    (record,) = score_images([(perfect, off)], EvaluationSettings())
    assert of(record, measures.PIXEL_ERROR)[0] == pytest.approx(0.0, abs=1e-12)
    as_annotated = dataclasses.replace(perfect, projected=t(off.projected))
    (record,) = score_images([(as_annotated, off)], EvaluationSettings())
    assert of(record, measures.PIXEL_ERROR)[0] == pytest.approx(6.0 / 600.0)


def test_add_s_looks_for_the_true_point_nearest_to_each_predicted_one() -> None:
    truth = t(np.zeros((1, 9, 3)))
    truth[0, 1] = t([3.0, 0.0, 0.0])
    add, add_s = measures.point_errors(t(np.zeros((1, 9, 3))), truth)
    # Every predicted point lies on a true one; that one true point is far from all is no matter.
    np.testing.assert_allclose(add, 3.0 / 9.0)
    np.testing.assert_allclose(add_s, 0.0)


def test_add_s_takes_the_nearest_point(make_scene: MakeScene) -> None:
    truth = GroundTruth.of(make_scene(7))
    poses = turned(truth, np.pi, truth.projected)
    add, add_s = measures.point_errors(poses.keypoints_3d, t(truth.keypoints_3d))
    # A half turn puts every corner onto another one; the centre stays.
    base = np.hypot(truth.scale[0, 0], truth.scale[0, 2])
    np.testing.assert_allclose(add, 8.0 / 9.0 * base)
    np.testing.assert_allclose(add_s, 0.0, atol=1e-9)


def test_scale_errors_are_relative_to_the_height() -> None:
    errors = measures.scale_errors(t([[1.0, 2.0, 3.0]]), t([[0.2, 0.2, 0.3]]))
    # Predicted proportions 0.5, 1, 1.5 against 1, 1, 1.5.
    np.testing.assert_allclose(errors, [0.5])


def test_images_are_measured_independently(
    make_scene: MakeScene, read_off: ReadOff, camera: Intrinsics
) -> None:
    rng = np.random.default_rng(0)
    pairs = []
    for seed in range(4):
        scene = make_scene(seed, n_objects=1 + seed % 2)
        found = read_off(scene, rng, 5.0)
        if seed == 2:
            found = found.take(torch.zeros(len(found), dtype=torch.bool))
        matrices = t(camera.matrix()).expand(len(found), 3, 3)
        pairs.append((solve_poses(found, matrices, opencv=False)[0], GroundTruth.of(scene)))
    together = score_images(pairs, EvaluationSettings())
    alone = [score_images([pair], EvaluationSettings())[0] for pair in pairs]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one.overlaps, other.overlaps, atol=1e-12)
        np.testing.assert_allclose(one.measured, other.measured, atol=1e-9)
