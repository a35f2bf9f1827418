"""What of a study's time was planned, used and saved."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from automl.reports import words
from automl.study.limits import Limits
from automl.study.records import TrialRecord, TrialState

__all__ = ["Spent", "spent_of"]

_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Spent:
    """Planned, used and saved time.

    Attributes:
        wall_s: Wall seconds used.
        gpu_seconds: GPU seconds used.
        max_wall_s: Wall seconds planned; None without a limit.
        gpu_hours: GPU hours planned; None without a limit.
        deadline: When it was to have ended, ISO 8601; None without a limit.
        saved_s: Seconds of training that the trials which were ended early would have taken, by
            the median of those that ran to their end; None where none was, or none did.
        n_early: Trials that were ended early.
        price: What a GPU hour costs; None where nobody said.
    """

    wall_s: float
    gpu_seconds: float
    max_wall_s: float | None = None
    gpu_hours: float | None = None
    deadline: str | None = None
    saved_s: float | None = None
    n_early: int = 0
    price: float | None = None

    @property
    def cost(self) -> float | None:
        """What the GPU hours used have cost; None without a price."""
        return None if self.price is None else self.price * self.gpu_hours_used

    @property
    def gpu_hours_used(self) -> float:
        """GPU hours used."""
        return self.gpu_seconds / _HOUR_S

    def lines(self) -> Iterator[str]:
        """One matter a line, without a label; none where nothing was planned or saved."""
        planned = self.planned()
        if planned:
            yield planned
        if self.saved_s is not None:
            early = words.count(self.n_early, "trial")
            yield f"about {words.duration(self.saved_s)} of training saved: {early} ended early"
        if self.cost is not None:
            of = f"{self.gpu_hours_used:.3g} GPU-h at {self.price:g} a GPU-hour"
            yield f"cost {words.money(self.cost)} ({of})"

    def planned(self) -> str:
        """What was planned, and what of it is used; empty where nothing was."""
        planned = []
        if self.max_wall_s is not None:
            used, of = words.duration(self.wall_s), words.duration(self.max_wall_s)
            planned.append(f"{used} of {of} wall")
        if self.gpu_hours is not None:
            planned.append(f"{self.gpu_hours_used:.3g} of {self.gpu_hours:g} GPU-h")
        if self.deadline is not None:
            planned.append(f"to end by {self.deadline}")
        return ", ".join(planned)


def spent_of(
    records: Sequence[TrialRecord], limits: Limits, wall_s: float, gpu_seconds: float
) -> Spent:
    """What was planned, used and saved.

    Args:
        records: Every trial.
        limits: What was planned.
        wall_s: Wall seconds used.
        gpu_seconds: GPU seconds used.
    """
    whole = [record.seconds for record in records if record.is_usable]
    early = [r for r in records if r.state in (TrialState.PRUNED, TrialState.PAUSED)]
    saved = sum(max(0.0, median(whole) - record.seconds) for record in early) if whole else 0.0
    return Spent(
        wall_s=wall_s,
        gpu_seconds=gpu_seconds,
        max_wall_s=limits.max_wall_s,
        gpu_hours=limits.gpu_hours,
        deadline=limits.deadline,
        saved_s=saved if early and whole else None,
        n_early=len(early),
    )
