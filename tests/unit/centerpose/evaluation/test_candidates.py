"""How near the best candidate comes: against loops over objects and candidates one at a time."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from automl.centerpose.evaluation.candidates import candidate_accuracy, candidate_errors
from automl.centerpose.evaluation.detections import Detections, GroundTruth
from automl.centerpose.evaluation.evaluator import EvaluationSettings, Evaluator, ImageMeta
from automl.centerpose.evaluation.metrics import EvaluationResult
from automl.centerpose.evaluation.truths import Truths
from automl.data.geometry import Array, Intrinsics, box_keypoints, project, rotation_about_y
from automl.data.objectron import Annotation, PoseObject

MakeScene = Callable[..., Annotation]
ReadOff = Callable[..., Detections]

CPU = torch.device("cpu")


def turned_corners(scene: Annotation, item: PoseObject, angle: float) -> Array:
    """(8, 2) pixels of an object turned about its own up edge, from its pose."""
    edges = item.keypoints_3d[1:].reshape(2, 2, 2, 3)
    axes = [
        (edges[1] - edges[0]).mean((0, 1)),
        (edges[:, 1] - edges[:, 0]).mean((0, 1)),
        (edges[:, :, 1] - edges[:, :, 0]).mean((0, 1)),
    ]
    frame = np.stack([axis / np.linalg.norm(axis) for axis in axes], axis=1)
    points = box_keypoints(item.scale) @ (frame @ rotation_about_y(angle)).T + item.location
    return project(points, scene.projection, scene.width, scene.height)[1:]


def slow_errors(scene: Annotation, found: Detections, steps: int) -> list[float]:
    """The error of each object of an image."""
    answers = []
    for item in scene.objects:
        corners = turned_corners(scene, item, 0.0)
        diagonal = float(np.hypot(*(corners.max(axis=0) - corners.min(axis=0))))
        best = np.inf
        for k in range(len(found)):
            if found.scores[k] <= 0:
                continue
            for step in range(steps):
                true = turned_corners(scene, item, 2 * np.pi * step / steps)
                off = [np.hypot(*pair) for pair in found.points[k].numpy() - true]
                best = min(best, float(np.mean(off)) / diagonal)
        answers.append(best)
    return answers


def images(
    make_scene: MakeScene, read_off: ReadOff, noise_px: float = 30.0
) -> tuple[list[Annotation], Detections]:
    """Three images with 1, 2 and 3 objects and five candidates each, in any order."""
    rng, scenes, parts = np.random.default_rng(4), [], []
    for seed in range(3):
        scene = make_scene(seed, n_objects=1 + seed)
        found = Detections.joined([read_off(scene, rng, noise_px) for _ in range(5)])
        scenes.append(scene)
        parts.append(found.take(torch.from_numpy(rng.permutation(len(found))[:5])))
    stacked = (torch.stack(same) for same in zip(*(p.fields() for p in parts), strict=True))
    return scenes, Detections(*stacked)


def truths_of(scenes: list[Annotation]) -> Truths:
    return Truths.of([GroundTruth.of(scene) for scene in scenes], CPU)


@pytest.mark.parametrize("steps", [1, 4])
def test_the_errors_are_those_of_a_plain_loop(
    make_scene: MakeScene, read_off: ReadOff, steps: int
) -> None:
    scenes, found = images(make_scene, read_off)
    found.scores[2, 1] = 0.0  # no candidate, though it may be the nearest
    errors = candidate_errors(found, truths_of(scenes), steps)
    accuracy = candidate_accuracy(found, truths_of(scenes), steps)
    assert [len(each) for each in accuracy] == [1, 2, 3]
    for row, scene in enumerate(scenes):
        wanted = slow_errors(scene, found.take(torch.tensor(row)), steps)
        assert errors[row, : len(wanted)].tolist() == pytest.approx(wanted, rel=1e-9)
        assert accuracy[row].tolist() == pytest.approx([max(0.0, 1.0 - x) for x in wanted])


def _meta(scene: Annotation, camera: Intrinsics) -> ImageMeta:
    """An image whose cells are its pixels."""
    return ImageMeta(scene, np.array([400.0, 400.0]), 800.0, camera.matrix())


def scored(scene: Annotation, found: Detections, camera: Intrinsics) -> EvaluationResult:
    evaluator = Evaluator(EvaluationSettings())
    alone = Detections(*(values[None] for values in found.fields()))
    evaluator.add_detections(alone, [_meta(scene, camera)], 800)
    return evaluator.result()


def test_it_does_not_depend_on_the_score_where_precision_does(
    make_scene: MakeScene, read_off: ReadOff, camera: Intrinsics
) -> None:
    scene = make_scene(3, n_objects=2)
    sure = read_off(scene)
    unsure = replace(sure, scores=sure.scores * 1e-3)
    one, other = scored(scene, sure, camera), scored(scene, unsure, camera)
    assert one.ap50 == pytest.approx(1.0)
    assert (other.ap50, other.n_detections) == (0.0, 0)
    for result in (one, other):
        assert result.candidate_accuracy == pytest.approx(1.0, abs=1e-9)


def test_every_object_counts_and_accuracy_falls_with_the_distance(
    make_scene: MakeScene, read_off: ReadOff, camera: Intrinsics
) -> None:
    scene = make_scene(3)
    exact = read_off(scene)
    corners = GroundTruth.of(scene).projected[0, 1:]
    diagonal = float(np.hypot(*(corners.max(axis=0) - corners.min(axis=0))))
    for share in (0.1, 0.4, 0.9, 1.5):
        moved = replace(exact, points=exact.points + torch.tensor([share * diagonal, 0.0]))
        result = scored(scene, moved, camera)
        assert result.candidate_accuracy == pytest.approx(max(0.0, 1.0 - share))
    none = replace(exact, scores=torch.zeros_like(exact.scores))
    assert scored(scene, none, camera).candidate_accuracy == 0.0


def test_a_candidate_that_is_not_finite_is_none(
    make_scene: MakeScene, read_off: ReadOff, camera: Intrinsics
) -> None:
    scene = make_scene(3)
    broken = read_off(scene)
    broken.points[0, 2, 1] = torch.nan
    assert scored(scene, broken, camera).candidate_accuracy == 0.0
    both = Detections.joined([broken, read_off(scene)])
    assert scored(scene, both, camera).candidate_accuracy == pytest.approx(1.0)


def test_without_candidates_nothing_is_known(make_scene: MakeScene) -> None:
    assert Evaluator(EvaluationSettings()).result().candidate_accuracy == 0.0
