"""Labels that a trained model disagrees with most.

A good model has seen thousands of labels and follows what they have in common, so where it is sure
of another pose than the label, the label is worth a look. The model may be wrong as well: what
comes out is an order in which to look, not a verdict.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from automl.app.act import plan_action
from automl.app.action_request import ActRequest
from automl.app.action_run import carry_out, ready_trainer
from automl.data.suspects.finding import Certainty, Finding, FindingKind
from automl.errors import FixInput
from automl.poses.parquet import read_poses
from automl.poses.sample import Sample, sample_of
from automl.poses.table import PoseTable
from automl.reports.poses.error_words import circumstances, pose_error

__all__ = ["ModelAsked", "ModelView", "rank_labels", "view_of_model"]

_WEAK_IOU: Final = 0.4
_SURE_SCORE: Final = 0.5
_LEAST: Final = 0.25
_ALWAYS: Final = 0.6
_SPREADS: Final = 3.0
_MAD_TO_DEVIATION: Final = 1.4826  # of a normal distribution
_FIX: Final = "look at it in --preview; where the label is wrong, make it anew or take it out"


@dataclass(frozen=True, slots=True)
class ModelAsked:
    """Whose opinion is wanted.

    Attributes:
        name: A study, whose best checkpoint is taken, or the path of a checkpoint.
        studies_dir: Where studies are kept.
        tell: Called with a sentence when something that takes a while begins.
    """

    name: str
    studies_dir: Path
    tell: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ModelView:
    """What a model says of the labels of a split.

    Attributes:
        findings: Labels that it disagrees with, the worst first.
        n_objects: Labels that it was held against.
        median_iou: Middle 3D overlap of its boxes with the labels, in [0, 1].
    """

    findings: tuple[Finding, ...]
    n_objects: int
    median_iou: float

    @property
    def words(self) -> str:
        """How good the model is here, and whether it may judge."""
        said = f"model: median 3D IoU {self.median_iou:.2f} over {self.n_objects} labels"
        return f"{said}, too low to judge labels by" if self.is_weak else said

    @property
    def is_weak(self) -> bool:
        """Whether it disagrees with so much that its opinion says little."""
        return self.median_iou < _WEAK_IOU


def view_of_model(asked: ModelAsked, root: Path) -> ModelView:
    """Has a model predict on a split, and compares.

    Args:
        asked: The model.
        root: Folder of the split; every object must say how visible it is.

    Raises:
        FixInput: There is no such model, or it cannot score the split.
        PrepareMachine: The trainer lacks something on this machine.
    """
    is_file = Path(asked.name).expanduser().is_file()
    folder = Path(tempfile.mkdtemp(prefix="automl-labels-"))
    request = ActRequest(
        "evaluate",
        asked.studies_dir,
        study=None if is_file else asked.name,
        checkpoint=asked.name if is_file else "best",
        data={"test": str(root)},
        results=folder / "evaluate",
        trainer="process",
        tell=asked.tell,
    )
    plan = plan_action(request)
    record = carry_out(plan, ready_trainer(plan))
    table = read_poses(plan.folder) if record.ok else None
    if table is None:
        raise FixInput(
            "a model that judges labels must be able to score the split",
            got=record.evidence or "an evaluation without poses",
            where="--model",
            fix=f"see {plan.folder / 'log.txt'}; the trainer of this package leaves poses",
        )
    shutil.rmtree(folder, ignore_errors=True)
    return rank_labels(table, root)


def rank_labels(table: PoseTable, root: Path) -> ModelView:
    """The labels that an evaluation disagrees with, the worst first.

    A label counts as disagreed with by as much as the model is sure of another pose: score times
    the larger of what is missing of a full overlap and of how far the corners lie apart in the
    image (1 for half the object's 2D box); one that it did not find by half of what can be seen of
    it. Named are those above 0.6, or that stand out from the split's own middle by three robust
    deviations (median and median absolute deviation), and detections of which no label is near.

    Args:
        table: The poses of the evaluation.
        root: Folder of the split.
    """
    sample = sample_of(table)
    doubts = _doubts(sample.targets)
    overlaps = np.nan_to_num(sample.targets.numbers("iou_3d"))
    bound = _bound(doubts)
    found = [
        _finding(sample.targets.take(np.array([row])), root, float(doubts[row]))
        for row in np.flatnonzero(doubts > bound)
    ]
    found += _unlabelled(sample, root)
    found.sort(key=lambda each: (-each.weight, str(each.path)))
    middle = float(np.median(overlaps)) if len(overlaps) else 0.0
    return ModelView(tuple(found), len(overlaps), middle)


def _doubts(targets: PoseTable) -> npt.NDArray[np.float64]:
    score, overlap = targets.numbers("score"), targets.numbers("iou_3d")
    seen = targets.numbers("visibility") * (1.0 - targets.numbers("truncation"))
    corners = targets.numbers("corner_errors_px").mean(axis=1)
    apart = np.minimum(2.0 * corners / np.maximum(targets.numbers("box_px"), 1.0), 1.0)
    doubt = score * np.maximum(1.0 - np.nan_to_num(overlap), apart)
    return np.where(np.isfinite(score), doubt, 0.5 * seen)


def _bound(doubts: npt.NDArray[np.float64]) -> float:
    if not len(doubts):
        return _LEAST
    middle = float(np.median(doubts))
    spread = _MAD_TO_DEVIATION * float(np.median(np.abs(doubts - middle)))
    return max(_LEAST, min(middle + _SPREADS * spread, _ALWAYS))


def _finding(row: PoseTable, root: Path, doubt: float) -> Finding:
    score, overlap = (float(row.numbers(name)[0]) for name in ("score", "iou_3d"))
    if np.isfinite(score):
        of = f"score {score:.2f}, 3D IoU {np.nan_to_num(overlap):.2f}"
        corners = float(row.numbers("corner_errors_px")[0].mean())
        what = (
            f"the model is sure of another pose ({of}): against the label {pose_error(row)};"
            f" corners {corners:.0f} px apart"
        )
    else:
        what = f"the model finds nothing where this label is ({circumstances(row)})"
    certainty = (
        Certainty.LIKELY if score > _SURE_SCORE and overlap < _LEAST else Certainty.POSSIBLE
    )
    number = int(row.numbers("object")[0])
    return Finding(FindingKind.LABEL, _sheet(row, root), what, certainty, _FIX, doubt, number)


def _unlabelled(sample: Sample, root: Path) -> Iterator[Finding]:
    """Sure detections that lie off every label while the nearest label has one of its own."""
    table = sample.detections
    taken = {(int(i), int(n)): float(s) for i, n, s in _keys(sample.targets)}
    for row, (index, number, score) in enumerate(_keys(table)):
        own = taken.get((int(index), int(number)))
        one = table.take(np.array([row]))
        far = float(one.numbers("corner_errors_px")[0].mean() / one.numbers("box_px")[0])
        if own is None or score >= own or score < _SURE_SCORE or far < 1.0:
            continue
        what = f"the model sees an object (score {score:.2f}) that no label names"
        yield Finding(
            FindingKind.LABEL, _sheet(one, root), what, Certainty.POSSIBLE,
            "look at the image; label the object, or leave it", score / 2.0,
        )  # fmt: skip


def _keys(table: PoseTable) -> Iterator[tuple[float, float, float]]:
    yield from zip(
        table.numbers("index").tolist(),
        table.numbers("object").tolist(),
        table.numbers("score").tolist(),
        strict=True,
    )


def _sheet(row: PoseTable, root: Path) -> Path:
    return (root / str(row["image"][0])).with_suffix(".json")
