"""The rows of poses against slow computations from their own points."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial import Delaunay
from scipy.spatial.transform import Rotation

from automl.centerpose.evaluation.detections import Detections, GroundTruth
from automl.centerpose.evaluation.evaluator import EvaluationSettings
from automl.centerpose.evaluation.matching import measure
from automl.centerpose.evaluation.metrics import summarise
from automl.centerpose.evaluation.pnp import solve_poses
from automl.centerpose.evaluation.pose_errors import truncation
from automl.centerpose.evaluation.pose_rows import PoseRows, ScoredImages
from automl.centerpose.evaluation.truths import Truths
from automl.data.geometry import GL_FROM_CV, Array
from automl.data.objectron import Annotation
from automl.poses.bootstrap import draws, estimate
from automl.poses.metrics import METRICS
from automl.poses.parquet import read_poses, write_poses
from automl.poses.sample import sample_of
from automl.poses.table import PoseTable

MakeScene = Callable[..., Annotation]
ReadOff = Callable[..., Detections]


@pytest.fixture
def collect(make_scene: MakeScene, read_off: ReadOff) -> Callable[..., tuple[PoseTable, float]]:
    """A table of noisy detections on six scenes, and the score of the same detections."""

    def make(n_objects: int = 2, noise_px: float = 6.0, steps: int = 1) -> tuple[PoseTable, float]:
        settings = EvaluationSettings(num_symmetry=steps)
        rng = np.random.default_rng(1)
        scenes = [make_scene(seed, n_objects=n_objects) for seed in range(6)]
        found = [read_off(scene, rng, noise_px) for scene in scenes]
        # One object an image is not detected at all, where there are several.
        kept = [each.take(torch.arange(max(1, n_objects - 1))) for each in found]
        cameras = [torch.from_numpy(s.intrinsics.matrix()).expand(len(k), 3, 3)
                   for s, k in zip(scenes, kept, strict=True)]  # fmt: skip
        poses, left = solve_poses(Detections.joined(kept), torch.cat(cameras), opencv=False)
        image = torch.arange(6).repeat_interleave(len(kept[0]))[left]
        truths = Truths.of([GroundTruth.of(scene) for scene in scenes], torch.device("cpu"))
        rows = PoseRows(settings, [f"box/{k:03d}.jpg" for k in range(6)])
        rows.add(ScoredImages(poses, image, truths, range(6), scenes))
        score = summarise(measure(poses, image, truths, range(6), settings)).ap50
        return rows.table(), score

    return make


def points(row: PoseTable, name: str, dim: int) -> Array:
    return np.asarray(row.numbers(name)[0].reshape(9, dim))


def turns(row: PoseTable, steps: int) -> list[Array]:
    """The true corners under every turn about the up axis, by scipy's rotations."""
    true = points(row, "true_3d", 3)
    up = true[3] - true[1]  # corner 1 is (-, -, -), corner 3 is (-, +, -)
    axis = up / np.linalg.norm(up)
    angles = [2.0 * np.pi * k / steps for k in range(steps)]
    return [Rotation.from_rotvec(a * axis).apply(true - true[0]) + true[0] for a in angles]


def test_every_object_has_a_row_and_the_missed_ones_no_score(
    collect: Callable[..., tuple[PoseTable, float]],
) -> None:
    table, _ = collect(n_objects=3)
    pairs = set(zip(table["index"].tolist(), table["object"].tolist(), strict=True))
    assert pairs == {(image, number) for image in range(6) for number in range(3)}
    assert int(np.isnan(table.numbers("score")).sum()) == 6


def test_the_rows_give_the_score_of_the_evaluation(
    collect: Callable[..., tuple[PoseTable, float]],
) -> None:
    table, score = collect(noise_px=40.0)
    sample = sample_of(table)
    ap50 = next(metric for metric in METRICS if metric.name == "ap_iou_50")
    found = estimate(ap50.statistic(sample), draws(len(sample.names))).value
    assert 0.0 < score < 1.0
    assert found == pytest.approx(score, abs=1e-12)


@pytest.mark.parametrize("steps", [1, 4])
def test_errors_are_those_of_the_points(
    collect: Callable[..., tuple[PoseTable, float]], steps: int
) -> None:
    table, _ = collect(n_objects=1, steps=steps)
    for k in range(len(table)):
        row = table.take(np.array([k]))
        predicted, true = points(row, "predicted_3d", 3), points(row, "true_3d", 3)
        add = np.mean([np.linalg.norm(p - t) for p, t in zip(predicted, true, strict=True)])
        nearest = np.mean([min(np.linalg.norm(p - t) for t in true) for p in predicted])
        farthest = min(
            max(np.linalg.norm(p - t) for p, t in zip(predicted[1:], turn[1:], strict=True))
            for turn in turns(row, steps)
        )
        assert row.numbers("add_m")[0] == pytest.approx(add, abs=1e-6)
        assert row.numbers("add_s_m")[0] == pytest.approx(nearest, abs=1e-6)
        assert row.numbers("mssd_m")[0] == pytest.approx(farthest, abs=1e-6)


@pytest.mark.parametrize("steps", [1, 4])
def test_pixel_errors_are_those_of_the_projections(
    collect: Callable[..., tuple[PoseTable, float]], steps: int
) -> None:
    table, _ = collect(n_objects=1, steps=steps)
    for k in range(len(table)):
        row = table.take(np.array([k]))
        fx, fy, cx, cy = row.numbers("camera")[0]
        predicted = points(row, "predicted_2d", 2)[1:]
        apart = []
        for turn in turns(row, steps):
            pixels = np.stack(
                [fx * turn[1:, 0] / turn[1:, 2] + cx, fy * turn[1:, 1] / turn[1:, 2] + cy], axis=1
            )
            apart.append([float(np.hypot(*pair)) for pair in pixels - predicted])
        assert row.numbers("mspd_px")[0] == pytest.approx(min(map(max, apart)), abs=1e-3)
        least = min(apart, key=np.mean)
        assert row.numbers("corner_errors_px")[0] == pytest.approx(least, abs=1e-3)


def test_rotation_is_that_between_the_two_frames(
    collect: Callable[..., tuple[PoseTable, float]],
) -> None:
    table, _ = collect(n_objects=1)
    for k in range(len(table)):
        row = table.take(np.array([k]))
        frames = []
        for name in ("true_3d", "predicted_3d"):
            box = points(row, name, 3)
            sides = np.stack([box[5] - box[1], box[3] - box[1], box[2] - box[1]], axis=1)
            frames.append(Rotation.from_matrix(sides / np.linalg.norm(sides, axis=0)))
        vector = np.rad2deg((frames[0].inv() * frames[1]).as_rotvec())
        found = [row.numbers(f"rotation_{axis}_deg")[0] for axis in "xyz"]
        assert found == pytest.approx(vector, abs=1e-3)
        angle = row.numbers("rotation_error_deg")[0]
        assert angle == pytest.approx(np.linalg.norm(vector), abs=1e-3)


def test_facts_are_those_of_the_scene(
    collect: Callable[..., tuple[PoseTable, float]], make_scene: MakeScene
) -> None:
    table, _ = collect(n_objects=1)
    item = make_scene(0).objects[0]
    row = table.take(np.array([0]))
    center = GL_FROM_CV @ item.keypoints_3d[0]
    assert row.numbers("distance_m")[0] == pytest.approx(np.linalg.norm(center))
    assert row.numbers("diameter_m")[0] == pytest.approx(np.linalg.norm(item.scale))
    assert points(row, "true_3d", 3)[0] == pytest.approx(center, abs=1e-6)
    shift = points(row, "predicted_3d", 3)[0] - center
    assert [row.numbers(f"translation_{a}_m")[0] for a in "xyz"] == pytest.approx(shift, abs=1e-6)


def test_truncation_is_the_share_of_the_hull_outside() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        corners = rng.uniform([-100, -100], [500, 700], size=(8, 2))
        low, high = corners.min(axis=0), corners.max(axis=0)
        dots = rng.uniform(low, high, size=(40_000, 2))
        within = dots[Delaunay(corners).find_simplex(dots) >= 0]
        outside = ((within < 0) | (within > [400, 600])).any(axis=1).mean()
        assert truncation(corners, np.array([400.0, 600.0])) == pytest.approx(outside, abs=0.02)
    inside = np.array([[10, 10], [90, 10], [90, 90], [10, 90]] * 2, dtype=float)
    assert truncation(inside, np.array([100.0, 100.0])) == 0.0
    assert truncation(inside + 200, np.array([100.0, 100.0])) == 1.0


def test_a_split_without_a_detection_has_a_table(make_scene: MakeScene, tmp_path: Path) -> None:
    rows = PoseRows(EvaluationSettings(), ["a.jpg"])
    assert len(rows.table()) == 0
    write_poses(tmp_path, rows.table())
    found = read_poses(tmp_path)
    assert found is not None
    assert len(found) == 0


def test_the_file_gives_back_what_was_written(
    collect: Callable[..., tuple[PoseTable, float]], tmp_path: Path
) -> None:
    table, _ = collect(n_objects=3)
    write_poses(tmp_path, table)
    found = read_poses(tmp_path)
    assert found is not None
    assert found["image"].tolist() == table["image"].tolist()
    for name in ("score", "mssd_m", "translation_z_m", "object"):
        np.testing.assert_array_equal(found.numbers(name), table.numbers(name))
    np.testing.assert_allclose(found.numbers("true_3d"), table.numbers("true_3d"), atol=1e-6)
