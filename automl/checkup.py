"""A line of ``automl doctor``: what was looked at, how it came out, and what to do about it.

Any room may write such lines about what it knows; the application gathers and shows them.
"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from automl.errors import AutomlError

__all__ = ["Check", "Result", "refused"]


class Result(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a check-up.

    Attributes:
        name: What was looked at.
        result: How it came out.
        detail: What was found.
        fix: What to do about it; empty where nothing needs to be done.
    """

    name: str
    result: Result
    detail: str
    fix: str = ""

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write."""
        return asdict(self)


def refused(name: str, error: AutomlError) -> Check:
    """A check that an error of this program speaks for."""
    detail = error.rule + (f", but got {error.got}" if error.got else "")
    detail += f" ({error.where})" if error.where else ""
    return Check(name, Result.FAIL, " ".join(detail.split()), error.fix)
