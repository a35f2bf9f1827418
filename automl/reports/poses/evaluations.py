"""The evaluations of a study, as its report lists them: whose checkpoint, on which images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from automl.poses.table import POSES_NAME
from automl.study.actions import ActionRecord, read_actions
from automl.study.config import StudyConfig
from automl.study.layout import StudyPaths
from automl.study.records import Outcome

__all__ = [
    "TEST",
    "TRAINING",
    "VALIDATION",
    "Evaluation",
    "n_images_of",
    "newest",
    "read_evaluations",
    "test_metric",
]

TRAINING: Final = "training"
VALIDATION: Final = "validation"
TEST: Final = "test"
_ACTION: Final = "evaluate"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation of one checkpoint.

    Attributes:
        folder: Relative to the study folder.
        trial: Whose checkpoint; None for one from elsewhere.
        said: Which checkpoint, in words.
        split: ``validation``, ``test``, or the folder of other data.
        value: The objective on these images; None if it failed or has none.
        n_images: Images of the split; None where nobody counted them.
        is_result: Whether it is the checkpoint that the trial is judged by.
        is_start: Whether it is the checkpoint that every trial started from.
        deploy: Whether the deployed form was scored.
        trainer: What ran it.
        evidence: Why it failed; empty if it did not.
        has_poses: Whether it left one record a detection.
        metrics: Everything it reported.
    """

    folder: str
    trial: int | None
    said: str
    split: str
    value: float | None
    n_images: int | None = None
    is_result: bool = False
    is_start: bool = False
    deploy: bool = False
    trainer: str = ""
    evidence: str = ""
    has_poses: bool = False
    metrics: Mapping[str, float] = field(default_factory=dict)


def test_metric(metric: str, reported: Mapping[str, float]) -> str:
    """What an evaluation calls the objective: ``test_3DIoU`` for ``val_3DIoU``."""
    renamed = f"test_{metric.removeprefix('val_')}"
    return renamed if renamed in reported else metric


def read_evaluations(
    paths: StudyPaths,
    config: StudyConfig,
    outcomes: Mapping[int, Sequence[Outcome]],
    provenance: Mapping[str, Any],
) -> tuple[Evaluation, ...]:
    """Every evaluation that has ended, oldest first.

    Args:
        paths: The study.
        config: What it was asked.
        outcomes: Trial to the ends of its attempts.
        provenance: Says how many images each split holds.
    """
    found = []
    for folder, record in read_actions(paths.actions):
        if record.action != _ACTION:
            continue
        split = _split(record, config)
        found.append(
            Evaluation(
                folder=paths.relative(folder),
                trial=record.origin.trial,
                said=record.origin.said,
                split=split,
                value=_value(record, config.objective.metric),
                n_images=n_images_of(provenance, split),
                # Other settings of decoding answer another question than the trial's value.
                is_result=_is_result(record, outcomes) and not record.tuned,
                is_start=_is_start(record, config),
                deploy=record.deploy,
                trainer=record.trainer,
                evidence=record.evidence,
                has_poses=(folder / POSES_NAME).is_file(),
                metrics=record.metrics,
            )
        )
    return tuple(found)


def newest(
    evaluations: Sequence[Evaluation], trial: int, split: str, *, poses: bool = False
) -> Evaluation | None:
    """The newest evaluation of a trial's result on a split that went well; None without one.

    Args:
        evaluations: Oldest first.
        trial: Whose.
        split: On which images.
        poses: Whether only one that left poses counts.
    """
    fits = (
        each
        for each in reversed(evaluations)
        if each.trial == trial and each.split == split and each.is_result and not each.deploy
    )
    return next((e for e in fits if e.value is not None and (e.has_poses or not poses)), None)


def _split(record: ActionRecord, config: StudyConfig) -> str:
    """The images by name; the validation split stands in where no test data is recorded."""
    folder = next((str(value) for value in record.data.values()), "")
    named = {config.data.test: TEST, config.data.val: VALIDATION}
    return named.get(folder, folder)


def _value(record: ActionRecord, metric: str) -> float | None:
    return record.metrics.get(test_metric(metric, record.metrics)) if record.ok else None


def n_images_of(provenance: Mapping[str, Any], split: str) -> int | None:
    """Images of a split as they were counted when the study began."""
    data = provenance.get("data")
    name = {TRAINING: "train", VALIDATION: "val", TEST: "test"}.get(split)
    facts = data.get(name) if isinstance(data, Mapping) and name else None
    number = facts.get("images") if isinstance(facts, Mapping) else None
    return number if isinstance(number, int) else None


def _is_result(record: ActionRecord, outcomes: Mapping[int, Sequence[Outcome]]) -> bool:
    """Whether the checkpoint is the one that the newest attempt of its trial recorded."""
    ended = outcomes.get(-1 if record.origin.trial is None else record.origin.trial, ())
    return bool(ended) and ended[-1].checkpoint_sha256 == record.origin.root_sha256


def _is_start(record: ActionRecord, config: StudyConfig) -> bool:
    started_from = config.parent_checkpoint
    return bool(started_from) and Path(record.origin.path) == Path(started_from)
