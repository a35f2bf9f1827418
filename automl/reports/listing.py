"""A study at a glance."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from automl.errors import AutomlError
from automl.field_types import check_fields
from automl.reports.derive import moment
from automl.reports.strict import strict_json
from automl.reports.summary import read_summary
from automl.study.clock import Clock, utc_now
from automl.study.layout import StudyPaths

__all__ = ["StudyListing", "listing_of"]


@dataclass(frozen=True, slots=True)
class StudyListing:
    """One study in a line.

    Attributes:
        name: The folder's name.
        status: Where it stands; ``unreadable`` if it cannot be read.
        ended: Trials that ended.
        asked: Trials asked for.
        objective: The metric.
        best: The mean of the winner's fresh seeds, else its value of one seed; None without one.
        best_trial: The winner's number.
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


def listing_of(paths: StudyPaths, clock: Clock = utc_now) -> StudyListing:
    """One study; one that is broken is listed as such."""
    try:
        summary = read_summary(paths.folder, clock)
    except AutomlError as error:
        remark = f"{error.rule}, but got {error.got}" if error.got else error.rule
        return StudyListing(paths.folder.name, "unreadable", remark=remark)
    created = moment(str(summary.provenance.get("created_at", "")))
    written = datetime.fromtimestamp(paths.resolved.stat().st_mtime, UTC)
    winner = summary.winner
    remarks = ["FAKE"] * summary.is_fake + ["direct training"] * (not summary.is_search)
    if winner is not None and winner.confirmed is not None:
        remarks.append(winner.confirmed.finding)
    return StudyListing(
        name=paths.folder.name,
        status=str(summary.status),
        ended=summary.n_finished,
        asked=summary.n_asked,
        objective=summary.objective.metric,
        best=None if winner is None else winner.value if winner.mean is None else winner.mean,
        best_trial=None if winner is None else winner.number,
        started=created or written,
        remark=", ".join(remarks),
    )
