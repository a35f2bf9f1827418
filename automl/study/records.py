"""What a study knows of its trials: plain frozen values, each with a JSON form."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, Self

from automl.field_types import check_fields
from automl.skill.tree import ParamValue

__all__ = [
    "MOST_EPOCHS",
    "Attempt",
    "FailureClass",
    "Measurement",
    "Outcome",
    "OutcomeState",
    "TrialRecord",
    "TrialState",
]

FORMAT = 1
#: Epochs that a training may count; far above any, and safe to loop over.
MOST_EPOCHS = 1_000_000


class TrialState(StrEnum):
    """Where a trial stands. WAITING, RUNNING and PAUSED are the states that can still change.

    A paused trial has freed its place, and may go on from its checkpoint.
    """

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"

    @property
    def is_finished(self) -> bool:
        """Whether no further attempt will be made."""
        return self not in (TrialState.WAITING, TrialState.RUNNING, TrialState.PAUSED)

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing trains it, nor will unless the search decides so."""
        return self not in (TrialState.WAITING, TrialState.RUNNING)


class OutcomeState(StrEnum):
    """How one attempt ended."""

    OK = "ok"
    PRUNED = "pruned"
    PAUSED = "paused"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class FailureClass(StrEnum):
    """Why a trial failed, in the words written to disk."""

    OOM = "oom"
    DIVERGED = "diverged"
    NO_METRIC = "no-metric"
    DATA = "data"
    SPEC = "spec"
    IMAGE = "image"
    GPU = "gpu"
    SHM = "shm"
    DISK = "disk"
    HANG = "hang"
    KILLED = "killed"
    UNKNOWN = "unknown"

    @property
    def is_configs_fault(self) -> bool:
        """Whether the proposed configuration is to blame, so that the sampler must learn of it.

        An unknown crash counts: repeating a proposal that crashed costs more than losing one
        that would have trained.
        """
        return self in _CONFIGS_FAULT


_CONFIGS_FAULT = frozenset(
    {
        FailureClass.OOM,
        FailureClass.DIVERGED,
        FailureClass.SPEC,
        FailureClass.HANG,
        FailureClass.UNKNOWN,
    }
)


@dataclass(frozen=True, slots=True)
class Measurement:
    """The metrics of one validation; every value is finite, or there is no measurement.

    Attributes:
        epoch: Zero-based epoch they belong to, counted over all attempts of the trial; below
            ``MOST_EPOCHS``.
        metrics: Metric name to value.
        elapsed_s: Seconds since the trial's first attempt began training, attempts added up.
    """

    epoch: int
    metrics: Mapping[str, float]
    elapsed_s: float

    def __post_init__(self) -> None:
        broken = {name: n for name, n in self.metrics.items() if not math.isfinite(n)}
        if broken:
            raise ValueError(f"the metrics of a measurement must be finite, but got {broken}")
        if not 0 <= self.epoch < MOST_EPOCHS:
            raise ValueError(f"epochs count from 0 to {MOST_EPOCHS - 1}, but got {self.epoch}")

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The measurement that ``to_json`` wrote."""
        metrics = {str(name): float(number) for name, number in value["metrics"].items()}
        return cls(int(value["epoch"]), metrics, float(value["elapsed_s"]))

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write."""
        return {"epoch": self.epoch, "metrics": dict(self.metrics), "elapsed_s": self.elapsed_s}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One start of a trial: what ``outcome.json`` is about.

    Attributes:
        number: The trial's number, from 0.
        attempt: The attempt's number within the trial, from 1.
        params: Searched parameters, dotted key to value.
        resume_from: Checkpoint of an earlier attempt that this one continues from, relative to
            the study folder; None for a fresh start.
        history: Measurements inherited from the attempts that led to ``resume_from``.
        seed: What the training is seeded with in place of the spec's own seed.
    """

    number: int
    attempt: int
    params: Mapping[str, ParamValue]
    resume_from: str | None = None
    history: tuple[Measurement, ...] = ()
    seed: int | None = None

    def __str__(self) -> str:
        return f"trial {self.number}" + (f" attempt {self.attempt}" if self.attempt > 1 else "")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended; ``outcome.json`` holds exactly this.

    Attributes:
        number: The trial's number.
        attempt: The attempt's number, from 1.
        state: How it ended.
        measurements: Every measurement of the trial so far, inherited ones first, by epoch.
        failure: The class of a failure; None unless ``state`` is FAILED.
        evidence: One line that shows why: the log line, the exit code, the limit that was hit,
            the decision to pause.
        exit_code: The trainer's exit code; None if it never started or was not awaited.
        checkpoint: Checkpoint of the best measured epoch (else the newest), relative to the study
            folder; None if there is none. Of an interrupted attempt the newest whole one, of a
            paused one that of its last measured epoch: the next attempt continues from it.
        checkpoint_sha256: SHA-256 of that file.
        seconds: Wall time of this attempt.
        gpu_seconds: Wall time multiplied by the GPUs held; 0 without GPUs.
        started_at: ISO 8601, UTC.
        ended_at: ISO 8601, UTC.
        note: What a reader should know of an end that is no failure of it; often empty.
        node: The node of a cluster that it ran on; empty for the driver's machine.
    """

    number: int
    attempt: int
    state: OutcomeState
    measurements: tuple[Measurement, ...] = ()
    failure: FailureClass | None = None
    evidence: str = ""
    exit_code: int | None = None
    checkpoint: str | None = None
    checkpoint_sha256: str | None = None
    seconds: float = 0.0
    gpu_seconds: float = 0.0
    started_at: str = ""
    ended_at: str = ""
    note: str = ""
    node: str = ""

    def __post_init__(self) -> None:
        if (self.failure is not None) != (self.state is OutcomeState.FAILED):
            raise ValueError(
                f"a failure class goes with the state 'failed' and no other, "
                f"but got (state={self.state}, failure={self.failure})"
            )

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The outcome that ``to_json`` wrote.

        Raises:
            KeyError, ValueError, TypeError: The value is not such an outcome.
        """
        if value["format"] != FORMAT:
            raise ValueError(f"outcome format must be {FORMAT}, but got {value['format']}")
        fields = {name: value[name] for name in cls.__slots__ if name in value}
        failure = value["failure"]
        _check_inside(value.get("checkpoint"))
        fields["state"] = OutcomeState(value["state"])
        fields["failure"] = FailureClass(failure) if failure is not None else None
        fields["measurements"] = tuple(Measurement.from_json(m) for m in value["measurements"])
        for name in ("seconds", "gpu_seconds"):
            fields[name] = float(value.get(name, 0.0))
        outcome = cls(**fields)
        check_fields(outcome)
        return outcome

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write, with its format number."""
        value = {"format": FORMAT, **asdict(self)}
        value["measurements"] = [m.to_json() for m in self.measurements]
        return value


def _check_inside(checkpoint: Any) -> None:
    """Refuses a checkpoint that is not below the study's folder; a container may have named it."""
    if checkpoint is None:
        return
    path = PurePosixPath(checkpoint)
    is_short = all(len(part.encode(errors="replace")) < 256 for part in path.parts)
    if path.is_absolute() or ".." in path.parts or not is_short or "\0" in checkpoint:
        raise ValueError(f"a checkpoint must be below the study, but got {checkpoint!r:.60}")


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """One trial as the study's storage knows it, all its attempts taken together.

    Attributes:
        number: Known by this from 0; a retry keeps it.
        state: Where it stands.
        params: Searched parameters, dotted key to value.
        attempts: How many attempts were started.
        values: Objective value by zero-based epoch, in epoch order.
        best_epoch: Epoch of the best objective value; None before the first measurement.
        best_value: That value, in the metric's own direction.
        failure: Class of the failure that ended it.
        evidence: One line that shows why it failed, or why it was paused or stopped early.
        checkpoint: Checkpoint of the best epoch, relative to the study folder.
        seconds: Wall time over all attempts.
        gpu_seconds: GPU time over all attempts.
        source: Why it was tried: ``default``, ``sampler``, ``user``, ``race``, ``confirm``.
        confirms: The trial whose settings it trains again with another seed; None of the search.
        seed: What it was seeded with in place of the spec's own seed; None if it was not.
        inherited: Measurements that the newest attempt goes on from, by epoch; empty where it
            began anew.
        audited: Why it would have been paused or stopped, where it went on so that this can be
            checked.
        excused: Why a comparison that might have done so no longer counted.
    """

    number: int
    state: TrialState
    params: Mapping[str, ParamValue]
    attempts: int = 1
    values: Mapping[int, float] = field(default_factory=dict)
    best_epoch: int | None = None
    best_value: float | None = None
    failure: FailureClass | None = None
    evidence: str = ""
    checkpoint: str | None = None
    seconds: float = 0.0
    gpu_seconds: float = 0.0
    source: str = "sampler"
    confirms: int | None = None
    seed: int | None = None
    inherited: tuple[Measurement, ...] = ()
    audited: str = ""
    excused: str = ""

    @property
    def is_usable(self) -> bool:
        """Whether it ended at full fidelity with a finite objective value."""
        return self.state is TrialState.COMPLETE and self.best_value is not None
