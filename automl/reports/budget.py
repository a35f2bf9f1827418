"""What of a study's time was planned, used and saved."""

from collections.abc import Iterator
from dataclasses import dataclass

from automl.reports import words
from automl.reports.saved import NOTHING, Saved
from automl.study.limits import Limits

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
        saved_s: Seconds of training that ending trials early has saved, an estimate; None where
            none was, or their pace is not known.
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
            saved = f"an estimated {words.duration(self.saved_s)} of training saved"
            yield f"{saved}: {early} ended early"
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


def spent_of(limits: Limits, wall_s: float, gpu_seconds: float, saved: Saved = NOTHING) -> Spent:
    """What was planned, used and saved.

    Args:
        limits: What was planned.
        wall_s: Wall seconds used.
        gpu_seconds: GPU seconds used.
        saved: What ending trials early has saved.
    """
    return Spent(
        wall_s=wall_s,
        gpu_seconds=gpu_seconds,
        max_wall_s=limits.max_wall_s,
        gpu_hours=limits.gpu_hours,
        deadline=limits.deadline,
        saved_s=saved.seconds,
        n_early=len(saved.numbers),
    )
