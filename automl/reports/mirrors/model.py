"""What a mirror shows: runs with settings, metrics by epoch and files, whatever the tracker."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from automl.reports.model import Summary, TrialReport
from automl.study.layout import StudyPaths
from automl.study.records import TrialState
from automl.study.state import StudyStatus

__all__ = ["Mirror", "MirroredRun", "Point", "runs_of"]

#: Files of a study that a tracker gets with the parent run.
_ARTIFACTS = ("report/index.html", "report/summary.md", "report/report.json", "best/train.yaml")
_ENDS = {
    TrialState.COMPLETE: "finished",
    TrialState.PRUNED: "stopped",
    TrialState.PAUSED: "running",
    TrialState.WAITING: "running",
    TrialState.RUNNING: "running",
    TrialState.FAILED: "failed",
}


@dataclass(frozen=True, slots=True)
class Point:
    """The metrics of one epoch.

    Attributes:
        epoch: From 0.
        time_ms: When they were measured, in milliseconds since 1970.
        metrics: Name to value, finite.
    """

    epoch: int
    time_ms: int
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class MirroredRun:
    """A trial, or the study above its trials.

    Attributes:
        study: The study's name.
        trial: The trial's number; None for the study.
        state: ``finished``, ``stopped``, ``failed`` or ``running``.
        params: Settings, by dotted key.
        points: Metrics by epoch.
        result: Metrics of the whole run.
        tags: Further texts.
        started_ms: When it began, in milliseconds since 1970; 0 where not known.
        ended_ms: When it ended; 0 while it runs.
        files: Files that belong to it, absolute.
    """

    study: str
    trial: int | None
    state: str
    params: Mapping[str, Any] = field(default_factory=dict)
    points: tuple[Point, ...] = ()
    result: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    started_ms: int = 0
    ended_ms: int = 0
    files: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """What it is called: the study's name, or ``trial-0007``."""
        return self.study if self.trial is None else f"trial-{self.trial:04d}"

    @property
    def key(self) -> str:
        """What tells it from every other run, the same whenever the study is mirrored."""
        return hashlib.sha256(f"{self.study}/{self.name}".encode()).hexdigest()[:16]

    @property
    def digest(self) -> str:
        """A hash of all that it shows; the same as long as nothing has changed."""
        marks = [(str(path), path.stat().st_mtime_ns) for path in self.files]
        text = json.dumps([asdict(self), marks], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


class Mirror(Protocol):
    """One tracker; made for a place, told of each run that changed, then closed."""

    def show(self, run: MirroredRun, parent: MirroredRun | None) -> None:
        """Writes a run; one that is there already is brought up to date.

        Args:
            run: The run.
            parent: The study's run, which was shown before; None for that one itself.
        """
        ...

    def close(self) -> None:
        """Has everything written to its end."""
        ...


def runs_of(summary: Summary) -> tuple[MirroredRun, ...]:
    """The study's run and its trials', the study's first."""
    trials = tuple(_trial(summary, trial) for trial in summary.trials)
    return (_study(summary, trials), *trials)


def _study(summary: Summary, trials: tuple[MirroredRun, ...]) -> MirroredRun:
    winner, paths = summary.winner, StudyPaths(summary.folder.absolute())
    result = {"trials": float(summary.n_finished), "gpu_hours": summary.cost.gpu_seconds / 3600}
    if winner is not None:
        numbers = {
            "best": winner.value,
            "mean": winner.mean,
            "default": winner.baseline,
            "difference": winner.difference,
            "best_trial": float(winner.number),
        }
        result |= {name: number for name, number in numbers.items() if number is not None}
    tested = None if summary.held_out is None else summary.held_out.winner.value
    if tested is not None:
        result["test"] = tested
    known = [path for name in _ARTIFACTS if (path := paths.folder / name).is_file()]
    is_open = summary.status is StudyStatus.RUNNING
    return MirroredRun(
        study=summary.name,
        trial=None,
        state="running" if is_open else "failed" if winner is None else "finished",
        params={"objective": summary.objective.metric, "sampler": summary.config.search.sampler,
                "seed": summary.config.search.seed, **summary.config.overrides},
        result=result,
        tags={"status": str(summary.status), "fake": str(summary.is_fake).lower()},
        started_ms=min((run.started_ms for run in trials if run.started_ms), default=0),
        ended_ms=0 if is_open else max((run.ended_ms for run in trials), default=0),
        files=tuple(known),
    )  # fmt: skip


def _trial(summary: Summary, trial: TrialReport) -> MirroredRun:
    record = trial.record
    began = _ms(trial.attempts[0].started_at) if trial.attempts else 0
    points = tuple(
        Point(each.epoch, began + _elapsed_ms(each.elapsed_s), dict(each.metrics))
        for each in trial.measurements
    )
    result = {"seconds": record.seconds, "gpu_seconds": record.gpu_seconds}
    if record.best_value is not None:
        result |= {"best": record.best_value, "best_epoch": float(record.best_epoch or 0)}
    tags = {"state": str(record.state), "source": record.source, "evidence": record.evidence}
    if record.confirms is not None:
        tags |= {"confirms": str(record.confirms), "seed": str(record.seed)}
    return MirroredRun(
        study=summary.name,
        trial=trial.number,
        state=_ENDS[record.state],
        params=dict(record.params),
        points=points,
        result=result,
        tags={name: text for name, text in tags.items() if text},
        started_ms=began,
        ended_ms=_ms(trial.ended_at) if record.state.is_finished else 0,
    )


def _ms(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000) if moment else 0


def _elapsed_ms(seconds: float) -> int:
    """Milliseconds since the start; 0 where the trial still runs and nobody wrote them down."""
    return round(seconds * 1000) if seconds == seconds else 0
