"""How fast a split is scored: prints a table of images a second for each stage.

Run it by hand: ``python tests/bench/evaluation_speed.py [--images 400] [--batch 32]``. Head maps
are drawn from synthetic annotations with some pixels of noise, at the grid of 128 cells that
CenterPose uses, so the number of detections is what a trained network would give.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch

from automl.centerpose.evaluation.decode import decode, to_pixels
from automl.centerpose.evaluation.detections import Detections, GroundTruth, Poses
from automl.centerpose.evaluation.evaluator import detect
from automl.centerpose.evaluation.matching import score_images
from automl.centerpose.evaluation.metrics import EvaluationResult, summarise
from automl.centerpose.evaluation.pnp import solve_poses
from automl.centerpose.evaluation.settings import EvaluationSettings
from automl.data.geometry import (
    Array,
    Intrinsics,
    box_keypoints,
    project,
    projection_of,
    rotation_about_y,
)

CELLS = 128
SIZE = (600, 800)
CAMERA = Intrinsics(640.0, 640.0, 300.0, 400.0)
CENTER = np.array([300.0, 400.0])
SETTINGS = EvaluationSettings()


def scene(rng: np.random.Generator, count: int) -> GroundTruth:
    """Boxes side by side on a plane below the camera."""
    pitch = rng.uniform(0.3, 0.8)
    up, right = np.array([-np.cos(pitch), 0.0, np.sin(pitch)]), np.array([0.0, 1.0, 0.0])
    frame = np.stack([right, up, np.cross(right, up)], axis=1)
    ground = np.array([0.0, 0.0, -rng.uniform(1.0, 1.4)])
    scale = rng.uniform(0.12, 0.3, size=(count, 3))
    points = np.empty((count, 9, 3))
    for k in range(count):
        turn = frame @ rotation_about_y(rng.uniform(-np.pi, np.pi))
        offset = frame @ np.array([0.35 * (k - (count - 1) / 2), scale[k, 1] / 2, 0.0])
        points[k] = box_keypoints(scale[k]) @ turn.T + ground + offset
    matrix = projection_of(CAMERA, SIZE)
    pixels = project(points.reshape(-1, 3), matrix, *SIZE).reshape(count, 9, 2)
    return GroundTruth(
        np.array(SIZE, dtype=np.float64), matrix, ground, up, pixels, points, scale, np.ones(count)
    )


def draw(truths: Sequence[GroundTruth], rng: np.random.Generator) -> dict[str, torch.Tensor]:
    """Head maps of a batch: each object at its cell, noise of two pixels on its corners."""
    channels = {"hm": 1, "hps": 16, "wh": 2, "reg": 2, "scale": 3}
    maps = {name: np.zeros((len(truths), n, CELLS, CELLS)) for name, n in channels.items()}
    maps["hm"] += rng.normal(-6.0, 1.0, size=maps["hm"].shape)
    for image, truth in enumerate(truths):
        corners = truth.projected[:, 1:] + rng.normal(size=(len(truth), 8, 2)) * 2.0
        cells = (corners - CENTER) * CELLS / max(SIZE) + CELLS / 2
        for k, points in enumerate(cells):
            low, high = points.min(axis=0), points.max(axis=0)
            center = np.clip((low + high) / 2, 0, CELLS - 1)
            column, row = center.astype(int)
            maps["hm"][image, 0, row, column] = rng.uniform(0.0, 4.0)
            maps["hps"][image, :, row, column] = (points - [column, row]).ravel()
            maps["wh"][image, :, row, column] = high - low
            maps["reg"][image, :, row, column] = center - [column, row]
            maps["scale"][image, :, row, column] = truth.scale[k] / truth.scale[k, 1]
    return {name: torch.from_numpy(values).float() for name, values in maps.items()}


class Stages:
    """Seconds spent per stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


def run(
    batches: Sequence[tuple[dict[str, torch.Tensor], Sequence[GroundTruth]]], stages: Stages
) -> EvaluationResult:
    """Scores prepared batches, as the evaluator does, with a clock at each stage."""
    intrinsic: Array = CAMERA.matrix()
    images = []
    for maps, truths in batches:
        with stages.timed("decode"):
            found = decode(maps, SETTINGS.num_select)
        with stages.timed("threshold, soft-NMS"):
            kept: list[Detections] = [
                detect(to_pixels(one, CENTER, float(max(SIZE)), CELLS), SETTINGS.score_threshold)
                for one in found
            ]
        with stages.timed("PnP"):
            poses: list[Poses] = [solve_poses(one, intrinsic, opencv=False) for one in kept]
        with stages.timed("matching, 3D IoU"):
            images += score_images(list(zip(poses, truths, strict=True)), SETTINGS)
    with stages.timed("average precision"):
        return summarise(images)


def table(seconds: dict[str, float], n_images: int, show: Callable[[str], None]) -> None:
    rows = [*seconds.items(), ("all", sum(seconds.values()))]
    show(f"{'stage':<22}{'seconds':>10}{'images/s':>12}")
    for stage, spent in rows:
        show(f"{stage:<22}{spent:>10.3f}{n_images / spent:>12.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--most-objects", type=int, default=3)
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    truths = [
        scene(rng, int(rng.integers(1, asked.most_objects + 1))) for _ in range(asked.images)
    ]
    groups = [truths[i : i + asked.batch] for i in range(0, len(truths), asked.batch)]
    batches = [(draw(group, rng), group) for group in groups]
    run(batches[:1], Stages())
    stages = Stages()
    result = run(batches, stages)
    print(
        f"{result.n_images} images, {result.n_objects} objects, {result.n_detections} detections, "
        f"torch threads {torch.get_num_threads()}, AP50 {result.ap50:.4f}\n"
    )
    table(stages.seconds, asked.images, print)


if __name__ == "__main__":
    main()
