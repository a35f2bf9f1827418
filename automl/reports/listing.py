"""A study in a line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from automl.errors import AutomlError
from automl.field_types import check_fields
from automl.reports import words
from automl.reports.aligned import table
from automl.reports.strict import strict_json

__all__ = ["StudyListing", "list_text", "unreadable"]


@dataclass(frozen=True, slots=True)
class StudyListing:
    """One study in a line.

    Attributes:
        name: The folder's name.
        status: Where it stands; ``unreadable`` if it cannot be read.
        ended: Trials of the search that ended; trainings with fresh seeds are none of them.
        asked: Trials that the search asked for.
        objective: The metric.
        best: The mean of the winner's fresh seeds, else its value of one seed; None without one.
        best_trial: The winner's number.
        images: Validation images that these values are of; None where nobody counted them.
        started: When the study was made.
        remark: FAKE, a direct training, what fresh seeds say, or why it cannot be read.
    """

    name: str
    status: str
    ended: int = 0
    asked: int = 0
    objective: str = ""
    best: float | None = None
    best_trial: int | None = None
    images: int | None = None
    started: datetime | None = None
    remark: str = ""

    def to_json(self) -> dict[str, object]:
        """A plain value for ``automl list --json``."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        fields["started"] = None if self.started is None else self.started.isoformat()
        value, _ = strict_json(fields)
        return dict(value)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The listing that ``to_json`` made.

        Raises:
            KeyError, TypeError, ValueError: The value is no such listing.
        """
        started = value["started"]
        fields = {name: value[name] for name in cls.__slots__}
        listing = cls(**fields | {"started": started and datetime.fromisoformat(started)})
        check_fields(listing)
        return listing


def unreadable(name: str, error: AutomlError) -> StudyListing:
    """A study that is broken, as such.

    Args:
        name: The folder's name.
        error: Why it cannot be read.
    """
    remark = f"{error.rule}, but got {error.got}" if error.got else error.rule
    return StudyListing(name, "unreadable", remark=remark)


def list_text(listings: Sequence[StudyListing], now: datetime) -> str:
    """The studies of a folder, one a line, in the order given."""
    if not listings:
        return "no studies"
    rows = [
        (
            listing.name,
            listing.status,
            f"{listing.ended}/{listing.asked}",
            words.value(listing.best),
            "-" if listing.best_trial is None else str(listing.best_trial),
            listing.objective,
            "-" if listing.images is None else str(listing.images),
            words.duration(
                None if listing.started is None else (now - listing.started).total_seconds()
            ),
            listing.remark,
        )
        for listing in listings
    ]
    head = ("study", "status", "ended", "best", "trial", "objective", "images", "age", "")
    return "\n".join(table(head, rows, "llrrrlrrl"))
