"""What ``automl status`` and ``automl list`` show of a study, small enough to be kept in a file.

To read a study is to replay its journal; of thousands of trials that takes seconds. A glance is
what those two commands show of it, made from a ``Summary`` (``reports.glancing``) and kept by
whoever has one. Nothing heavy is imported here.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from automl.field_types import check_fields
from automl.reports.listing import StudyListing
from automl.reports.remaining import SecondsRange
from automl.reports.strict import strict_json
from automl.study.state import StudyStatus

__all__ = ["Glance", "Improvement"]

_LINES = ("fake", "best", "budget", "notes")


@dataclass(frozen=True, slots=True)
class Improvement:
    """When the best of a search last became better.

    Attributes:
        number: The trial that did.
        ended_at: When it ended, ISO 8601.
        since: Usable trials that have ended after it.
    """

    number: int
    ended_at: str
    since: int


@dataclass(frozen=True, slots=True)
class Glance:
    """A study at one moment.

    Attributes:
        listing: It in a line.
        status: Where it stands.
        stop_reason: Why it ended or was stopped; empty if nobody said so.
        is_search: Whether there was a search; else it is one direct training.
        trials_per_gpu: Trials that share a GPU.
        epochs: Epochs of one full training; None if not known.
        can_go_on: Whether ``automl resume`` could come to more.
        counted: How many trials have ended of how many, in words.
        counts: Number of trials by state, in the states' order; none without a trial.
        what: What is said of the trials of each state.
        called: The state in words.
        wall_s: Wall seconds that it took.
        gpu_seconds: GPU seconds that it took.
        seconds_by_state: Training seconds by state.
        gpu_seconds_by_state: GPU seconds by state.
        changed: What each running trial changes, by its number as text.
        improvement: When it last became better; None where that is not said.
        left: How long the rest takes; None where nothing tells it.
        fake: That nothing was trained, where nothing was.
        best: The winner, and what is expected of it, a line each.
        budget: What of its time was planned, used and saved, a line each.
        notes: What could not be read, and which nodes were refused.
    """

    listing: StudyListing
    status: StudyStatus
    stop_reason: str = ""
    is_search: bool = True
    trials_per_gpu: int = 1
    epochs: int | None = None
    can_go_on: bool = False
    counted: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    what: Mapping[str, str] = field(default_factory=dict)
    called: Mapping[str, str] = field(default_factory=dict)
    wall_s: float = 0.0
    gpu_seconds: float = 0.0
    seconds_by_state: Mapping[str, float] = field(default_factory=dict)
    gpu_seconds_by_state: Mapping[str, float] = field(default_factory=dict)
    changed: Mapping[str, str] = field(default_factory=dict)
    improvement: Improvement | None = None
    left: SecondsRange | None = None
    fake: tuple[str, ...] = ()
    best: tuple[str, ...] = ()
    budget: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write."""
        value, _ = strict_json({**asdict(self), "listing": self.listing.to_json()})
        return dict(value)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The glance that ``to_json`` made.

        Raises:
            KeyError, TypeError, ValueError: The value is no such glance.
        """
        fields = {name: value[name] for name in cls.__slots__}
        fields |= {name: tuple(fields[name]) for name in _LINES}
        fields["listing"] = StudyListing.from_json(fields["listing"])
        fields["status"] = StudyStatus(fields["status"])
        for name, kind in (("improvement", Improvement), ("left", SecondsRange)):
            fields[name] = None if fields[name] is None else kind(**fields[name])
        glance = cls(**fields)
        check_fields(glance)
        return glance
