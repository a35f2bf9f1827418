"""Which is best: of trials, of epochs, of values. Nothing else in the package compares objectives.

What has no value is never best, and of equal values the first one wins: a later trial must beat
the incumbent, not tie with it, and of two equal epochs the earlier one is the cheaper checkpoint.
Values are finite here; what is not was left out where it was read.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import TypeVar

from automl.study.config import Objective
from automl.study.records import Measurement, TrialRecord

__all__ = [
    "best_epoch",
    "best_of",
    "best_trial",
    "better",
    "is_flat",
    "is_ranked",
    "running_best",
    "values_in",
]

_Candidate = TypeVar("_Candidate")


def best_of(
    candidates: Iterable[_Candidate],
    value_of: Callable[[_Candidate], float | None],
    objective: Objective,
) -> _Candidate | None:
    """The first of the candidates with the best value; None where no candidate has a value.

    Args:
        candidates: What to choose from; of equal ones the first is chosen.
        value_of: The objective of a candidate; None if it has none.
        objective: Which way is better.
    """
    best: _Candidate | None = None
    best_loss: float | None = None
    for candidate in candidates:
        value = value_of(candidate)
        if value is None:
            continue
        loss = objective.loss(value)
        if best_loss is None or loss < best_loss:
            best, best_loss = candidate, loss
    return best


def better(value: float, incumbent: float | None, objective: Objective) -> float:
    """The better of two values; the incumbent where they are equal."""
    return value if objective.is_better(value, incumbent) or incumbent is None else incumbent


def running_best(values: Iterable[float], objective: Objective) -> list[float]:
    """The best value up to and including each, in the given order."""
    return list(accumulate(values, lambda best, value: better(value, best, objective)))


def values_in(measurements: Iterable[Measurement], metric: str) -> dict[int, float]:
    """The values of a metric, by epoch; the later one of two for an epoch."""
    return {m.epoch: m.metrics[metric] for m in measurements if metric in m.metrics}


def best_epoch(values: Mapping[int, float], objective: Objective) -> int | None:
    """The epoch of the best value, the earliest of equal ones; None if there is no value.

    Args:
        values: Objective value by epoch.
        objective: Which way is better.
    """
    return best_of(sorted(values), values.__getitem__, objective)


def is_flat(values: Mapping[int, float]) -> bool:
    """Whether all of several epochs have one value, so that none of them is the better one."""
    return len(values) > 1 and len(set(values.values())) == 1


def is_ranked(record: TrialRecord) -> bool:
    """Whether the trial may be the best: usable, and no second training of another's settings.

    The value of a pruned trial belongs to an earlier epoch than that of a finished one, and a
    training with another seed had no part in the search.
    """
    return record.is_usable and record.confirms is None


def best_trial(records: Sequence[TrialRecord], objective: Objective) -> TrialRecord | None:
    """The best ranked trial, the lowest number of equal ones; None before there is one."""
    ranked = sorted(filter(is_ranked, records), key=lambda record: record.number)
    return best_of(ranked, lambda record: record.best_value, objective)
