"""The scores of a split are those of one process, however many share its images."""

import pickle
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch

from automl.centerpose.evaluation import evaluator as module
from automl.centerpose.evaluation.detections import Detections
from automl.centerpose.evaluation.evaluator import EvaluationSettings, Evaluator, ImageMeta
from automl.centerpose.evaluation.matching import Record
from automl.centerpose.evaluation.metrics import EvaluationResult
from automl.data.objectron import Annotation

MakeScene = Callable[..., Annotation]
ReadOff = Callable[..., Detections]

CELLS = 64
SETTINGS = EvaluationSettings(num_symmetry=3)
Image = tuple[dict[str, torch.Tensor], ImageMeta]


@pytest.fixture
def images(make_scene: MakeScene, read_off: ReadOff) -> list[Image]:
    """Eleven images with noisy maps; one shows nothing that counts, one has no detection."""
    rng = np.random.default_rng(11)
    return [
        _image(make_scene(i, n_objects=1 + i % 3, visibility=float(i != 4)), i, read_off, rng)
        for i in range(11)
    ]


def _image(scene: Annotation, index: int, read_off: ReadOff, rng: np.random.Generator) -> Image:
    size, center = float(max(scene.width, scene.height)), np.array([300.0, 400.0])
    meta = ImageMeta(scene, center, size, scene.intrinsics.matrix(), index)
    channels = {"hm": 1, "hps": 16, "wh": 2, "reg": 2, "scale": 3}
    maps = {name: rng.normal(size=(n, CELLS, CELLS)) for name, n in channels.items()}
    maps["hm"] -= 7.0
    found = read_off(scene, rng, 8.0)
    for k in range(len(found) if index != 6 else 0):
        points = (found.points[k].numpy() - center) * CELLS / size + CELLS / 2
        box = (found.boxes[k].numpy().reshape(2, 2) - center) * CELLS / size + CELLS / 2
        column, row = (int(value) for value in box.mean(axis=0))
        for d in range(2):  # a second peak beside the first, for soft-NMS to lower
            x = column + 3 * d
            maps["hm"][0, row, x] = rng.uniform(0.0, 3.0)
            maps["hps"][:, row, x] = (points - [x, row]).ravel()
            maps["wh"][:, row, x] = box[1] - box[0]
            maps["scale"][:, row, x] = found.scale[k]
    return {name: torch.from_numpy(values).float() for name, values in maps.items()}, meta


def scored(images: Sequence[Image], batch: int) -> Evaluator:
    evaluator = Evaluator(SETTINGS)
    for start in range(0, len(images), batch):
        part = images[start : start + batch]
        maps = {name: torch.stack([each[0][name] for each in part]) for name in part[0][0]}
        evaluator.add(maps, [meta for _, meta in part])
    return evaluator


@pytest.fixture
def alone(images: list[Image]) -> EvaluationResult:
    result = scored(images, 4).result()
    assert 0.0 < result.ap50 < 2.0
    assert (result.n_images, result.n_detections > result.n_objects) == (10, True)
    assert 0.0 < result.candidate_accuracy < 1.0
    return result


def close(one: EvaluationResult, other: EvaluationResult) -> None:
    """Equal, the means up to the rounding of batches of another shape."""
    assert (one.curves, one.n_images, one.n_objects) == (
        other.curves,
        other.n_images,
        other.n_objects,
    )
    assert (one.n_detections, one.n_matched) == (other.n_detections, other.n_matched)
    assert one.means == pytest.approx(other.means, rel=1e-9, abs=1e-9)
    assert one.one_to_one.mean_iou == pytest.approx(other.one_to_one.mean_iou, rel=1e-9)
    assert one.candidate_accuracy == pytest.approx(other.candidate_accuracy, rel=1e-9)


@pytest.mark.parametrize("world", [1, 2, 3, 16])
def test_every_process_gets_the_scores_of_one(
    images: list[Image], alone: EvaluationResult, world: int
) -> None:
    """Sixteen share eleven images: some have none. Records travel as bytes, out of order."""
    evaluators = [scored(images[rank::world], 2) for rank in range(world)]
    sent = [pickle.dumps(each.records()) for each in evaluators]

    def gather(mine: list[Record]) -> list[Record]:
        return [record for part in reversed(sent) for record in pickle.loads(part)]  # noqa: S301

    results = [each.result(gather) for each in evaluators]
    for result in results:
        assert result == results[0]
        close(result, alone)


def test_the_size_of_batches_changes_nothing(images: list[Image], alone: EvaluationResult) -> None:
    for batch in (1, 11):
        close(scored(images, batch).result(), alone)


def test_a_long_split_is_measured_in_parts(
    images: list[Image], alone: EvaluationResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 3)
    evaluator = scored(images, 2)
    close(evaluator.result(), alone)
    assert [record.index for record in evaluator.records()] == [0, 1, 2, 3, 5, 6, 7, 8, 9, 10]


def test_the_result_can_be_asked_for_twice(images: list[Image]) -> None:
    evaluator = scored(images, 4)
    assert evaluator.result() == evaluator.result()


@pytest.mark.gpu
def test_a_gpu_gives_the_scores_of_the_cpu(images: list[Image], alone: EvaluationResult) -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    moved = [({n: v.cuda() for n, v in maps.items()}, meta) for maps, meta in images]
    result = scored(moved, 4).result()
    assert (result.n_detections, result.n_matched) == (alone.n_detections, alone.n_matched)
    assert result.means == pytest.approx(alone.means, rel=1e-6, abs=1e-6)
    assert result.curves == {name: pytest.approx(curve) for name, curve in alone.curves.items()}
    assert result.candidate_accuracy == pytest.approx(alone.candidate_accuracy, abs=1e-6)
