"""What was found, how sure that is, and what to do."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

__all__ = ["Certainty", "Finding", "FindingKind"]


class Certainty(StrEnum):
    """How sure a finding is."""

    SURE = "sure"
    LIKELY = "likely"
    POSSIBLE = "possible"


class FindingKind(StrEnum):
    """What a finding is about."""

    BOX = "box and keypoints"
    ORDER = "order of corners"
    UNITS = "units"
    LEAK = "near-duplicate"
    LABEL = "label against model"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a split that is probably wrong.

    Attributes:
        kind: What it is about.
        path: The file: an annotation, or of near-duplicates the image.
        what: What is wrong, with its numbers.
        certainty: How sure that is.
        fix: What to do.
        weight: How grave it is among its kind, any unit; the greatest are shown first.
        number: Of the object in its file, from 0; None where it is the file's.
        other: The file that it is about as well; None for none.
    """

    kind: FindingKind
    path: Path
    what: str
    certainty: Certainty
    fix: str
    weight: float = 0.0
    number: int | None = None
    other: Path | None = None

    @property
    def place(self) -> str:
        """The file, and the object where it is one's."""
        return str(self.path) if self.number is None else f"{self.path}: objects[{self.number}]"

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "kind": self.kind.value,
            "file": str(self.path),
            "object": self.number,
            "other_file": None if self.other is None else str(self.other),
            "what": self.what,
            "certainty": self.certainty.value,
            "fix": self.fix,
        }
