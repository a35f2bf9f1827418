"""The race for being the winner: each contestant's fresh seeds, and how likely it has each rank.

Rank probabilities are those of network meta-analysis (Salanti, Ades and Ioannidis, "Graphical
methods and numerical summaries for presenting results from multiple-treatment meta-analysis",
Journal of Clinical Epidemiology 64, 2011): worths are drawn together from what is believed of
them, and each draw ranks them. What is believed is the posterior by which the race itself decides
(``automl.study.expected``): every trial of the search and every fresh seed of the race count, the
seeds that judge the winner do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Final

import numpy as np

from automl.reports.model import Summary
from automl.study.expected import Expectations, expectations, is_race
from automl.study.records import TrialRecord

__all__ = ["Contestant", "contestants_of"]

_DRAWS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Contestant:
    """One configuration of the race.

    Attributes:
        number: The trial whose settings these are.
        values: The objective of its fresh seeds in the race.
        n_broken: Trainings of the race that ended without a value.
        mean: Of the values; None without one.
        sd: Their standard deviation, of a sample; None below two.
        expected: What the model expects with another seed; None without a model.
        expected_sd: Standard deviation of that.
        ranks: Probability of each rank among the contestants, the first one first; empty without
            a model.
    """

    number: int
    values: tuple[float, ...]
    n_broken: int
    mean: float | None
    sd: float | None
    expected: float | None = None
    expected_sd: float | None = None
    ranks: tuple[float, ...] = ()


def contestants_of(summary: Summary) -> list[Contestant]:
    """Everyone who raced, the likeliest best first; empty without a race."""
    records = [trial.record for trial in summary.trials]
    numbers = sorted({r.confirms for r in records if is_race(r) and r.confirms is not None})
    if len(numbers) < 2:
        return []
    found = expectations(records, summary.objective)
    ranks = _rank_probabilities(found, numbers)
    rows = [_contestant(records, number, found, ranks.get(number, ())) for number in numbers]
    return sorted(rows, key=lambda row: (-sum(row.ranks[:1]), row.number))


def _contestant(
    records: Sequence[TrialRecord], number: int, found: Expectations, ranks: tuple[float, ...]
) -> Contestant:
    ended = [r for r in records if r.confirms == number and is_race(r) and r.state.is_finished]
    values = tuple(r.best_value for r in ended if r.is_usable and r.best_value is not None)
    expected = found.of(number)
    return Contestant(
        number,
        values,
        len(ended) - len(values),
        fmean(values) if values else None,
        stdev(values) if len(values) > 1 else None,
        None if expected is None else expected.value,
        None if expected is None else expected.sd,
        ranks,
    )


def _rank_probabilities(
    found: Expectations, numbers: Sequence[int]
) -> dict[int, tuple[float, ...]]:
    """The probability of each rank of each contestant; empty where one is not in the model."""
    if found.posterior is None or not set(numbers) <= set(found.numbers):
        return {}
    places = [found.numbers.index(number) for number in numbers]
    losses = np.asarray(found.posterior.losses)[places]
    covariance = np.asarray(found.posterior.covariance)[np.ix_(places, places)]
    rng = np.random.default_rng(len(numbers))  # a fixed stream makes a report repeatable
    drawn = rng.multivariate_normal(
        losses, covariance, _DRAWS, check_valid="ignore", method="eigh"
    )
    ranks = drawn.argsort(axis=1).argsort(axis=1)
    shares = [(ranks == rank).mean(axis=0) for rank in range(len(numbers))]
    return {number: tuple(float(share[i]) for share in shares) for i, number in enumerate(numbers)}
