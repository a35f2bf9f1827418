"""What is the same for every attempt of a study."""

from dataclasses import dataclass

from automl.skill.metric_source import STATUS_FILE, MetricSource
from automl.study.config import Keep, Objective
from automl.study.layout import StudyPaths

__all__ = ["AttemptSettings"]


@dataclass(frozen=True, slots=True)
class AttemptSettings:
    """What is the same for every attempt of a study.

    Attributes:
        paths: The study's folder.
        objective: The metric that must appear, and which way is better.
        timeout_s: Seconds after which an attempt counts as hung; None for no limit.
        keep: Which checkpoints to keep.
        trials_per_gpu: Trials that share a GPU; each is charged with its part of the time.
        rungs: Epochs, counted from 1, at which trials are judged, and may pause.
        metrics: Where a training's metrics are read.
    """

    paths: StudyPaths
    objective: Objective
    timeout_s: float | None = None
    keep: Keep = Keep.BEST
    trials_per_gpu: int = 1
    rungs: tuple[int, ...] = ()
    metrics: MetricSource = STATUS_FILE
