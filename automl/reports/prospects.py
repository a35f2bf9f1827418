"""Whether the search was worth it: how sure the gain is, what it cost, what more would bring."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from automl.reports import words
from automl.reports.confirmation import Confirmed, Seeds
from automl.reports.findings import Cost, Winner
from automl.study.config import Direction, Objective
from automl.study.ranking import is_ranked
from automl.study.records import TrialRecord

__all__ = ["MORE", "Prospects", "prospects_of"]

MORE: Final = 10
"""Trials more, of which it is said what they would bring."""
_HOUR_S: Final = 3600.0
_SURE: Final = 0.99


@dataclass(frozen=True, slots=True)
class Prospects:
    """What a search has come to, and what more of it may.

    Attributes:
        p_better: Probability that the winner's settings are better than the default's; None where
            nothing tells.
        by: What tells it, in words.
        gain_per_hour: Gain of the objective for each hour; above 0 is better. None without a gain.
        is_gpu: Whether those are GPU hours, else hours of training.
        p_improve: Chance that the best of ``MORE`` more trials has a better value than the best
            so far, if they come from the same distribution: one of n + m values that are drawn
            alike is as likely the best as any other, hence m / (n + m).
        n_trials: Usable trials, the n of it.
    """

    p_better: float | None
    by: str
    gain_per_hour: float | None
    is_gpu: bool
    p_improve: float | None
    n_trials: int

    def lines(self) -> Iterator[str]:
        """One matter a sentence, without its full stop."""
        if self.p_better is not None:
            yield f"P(better than the default) {_probability(self.p_better)}, {self.by}"
        if self.gain_per_hour is not None:
            hour = "GPU-hour" if self.is_gpu else "hour of training"
            yield f"gain per {hour}: {words.signed(self.gain_per_hour)}"
        if self.p_improve is not None:
            chance = f"{self.p_improve:.0%}".replace("%", " %")
            yield (
                f"chance that {MORE} more trials reach a better value: {chance} "
                f"({MORE} / ({self.n_trials} + {MORE}): any of them may be the best if they are "
                "drawn like those so far)"
            )


def _probability(p: float) -> str:
    if p > _SURE:
        return f"above {_SURE}"
    return f"below {1 - _SURE:.2f}" if p < 1 - _SURE else f"{p:.2f}"


def prospects_of(
    records: Sequence[TrialRecord], winner: Winner, cost: Cost, objective: Objective
) -> Prospects:
    """What the search has come to.

    Args:
        records: Every trial of the study.
        winner: The trial that it names as its best.
        cost: What it took.
        objective: Which way is better.
    """
    turn = 1.0 if objective.direction is Direction.MAXIMIZE else -1.0
    p_better, by = _p_better(winner, turn) if winner.number else (None, "")
    gain = _gain(winner) if winner.number else None
    seconds = cost.gpu_seconds or cost.seconds
    n = sum(map(is_ranked, records))
    return Prospects(
        p_better=p_better,
        by=by,
        gain_per_hour=None if gain is None or not seconds else turn * gain * _HOUR_S / seconds,
        is_gpu=bool(cost.gpu_seconds),
        p_improve=MORE / (n + MORE) if n > 1 else None,
        n_trials=n,
    )


def _gain(winner: Winner) -> float | None:
    """The difference to the default as it is known best: by fresh seeds, by all trials, by one."""
    if winner.confirmed is not None and winner.confirmed.difference is not None:
        return winner.confirmed.difference
    if winner.weighed is not None and winner.weighed.gain is not None:
        return winner.weighed.gain
    return winner.difference


def _p_better(winner: Winner, turn: float) -> tuple[float | None, str]:
    if winner.confirmed is not None:
        p = _by_seeds(winner.confirmed, turn)
        if p is not None:
            return p, "by fresh seeds (Welch's t, no prior)"
    weighed = winner.weighed
    if weighed is None or weighed.gain is None or not weighed.gain_sd:
        return None, ""
    return _normal(turn * weighed.gain / weighed.gain_sd), "by all trials together"


def _normal(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def _by_seeds(confirmed: Confirmed, turn: float) -> float | None:
    """Probability of a difference above 0, where the difference has a flat prior (Welch's t)."""
    ours, base = confirmed.winner, confirmed.default
    if base is None or confirmed.difference is None:
        return None
    parts = [_of_mean(ours), _of_mean(base)]
    if None in parts:
        return None
    variances = [part or 0.0 for part in parts]
    total = sum(variances)
    if total == 0.0:
        return 0.5 * (1.0 + math.copysign(1.0, turn * confirmed.difference))
    from scipy import stats  # a fifth of a second, and only studies with seeds need it

    below = sum(v**2 / (len(s.values) - 1) for v, s in zip(variances, (ours, base), strict=True))
    t = turn * confirmed.difference / math.sqrt(total)
    return float(stats.t.cdf(t, total**2 / below))


def _of_mean(seeds: Seeds) -> float | None:
    """Variance of the mean; None below two values."""
    return None if seeds.sd is None else seeds.sd**2 / len(seeds.values)
