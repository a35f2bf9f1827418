"""How fast a split is scored: prints a table of seconds and images a second for each part.

Run it by hand, on a GPU with ``--device cuda``::

    python tests/bench/evaluation_speed.py [--device cuda] [--images 400] [--batch 32]
    python tests/bench/evaluation_speed.py --device cuda --network DLA34 --precision bf16

Head maps are drawn from synthetic annotations with some pixels of noise, at the grid of 128 cells
that CenterPose uses, so the number of detections is what a trained network would give. The first
table waits for the device after each part; the line below it is the evaluator as validation calls
it, with the times that the program waited for the device. With ``--network`` a network of that
type also looks at images of 512 pixels before each batch of maps, which gives the time of a whole
validation but for reading its images.
"""

import argparse
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch

from automl.centerpose.config.model import Backbone, Model
from automl.centerpose.evaluation.decode import decode, to_pixels
from automl.centerpose.evaluation.detections import Detections, GroundTruth
from automl.centerpose.evaluation.evaluator import Evaluator, ImageMeta
from automl.centerpose.evaluation.matching import measure
from automl.centerpose.evaluation.metrics import EvaluationResult, summarise
from automl.centerpose.evaluation.pnp import solve_poses
from automl.centerpose.evaluation.settings import EvaluationSettings
from automl.centerpose.evaluation.suppress import detect
from automl.centerpose.evaluation.truths import Truths
from automl.centerpose.models.build import build_network
from automl.data.geometry import (
    Intrinsics,
    box_keypoints,
    project,
    projection_of,
    quaternion_of,
    rotation_about_y,
)
from automl.data.objectron import Annotation, PoseObject

CELLS = 128
SIZE = (600, 800)
CAMERA = Intrinsics(640.0, 640.0, 300.0, 400.0)
CENTER = np.array([300.0, 400.0])
SETTINGS = EvaluationSettings()


Prepared = tuple[dict[str, torch.Tensor], list[ImageMeta]]
"""Head maps of a batch, and what is known of its images."""


def scene(rng: np.random.Generator, count: int) -> Annotation:
    """Boxes side by side on a plane below the camera."""
    pitch = rng.uniform(0.3, 0.8)
    up, right = np.array([-np.cos(pitch), 0.0, np.sin(pitch)]), np.array([0.0, 1.0, 0.0])
    frame = np.stack([right, up, np.cross(right, up)], axis=1)
    ground = np.array([0.0, 0.0, -rng.uniform(1.0, 1.4)])
    scale = rng.uniform(0.12, 0.3, size=(count, 3))
    matrix = projection_of(CAMERA, SIZE)
    objects = []
    for k in range(count):
        turn = frame @ rotation_about_y(rng.uniform(-np.pi, np.pi))
        offset = frame @ np.array([0.35 * (k - (count - 1) / 2), scale[k, 1] / 2, 0.0])
        points = box_keypoints(scale[k]) @ turn.T + ground + offset
        objects.append(
            PoseObject(
                category="cereal_box",
                name=f"cereal_box_{k}",
                projected_cuboid=project(points, matrix, *SIZE),
                keypoints_3d=points,
                scale=scale[k],
                location=ground + offset,
                quaternion_xyzw=quaternion_of(turn),
                visibility=1.0,
                symmetric=None,
            )
        )
    return Annotation(
        width=SIZE[0],
        height=SIZE[1],
        fx=CAMERA.fx,
        fy=CAMERA.fy,
        cx=CAMERA.cx,
        cy=CAMERA.cy,
        projection=matrix,
        view=np.eye(4),
        plane_center=ground,
        plane_normal=up,
        objects=tuple(objects),
    )


def draw(metas: Sequence[ImageMeta], rng: np.random.Generator) -> dict[str, torch.Tensor]:
    """Head maps of a batch: each object at its cell, noise of two pixels on its corners."""
    channels = {"hm": 1, "hps": 16, "wh": 2, "reg": 2, "scale": 3}
    maps = {name: np.zeros((len(metas), n, CELLS, CELLS)) for name, n in channels.items()}
    maps["hm"] += rng.normal(-6.0, 1.0, size=maps["hm"].shape)
    for image, meta in enumerate(metas):
        truth = GroundTruth.of(meta.annotation)
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
    """Seconds spent per stage, each waited for."""

    def __init__(self, device: torch.device) -> None:
        self.seconds: dict[str, float] = {}
        self._device = device

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        wait(self._device)
        start = time.perf_counter()
        yield
        wait(self._device)
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def by_part(batches: Sequence[Prepared], stages: Stages, device: torch.device) -> None:
    """Scores prepared batches as the evaluator does, with a clock at each part."""
    found = []
    for maps, _ in batches:
        with stages.timed("decode"):
            found.append(decode(maps, SETTINGS.num_select))
    metas = [meta for _, group in batches for meta in group]
    n = len(metas)
    with stages.timed("threshold, soft-NMS"):
        center = torch.as_tensor(np.stack([meta.center for meta in metas]), device=device)
        size = torch.full((n,), float(max(SIZE)), dtype=torch.float64, device=device)
        kept = detect(
            to_pixels(Detections.joined(found), center, size, CELLS), SETTINGS.score_threshold
        )
    with stages.timed("PnP"):
        camera = torch.as_tensor(CAMERA.matrix(), device=device).expand(len(kept.image), 3, 3)
        poses, rows = solve_poses(kept.detections, camera, opencv=False)
    with stages.timed("annotations to the device"):
        truths = Truths.of([GroundTruth.of(meta.annotation) for meta in metas], device)
    with stages.timed("matching, 3D IoU, measures"):
        records = measure(poses, kept.image[rows], truths, range(n), SETTINGS)
    with stages.timed("average precision"):
        summarise(records)


def evaluated(
    batches: Sequence[Prepared], before: Callable[[int], object]
) -> tuple[EvaluationResult, float]:
    """The result of the evaluator and its seconds; ``before`` runs before each batch."""
    evaluator = Evaluator(SETTINGS)
    start = time.perf_counter()
    with torch.inference_mode():
        for maps, metas in batches:
            before(len(metas))
            evaluator.add(maps, metas)
    return evaluator.result(), time.perf_counter() - start


def waits(batches: Sequence[Prepared]) -> int:
    """How often the program waits for the GPU in one evaluation."""
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            evaluated(batches, lambda n: None)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return sum("synchroniz" in str(each.message) for each in caught)


def network_of(
    model_type: str, precision: str, batch: int, device: torch.device
) -> Callable[[int], object]:
    """What shows a network some images."""
    network = build_network(Model(backbone=Backbone(model_type=model_type)))
    network.eval().to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    images = torch.randn(batch, 3, 4 * CELLS, 4 * CELLS, device=device)
    images = images.to(memory_format=torch.channels_last)
    torch.backends.cudnn.benchmark = True
    if precision == "tf32":
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.allow_tf32 = True
    half = precision == "bf16"

    def look(n: int) -> object:
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=half):
            return network(images[:n])

    return look


def table(seconds: dict[str, float], n_images: int) -> None:
    print(f"{'part':<28}{'seconds':>10}{'images/s':>12}")
    for stage, spent in [*seconds.items(), ("all", sum(seconds.values()))]:
        print(f"{stage:<28}{spent:>10.4f}{n_images / spent:>12.0f}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--most-objects", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--network", help="a backbone, such as DLA34")
    parser.add_argument("--precision", choices=("fp32", "tf32", "bf16"), default="fp32")
    return parser.parse_args()


def prepared(asked: argparse.Namespace, device: torch.device) -> list[Prepared]:
    rng = np.random.default_rng(0)
    scenes = [
        scene(rng, int(rng.integers(1, asked.most_objects + 1))) for _ in range(asked.images)
    ]
    metas = [
        ImageMeta(each, CENTER, float(max(SIZE)), CAMERA.matrix(), k)
        for k, each in enumerate(scenes)
    ]
    groups = [metas[i : i + asked.batch] for i in range(0, len(metas), asked.batch)]
    return [
        ({name: values.to(device) for name, values in draw(group, rng).items()}, group)
        for group in groups
    ]


def main() -> None:
    asked = arguments()
    device = torch.device(asked.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    batches = prepared(asked, device)
    by_part(batches, Stages(device), device)
    stages = Stages(device)
    by_part(batches, stages, device)
    result, seconds = min(
        (evaluated(batches, lambda n: None) for _ in range(3)), key=lambda r: r[1]
    )
    print(
        f"{name}, torch {torch.__version__}, {torch.get_num_threads()} threads: "
        f"{result.n_images} images, {result.n_objects} objects, {result.n_detections} detections, "
        f"AP50 {result.ap50:.4f}\n"
    )
    table(stages.seconds, asked.images)
    print(f"\nevaluator, as called: {seconds:.4f} s, {asked.images / seconds:.0f} images/s")
    if device.type == "cuda":
        print(f"waits for the device: {waits(batches)} in {len(batches)} batches and the end")
    if asked.network:
        look = network_of(asked.network, asked.precision, asked.batch, device)
        evaluated(batches, look)
        seconds = min(evaluated(batches, look)[1] for _ in range(3))
        print(f"with {asked.network} in {asked.precision}: {seconds:.4f} s")


if __name__ == "__main__":
    main()
