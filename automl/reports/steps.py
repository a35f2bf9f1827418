"""What parameters explain of the objective one by one: effects by steps, by least squares."""

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from automl.reports.forest import Column

__all__ = ["additive_design", "parts_of"]

_Floats: TypeAlias = NDArray[np.float64]

#: Parts of a numeric parameter's values over which its effect is taken to be constant.
_PARTS: Final = 5


def parts_of(column: Column, n_parts: int = _PARTS) -> NDArray[np.int64]:
    """The part of each trial's value: an option's number, or one of parts that hold equally many.

    Args:
        column: One parameter over the trials.
        n_parts: Of a number.
    """
    if column.options:
        return np.asarray(column.values, dtype=np.int64)
    ends = np.quantile(column.values, np.linspace(0, 1, n_parts + 1)[1:-1])
    return np.searchsorted(ends, column.values)


def additive_design(columns: Sequence[Column], n_trials: int) -> _Floats:
    """A column of ones, and one indicator for each part of each parameter."""
    design = [np.ones((n_trials, 1))]
    for column in columns:
        part = parts_of(column)
        design.append((part[:, None] == np.unique(part)).astype(float))
    return np.hstack(design)
