"""How long a training will take, by the trainings of this study that have ended.

The logarithm of the seconds of a whole training is linear in the settings: a batch or a backbone
changes the time by a factor. Bayesian linear regression with a normal-inverse-gamma prior (Bishop
2006, chapter 3) starts from "all take as long" and learns the factors that show; batch sizes and
settings that are words may have large ones, other settings small ones.
"""

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from automl.skill.tree import ParamValue
from automl.study.config import StudyConfig
from automl.study.records import TrialRecord, TrialState

__all__ = ["Length", "Lengths", "expected_length", "relative_costs", "whole_seconds"]

# Standard deviations of the logarithm: of the factor over the whole range of a setting, of the
# level, and of one training's time where the settings are the same.
_LARGE, _SMALL, _LEVEL, _SPREAD = 0.7, 0.1, 3.0, 0.1
_PRIOR_WEIGHT = 2.0  # trainings that the prior of the spread counts for
_UPPER = 0.9


@dataclass(frozen=True, slots=True)
class Length:
    """How long a whole training will take.

    Attributes:
        median_s: As likely longer as shorter.
        upper_s: Nine of ten are shorter.
        n: Trainings that it is learned from.
    """

    median_s: float
    upper_s: float
    n: int


def expected_length(
    params: Mapping[str, ParamValue], records: Sequence[TrialRecord], config: StudyConfig
) -> Length | None:
    """How long a whole training with these settings will take; a pure function of the records.

    Trainings that were stopped early count by their epochs where a whole training's epochs are
    known; those that failed do not.

    Args:
        params: The settings, dotted key to value.
        records: The trials of the study.
        config: Which settings are batch sizes, and how many epochs a training has.

    Returns:
        None where no training has ended.
    """
    fitted = Lengths.of(records, config)
    return None if fitted is None else fitted.length(params)


@dataclass(frozen=True, slots=True)
class Lengths:
    """What the trainings that have ended say of others; fitted once, asked often.

    Attributes:
        columns: How settings become numbers.
        centre: Mean logarithm of the seconds.
        weights: (c,) Posterior mean of the factors' logarithms.
        precision: (c, c) Their precision, in units of the spread.
        variance: Of the logarithm of one training's time.
        n: Trainings that it is learned from.
    """

    columns: "_Columns"
    centre: float
    weights: Any
    precision: Any
    variance: float
    n: int

    @classmethod
    def of(cls, records: Iterable[TrialRecord], config: StudyConfig) -> "Lengths | None":
        """The fit to the records; None where no training has ended."""
        known = [(record, whole) for record in records if (whole := whole_seconds(record, config))]
        if not known:
            return None
        import numpy as np

        columns = _Columns.of([dict(record.params) for record, _ in known], config)
        rows = np.asarray([columns.row(record.params) for record, _ in known])
        logs = np.log([whole for _, whole in known])
        centre = fmean(map(float, logs))
        # In units of the spread: the precision of the weights, and what the values add to it.
        precision = np.diag((_SPREAD / np.asarray(columns.widths)) ** 2) + rows.T @ rows
        weights = np.linalg.solve(precision, rows.T @ (logs - centre))
        residual = float((logs - centre) @ (logs - centre) - weights @ precision @ weights)
        variance = (_PRIOR_WEIGHT * _SPREAD**2 + max(0.0, residual)) / (_PRIOR_WEIGHT + len(known))
        return cls(columns, centre, weights, precision, variance, len(known))

    def length(self, params: Mapping[str, ParamValue]) -> Length:
        """How long a whole training with these settings will take."""
        import numpy as np
        from scipy import special

        wanted = np.asarray(self.columns.row(params))
        spread = 1.0 + float(wanted @ np.linalg.solve(self.precision, wanted))
        middle = self.log_median(params)
        above = float(special.stdtrit(_PRIOR_WEIGHT + self.n, _UPPER))
        upper = middle + above * math.sqrt(self.variance * spread)
        return Length(math.exp(middle), math.exp(upper), self.n)

    def log_median(self, params: Mapping[str, ParamValue]) -> float:
        """The logarithm of the median seconds of a whole training with these settings."""
        row = self.columns.row(params)
        return float(self.centre + sum(map(operator.mul, self.weights.tolist(), row)))


def relative_costs(
    records: Iterable[TrialRecord], config: StudyConfig
) -> Callable[[Mapping[str, ParamValue]], float] | None:
    """Cost of a proposal against that of a typical training, as the logarithm of the factor.

    What a sampler gains from a proposal is divided by this (its logarithm subtracted from the
    logarithm of the expected improvement) where the budget is in time: expected improvement a
    second (Snoek, Larochelle and Adams 2012, section 3.2).

    Args:
        records: The trials of the study; not looked at where the budget is in trials.
        config: The limits, and which settings are batch sizes.

    Returns:
        From the settings of a proposal, dotted key to value, to the logarithm. None where nothing
        is known, and where the budget is in trials: a trial then costs a trial.
    """
    fitted = Lengths.of(records, config) if config.limits.is_timed else None
    if fitted is None:
        return None
    return lambda params: float(fitted.log_median(params) - fitted.centre)


def whole_seconds(record: TrialRecord, config: StudyConfig) -> float | None:
    """Seconds of the whole training, all attempts taken together; None where that is not known."""
    if record.seconds <= 0.0:
        return None
    if record.is_usable:
        return record.seconds
    n_epochs, done = config.search.n_epochs, max(record.values, default=-1) + 1
    is_cut = record.state in (TrialState.PRUNED, TrialState.PAUSED)
    return record.seconds * n_epochs / done if is_cut and n_epochs and done else None


@dataclass(frozen=True, slots=True)
class _Columns:
    """How settings become numbers: numbers from -1/2 to 1/2, and one column a word.

    Attributes:
        numbers: Key to the ends of its range, of the logarithm where both are positive.
        words: Key and word, of each word that was tried.
        batches: Which keys are batch sizes.
    """

    numbers: Mapping[str, tuple[float, float]]
    words: tuple[tuple[str, str], ...]
    batches: frozenset[str]

    @classmethod
    def of(cls, tried: Sequence[Mapping[str, ParamValue]], config: StudyConfig) -> "_Columns":
        numbers, words = {}, []
        for key in sorted({key for params in tried for key in params}):
            values = [params[key] for params in tried if key in params]
            scaled = [number for value in values if (number := _number(value)) is not None]
            if len(scaled) == len(values):
                if max(scaled) > min(scaled):
                    numbers[key] = (min(scaled), max(scaled))
            elif len(set(map(repr, values))) > 1:
                words += [(key, word) for word in sorted(set(map(repr, values)))]
        return cls(numbers, tuple(words), frozenset(config.keys.batch_sizes))

    @property
    def widths(self) -> list[float]:
        """Standard deviation of each weight before anything is known."""
        by_number = [_LARGE if key in self.batches else _SMALL for key in self.numbers]
        return [_LEVEL, *by_number, *[_LARGE] * len(self.words)]

    def row(self, params: Mapping[str, ParamValue]) -> list[float]:
        """The settings as numbers; a setting that is missing is in the middle."""
        found = [1.0]
        for key, (low, high) in self.numbers.items():
            number = _number(params.get(key))
            found.append(0.0 if number is None else (number - low) / (high - low) - 0.5)
        return [*found, *(float(repr(params.get(key)) == word) for key, word in self.words)]


def _number(value: ParamValue) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return math.log(value) if value > 0 else float(value)
