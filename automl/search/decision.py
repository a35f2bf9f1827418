"""What the engine answers: go on or stop, and why the whole search ended."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

__all__ = ["Continue", "Decision", "Ended", "EndedBy", "Stop"]


@dataclass(frozen=True, slots=True)
class Continue:
    """The trial goes on."""


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


Decision: TypeAlias = Continue | Stop


class EndedBy(StrEnum):
    """What ended a search."""

    LIMITS = "limits"
    EXHAUSTED = "exhausted"
    BREAKER = "breaker"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Ended:
    """Why no further trial is started; reads as its reason.

    Attributes:
        by: What ended the search.
        reason: Why, as a sentence for the reader.
    """

    by: EndedBy
    reason: str

    def __str__(self) -> str:
        return self.reason
