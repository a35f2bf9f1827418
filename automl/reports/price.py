"""What choosing and judging the winner will cost, said before it is spent."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from automl.reports import words
from automl.study.config import StudyConfig
from automl.study.confirmation import n_to_confirm
from automl.study.expected import expectations
from automl.study.race import race
from automl.study.records import TrialRecord
from automl.study.sequential import MOST_PAIRS, pairs_for

__all__ = ["Price", "price_of"]

_HOUR_S = 3600.0
_POWER = 0.9


@dataclass(frozen=True, slots=True)
class Price:
    """What the trainings after the search will cost.

    Attributes:
        n_race: Trainings that choose the winner.
        n_seeds: Fresh seeds of winner and default each; with ``auto`` as many as show the
            difference nine times of ten, or the most.
        difference: What they then show: the expected difference to the default; None where that
            takes more than the most seeds, where it is not known, or where it was not asked.
        seconds: Of training, one after the other.
        gpu_seconds: GPU seconds.
        is_auto: Whether the seeds go on until the answer is known.
    """

    n_race: int
    n_seeds: int
    difference: float | None
    seconds: float
    gpu_seconds: float
    is_auto: bool

    def __str__(self) -> str:
        time = words.duration(self.seconds)
        if self.gpu_seconds:
            time = f"{self.gpu_seconds / _HOUR_S:.2g} GPU-h"
        race = f"{words.count(self.n_race, 'training')} to choose the winner, then "
        race = race if self.n_race else ""
        seeds = f"{words.count(self.n_seeds, 'fresh seed')} each for winner and default"
        if not self.is_auto:
            return f"{race}{seeds}: about {time}"
        if self.difference is None:
            return f"{race}at most {seeds}, fewer once it is clear: at most {time}"
        decided = f"decide a difference of {words.value(self.difference)} with {_POWER:.0%}"
        return f"{race}about {seeds}, {time}, {decided.replace('%', ' %')}; at most {MOST_PAIRS}"


def price_of(records: Sequence[TrialRecord], config: StudyConfig) -> Price | None:
    """What is still to be paid; None where nothing is to be trained, or no training has ended.

    Args:
        records: Every trial of a search that has ended.
        config: How many seeds are asked for.
    """
    whole = [record for record in records if record.is_usable]
    standing = race(records, config)
    if not whole or not standing.left or not n_to_confirm(records, config):
        return None
    n_seeds, difference = config.limits.most_seeds, None
    if config.limits.is_auto:
        n_seeds, difference = _needed(records, standing.left[0], config)
    n = standing.n_missing + 2 * n_seeds
    return Price(
        n_race=standing.n_missing,
        n_seeds=n_seeds,
        difference=difference,
        seconds=n * median(record.seconds for record in whole),
        gpu_seconds=n * median(record.gpu_seconds for record in whole),
        is_auto=config.limits.is_auto,
    )


def _needed(
    records: Sequence[TrialRecord], best: int, config: StudyConfig
) -> tuple[int, float | None]:
    """Seeds each that show the expected difference, and that difference; else the most."""
    found = expectations(records, config.objective)
    ours, base = found.of(best), found.of(0)
    if ours is None or base is None or found.noise is None:
        return MOST_PAIRS, None
    difference = abs(ours.value - base.value)
    n = pairs_for(difference, found.noise, _POWER)
    return (MOST_PAIRS, None) if n is None else (n, difference)
