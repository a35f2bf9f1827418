"""``tune``: the settings of decoding that score best on the validation split, without training.

The network sees each image once. Its detections are kept, and every candidate scores them anew:
what lies below the threshold and beyond the number of peaks is left out, the rest is suppressed,
posed and compared as ``evaluate`` does it. Two settings are offered, so a grid sees all there is.

What is compared is average precision in which an object is found once. The container's own counts
every repeated detection of an object as one more that was found, so that a low threshold raises
it beyond 1 by nothing that anybody wants. The gain is then confirmed on the test split, which
chose nothing: its interval is that of drawing the images anew, the same ones for both settings.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from automl.centerpose.batches.loader import make_loader, to_input
from automl.centerpose.batches.split import read_split
from automl.centerpose.config.experiment import Experiment
from automl.centerpose.evaluation.decode import decode
from automl.centerpose.evaluation.detections import Detections
from automl.centerpose.evaluation.evaluator import Evaluator, ImageMeta
from automl.centerpose.evaluation.matching import Record
from automl.centerpose.evaluation.metrics import one_to_one, summarise
from automl.centerpose.evaluation.settings import EvaluationSettings
from automl.centerpose.hardware.device import (
    choose_device,
    choose_seed,
    loader_threads,
    prepare_torch,
)
from automl.centerpose.models.build import build_network
from automl.centerpose.session.checkpoints import load_weights, read_checkpoint
from automl.centerpose.session.run import Run
from automl.centerpose.training.scoring import evaluation_settings
from automl.centerpose.training.supported import check_supported
from automl.files import write_json
from automl.trainers.contract import TEST_METRICS

__all__ = ["TUNED_NAME", "Candidate", "candidates", "confirmed", "tune"]

TUNED_NAME = "tuned.json"
#: Score thresholds, about a factor of 1.2 apart, and numbers of peaks an image.
_THRESHOLDS = tuple(round(0.02 * 1.2**step, 3) for step in range(20))
_PEAKS = (3, 10, 30, 100)
_SAY_EVERY = 20
_DRAWS, _LEVEL = 300, 0.95


@dataclass(frozen=True, slots=True)
class Candidate:
    """Settings of decoding, and what they score.

    Attributes:
        visualization_threshold: Of the block ``inference``.
        num_select: Of the block ``inference``.
        ap: AP at 3D IoU 0.5, an object being found once, in [0, 1].
        iou: The container's, ``3DIoU``.
        mpe: 2D MPE.
    """

    visualization_threshold: float
    num_select: int
    ap: float
    iou: float
    mpe: float


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What a network found on a batch: (B, K) detections in cells of the maps, and the images."""

    detections: Detections
    metas: Sequence[ImageMeta]
    cells: int


def candidates(base: EvaluationSettings, most: int) -> Iterator[EvaluationSettings]:
    """The settings to try, those of the spec first.

    Args:
        base: The settings of the spec.
        most: Peaks of an image that were decoded.
    """
    yield base
    for peaks in sorted({min(each, most) for each in _PEAKS}, reverse=True):
        for threshold in _THRESHOLDS:
            settings = replace(base, score_threshold=threshold, num_select=peaks)
            if settings != base:
                yield settings


def tune(spec: Experiment, run: Run) -> None:
    """Scores every candidate on ``dataset.val_data``, the best again on ``dataset.test_data``.

    Writes ``tuned.json``. Without test data the gain is not confirmed.

    Raises:
        NotImplementedError: The spec asks for something that this program does not do.
        ValueError: The split is smaller than a batch.
        FixInput: The checkpoint or the data cannot be used as they are.
        Interrupted: A signal ended it.
    """
    check_supported(spec)
    prepare_torch(choose_seed(spec.train.seed), spec.train.cudnn)
    base = evaluation_settings(spec)
    most = max(min(max(_PEAKS), spec.dataset.output_res**2), base.num_select)
    began = time.perf_counter()
    network = _network(spec, run)
    seen = _look(spec, run, (network, most), "val_data")
    run.say(f"the network has seen the images: {time.perf_counter() - began:.1f} s")
    found = _searched(seen, candidates(base, most), run)
    best = max(found, key=lambda each: each.ap)  # of equal ones the first: the spec's own
    test = None
    if spec.dataset.test_data:
        there = _look(spec, run, (network, most), "test_data")
        test = confirmed(_records(there, base), _records(there, _settings(base, best)))
    table = {
        "schema": "automl.tuned/1",
        "n_images": sum(len(batch.metas) for batch in seen),
        "default": asdict(found[0]),
        "best": asdict(best),
        "test": test,
        "candidates": [asdict(each) for each in found],
        "seconds": round(time.perf_counter() - began, 3),
    }
    write_json(run.folder / TUNED_NAME, table)
    run.status.running(TEST_METRICS, kpi={"tuned_AP": str(best.ap)})
    run.say(f"AP: {found[0].ap:.5f} as the spec has it, {best.ap:.5f} at best")


def confirmed(default: Sequence[Record], best: Sequence[Record]) -> dict[str, Any]:
    """Both settings on images that chose neither, and the gain with its interval.

    Args:
        default: One record an image under the settings of the spec.
        best: Those of the same images under the best candidate.

    Returns:
        ``n_images``, the two values, ``gain``, and ``low`` and ``high`` of its 95 % interval
        (percentile bootstrap over images; Efron and Tibshirani 1993, chapter 13).
    """
    pair = [sorted(each, key=lambda record: record.index) for each in (default, best)]
    values = [one_to_one(each).ap50 for each in pair]
    rng = np.random.default_rng(0)
    n = len(pair[0])
    gains = []
    for _ in range(_DRAWS if n > 1 else 0):
        drawn = rng.integers(n, size=n)
        ours, theirs = (one_to_one([each[k] for k in drawn]).ap50 for each in pair)
        gains.append(theirs - ours)
    ends = np.quantile(gains, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2]) if gains else (None, None)
    low, high = (None if end is None else float(end) for end in ends)
    return {
        "n_images": n,
        "default": values[0],
        "best": values[1],
        "gain": values[1] - values[0],
        "low": low,
        "high": high,
    }


def _network(spec: Experiment, run: Run) -> nn.Module:
    path = Path(spec.evaluate.checkpoint)
    content = read_checkpoint(path)
    network = build_network(spec.model).to(choose_device(spec.evaluate.gpu_ids))
    run.status.running(f"Loading checkpoint: {path}")
    load_weights(network, content, path)
    return network.eval()


def _look(spec: Experiment, run: Run, by: tuple[nn.Module, int], split_key: str) -> list[_Seen]:
    """What a network finds on a split: up to so many peaks an image, whatever their score."""
    network, most = by
    data = spec.dataset
    folder = data.val_data if split_key == "val_data" else data.test_data
    split = read_split(folder, f"dataset.{split_key}", data, n_devices=1, scored=True)
    device = next(network.parameters()).device
    loader = make_loader(split, data.batch_size, loader_threads(data.workers), device=device)
    seen = []
    with torch.inference_mode():
        for batch in loader.scoring():
            run.interrupt.check()
            outputs = network(to_input(batch.to(device)))
            seen.append(_Seen(decode(outputs, most), batch.metas, outputs["hm"].shape[-1]))
    return seen


def _searched(
    seen: Sequence[_Seen], tried: Iterator[EvaluationSettings], run: Run
) -> list[Candidate]:
    found = []
    for settings in tried:
        run.interrupt.check()
        result = summarise(_records(seen, settings))
        known = settings.score_threshold, settings.num_select
        found.append(Candidate(*known, result.one_to_one.ap50, result.ap50, result.mpe))
        if len(found) % _SAY_EVERY == 0:
            run.say(f"{len(found)} candidates, best AP {max(each.ap for each in found):.5f}")
    return found


def _records(seen: Sequence[_Seen], settings: EvaluationSettings) -> list[Record]:
    """What was found, measured under other settings."""
    evaluator = Evaluator(settings)
    for batch in seen:
        kept = _first(batch.detections, settings.num_select)
        evaluator.add_detections(kept, batch.metas, batch.cells)
    return evaluator.records()


def _settings(base: EvaluationSettings, best: Candidate) -> EvaluationSettings:
    threshold, peaks = best.visualization_threshold, best.num_select
    return replace(base, score_threshold=threshold, num_select=peaks)


def _first(detections: Detections, count: int) -> Detections:
    """The first ``count`` of the K detections of each image, which are the best."""

    def cut(values: Tensor) -> Tensor:
        return values[:, :count]

    return Detections(*map(cut, detections.fields()))
