"""Targets drawn from annotations, taken for a network's answer, must score perfectly."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from automl.centerpose.batches.augment import Views
from automl.centerpose.batches.objects import objects_of
from automl.centerpose.batches.targets import Arrays, draw_targets
from automl.centerpose.config.dataset import Dataset
from automl.centerpose.evaluation.evaluator import EvaluationSettings, Evaluator, ImageMeta
from automl.centerpose.evaluation.metrics import EvaluationResult
from automl.data.objectron import Annotation, list_frames, read_annotation
from automl.data.synth.make import synthesise
from automl.data.synth.request import MODERATE, SynthRequest

MakeScene = Callable[..., Annotation]


def as_maps(targets: Arrays, cells: int, row: int) -> dict[str, torch.Tensor]:
    """One image's targets as head maps: heat as logits, the rest written at the centres."""
    heat = np.clip(targets["hm"][row].astype(np.float64), 1e-6, 1.0 - 1e-6)
    maps = {"hm": np.log(heat / (1.0 - heat))}
    present = np.flatnonzero(targets["reg_mask"][row])
    where = targets["ind"][row][present]
    for name in ("hps", "wh", "reg", "scale"):
        values = targets[name][row][present]
        flat = np.zeros((values.shape[1], cells * cells))
        flat[:, where] = values.T
        maps[name] = flat.reshape(-1, cells, cells)
    return {name: torch.from_numpy(values[None]).float() for name, values in maps.items()}


def score(
    scenes: list[Annotation],
    settings: Dataset,
    views: Views,
    *,
    row: int = 0,
    num_symmetry: int = 1,
) -> EvaluationResult:
    evaluator = Evaluator(
        EvaluationSettings(absolute_scale=settings.use_absolute_scale, num_symmetry=num_symmetry)
    )
    grids = views.to_square(settings.output_res)
    drawn = draw_targets(objects_of(scenes, settings), grids, views.flipped, settings)
    for i, scene in enumerate(scenes):
        targets = {name: value[i].numpy() for name, value in drawn.items()}
        size = float(views.size[i])
        meta = ImageMeta(scene, views.center[i], size, scene.intrinsics.matrix(), i)
        evaluator.add(as_maps(targets, settings.output_res, row), [meta])
    return evaluator.result()


def whole(scenes: list[Annotation]) -> Views:
    return Views.whole(np.array([(scene.width, scene.height) for scene in scenes]))


@pytest.mark.parametrize("cells", [32, 64, 128])
def test_targets_lose_nothing_at_any_resolution(make_scene: MakeScene, cells: int) -> None:
    scenes = [make_scene(seed, n_objects=1 + seed % 2) for seed in range(10)]
    result = score(scenes, replace(Dataset(), output_res=cells), whole(scenes))
    assert result.ap50 == pytest.approx(1.0)
    assert result.one_to_one.ap75 == pytest.approx(1.0)
    assert result.mean_iou > 0.999
    assert result.mpe < 1e-4
    assert result.n_detections == result.n_objects


@pytest.mark.parametrize(
    "settings",
    [replace(Dataset(), use_absolute_scale=True), replace(Dataset(), center_3d=True)],
    ids=["sizes in metres", "projected centres"],
)
def test_the_other_conventions_agree_too(make_scene: MakeScene, settings: Dataset) -> None:
    scenes = [make_scene(seed) for seed in range(6)]
    result = score(scenes, settings, whole(scenes))
    assert result.ap50 == pytest.approx(1.0)
    assert result.mean_iou > 0.999


@pytest.mark.parametrize("row", range(4))
def test_every_symmetric_answer_overlaps_wholly(make_scene: MakeScene, row: int) -> None:
    """Five steps, both ends included, are the four turns that a chair's targets are made for."""
    scenes = [make_scene(seed) for seed in range(4)]
    settings = replace(Dataset(), category="chair")
    result = score(scenes, settings, whole(scenes), row=row, num_symmetry=5)
    assert result.mean_iou > 0.999
    plain = score(scenes, settings, whole(scenes), row=row)
    assert (plain.mpe > 0.01) == (row != 0)


def test_a_shifted_and_zoomed_view_is_mapped_back(make_scene: MakeScene) -> None:
    scenes = [make_scene(seed) for seed in range(6)]
    steps = np.arange(6.0)
    views = Views(
        center=np.column_stack([310.0 + 3.0 * steps, np.full(6, 385.0)]),
        size=700.0 + 60.0 * steps,
        flipped=np.zeros(6, np.bool_),
        width=np.full(6, 600),
    )
    result = score(scenes, Dataset(), views)
    assert result.ap50 == pytest.approx(1.0)
    assert result.mean_iou > 0.999


def test_synthetic_images_score_perfectly(tmp_path: Path) -> None:
    """The whole chain from files: several objects, cut off and hidden ones among them."""
    request = SynthRequest(train=0, val=12, seed=3, difficulty=MODERATE)
    folder = synthesise(request, tmp_path / "data").folder
    scenes = [read_annotation(frame.annotation) for frame in list_frames(folder / "val")]
    result = score(scenes, Dataset(), whole(scenes))
    assert result.n_images == 12
    # An object whose box centre lies outside the view has no target, and two whose centres
    # share a neighbourhood make one peak: both are objects that nothing can find.
    assert result.n_detections >= 0.9 * result.n_objects
    assert result.ap50 >= 0.9
    assert result.mean_iou > 0.97
