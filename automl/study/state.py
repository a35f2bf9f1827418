"""``state.json``: where a study stands, for any reader at any time, without a lock."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from automl.field_types import check_fields
from automl.files import write_json
from automl.jsontext import read_json
from automl.study.clock import moment_of
from automl.study.layout import StudyPaths
from automl.study.live import LiveAttempt
from automl.study.nodes import NodeRecord
from automl.study.records import TrialRecord

__all__ = ["BestTrial", "StudyState", "StudyStatus", "counts_of", "read_state", "write_state"]

FORMAT = 1


class StudyStatus(StrEnum):
    """Where a study stands, in the words written to disk."""

    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class BestTrial:
    """The incumbent in short.

    Attributes:
        number: The trial's number.
        value: Its best objective value.
        epoch: Zero-based epoch of that value.
        checkpoint: Relative to the study folder; None if there is none.
    """

    number: int
    value: float
    epoch: int
    checkpoint: str | None = None

    @classmethod
    def of(cls, record: TrialRecord | None) -> Self | None:
        """The short form of a record; None without a record or a value."""
        if record is None or record.best_value is None or record.best_epoch is None:
            return None
        return cls(record.number, record.best_value, record.best_epoch, record.checkpoint)


@dataclass(frozen=True, slots=True)
class StudyState:
    """A snapshot of a study.

    Attributes:
        name: Name of the study.
        status: Where it stands.
        updated_at: ISO 8601, UTC.
        trials: Logical trials asked for in total.
        counts: Trial state to number of trials; states without a trial are left out.
        best: The incumbent; None before the first usable trial.
        reason: Why it ended or was stopped; empty while it runs.
        driver: ``pid`` and ``host`` of the driver that wrote this.
        limits: What the study may spend, as in its configuration.
        seconds: Training seconds spent, all attempts added up.
        gpu_seconds: GPU seconds spent.
        wall_s: Seconds from each driver's start to its end or to this snapshot, added up; 0 where
            it was not written down.
        live: What runs at this moment, by number; of a driver that died, what ran last.
        ended: The trials that ended last, the newest first.
        notes: What a reader should know, the oldest first.
        nodes: The nodes of the cluster that trials run on; empty for the driver's machine.
    """

    name: str
    status: StudyStatus
    updated_at: str
    trials: int
    counts: Mapping[str, int] = field(default_factory=dict)
    best: BestTrial | None = None
    reason: str = ""
    driver: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    gpu_seconds: float = 0.0
    wall_s: float = 0.0
    live: tuple[LiveAttempt, ...] = ()
    ended: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    nodes: tuple[NodeRecord, ...] = ()

    @property
    def finished(self) -> int:
        """Trials that no further attempt will be made of."""
        return sum(self.counts.get(state, 0) for state in ("complete", "pruned", "failed"))

    def age_s(self, now: datetime) -> float:
        """Seconds since it was written; 0 where clocks disagree."""
        return max(0.0, (now - moment_of(self.updated_at)).total_seconds())

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The snapshot that ``to_json`` wrote.

        Raises:
            KeyError, ValueError, TypeError: The value is no such snapshot.
        """
        if value["format"] != FORMAT:
            raise ValueError(f"state format must be {FORMAT}, but got {value['format']}")
        fields = {name: value[name] for name in cls.__slots__ if name in value}
        fields["status"] = StudyStatus(value["status"])
        fields["nodes"] = tuple(map(NodeRecord.from_json, value.get("nodes", ())))
        fields["best"] = None if value.get("best") is None else BestTrial(**value["best"])
        fields["live"] = tuple(map(LiveAttempt.from_json, value.get("live", ())))
        for name in ("ended", "notes"):
            fields[name] = tuple(value.get(name, ()))
        state = cls(**fields)
        check_fields(state)
        moment_of(state.updated_at)
        return state

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write, with its format number."""
        return {"format": FORMAT, **asdict(self)}


def counts_of(records: Sequence[TrialRecord]) -> dict[str, int]:
    """How many trials are in each state, in the order of the states' first trials."""
    return dict(Counter(str(record.state) for record in records))


def write_state(paths: StudyPaths, state: StudyState) -> None:
    """Replaces the snapshot whole."""
    write_json(paths.state, state.to_json(), paths.folder)


def read_state(paths: StudyPaths) -> StudyState | None:
    """The last snapshot; None if there is none that can be read."""
    try:
        return StudyState.from_json(read_json(paths.state, follow=False))
    except (OSError, KeyError, ValueError, TypeError, AttributeError):
        return None
