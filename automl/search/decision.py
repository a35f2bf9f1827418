"""What a search answers: go on, pause or stop, and why the whole search ended."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

__all__ = ["Continue", "Decision", "EndCause", "Pause", "SearchEnd", "Stop"]


@dataclass(frozen=True, slots=True)
class Continue:
    """The trial goes on.

    Attributes:
        audited: Why it would have ended here, where it goes on so that this can be checked.
        excused: Why a comparison that might have ended it no longer counts.
    """

    audited: str = ""
    excused: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """The trial frees its place and may go on later from the checkpoint of its newest epoch.

    Attributes:
        reason: Why, as a sentence for the reader; never empty.
    """

    reason: str

    def __post_init__(self) -> None:
        if not self.reason:
            raise ValueError("a decision to pause needs a reason")


@dataclass(frozen=True, slots=True)
class Stop:
    """The trial ends here.

    Attributes:
        reason: Why, as a sentence for the reader; never empty.
    """

    reason: str

    def __post_init__(self) -> None:
        if not self.reason:
            raise ValueError("a decision to stop needs a reason")


Decision: TypeAlias = Continue | Pause | Stop


class EndCause(StrEnum):
    """What ended a search."""

    LIMITS = "limits"
    EXHAUSTED = "exhausted"
    NO_GAIN = "no gain"
    CIRCUIT_BREAKER = "circuit breaker"
    NO_METRIC = "no metric"


@dataclass(frozen=True, slots=True)
class SearchEnd:
    """Why no further trial is started; reads as its reason.

    Attributes:
        cause: What ended the search.
        reason: Why, as a sentence for the reader.
    """

    cause: EndCause
    reason: str

    def __str__(self) -> str:
        return self.reason
