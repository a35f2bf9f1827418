"""Which settings exist under which options, read off the trials.

A space that is defined by its runs says nowhere that a momentum exists under one optimiser alone;
the trials show it. Without this a proposal would be far from all trials of its optimiser along
settings that neither of them has.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from automl.search.encoding import Array, Cube

__all__ = ["Activity"]


@dataclass(frozen=True, slots=True)
class Activity:
    """Where settings are absent.

    Attributes:
        absent: Column of a setting to the column of a choice, and the options (by index) of that
            choice under which no trial has the setting.
    """

    absent: Mapping[int, tuple[int, Array]]

    @classmethod
    def of(cls, cube: Cube, points: Array) -> "Activity":
        """What the trials at points (n, d) show; NaN is what a trial lacks.

        A setting follows the first choice, present in all trials, whose options tell those that
        have it from those that lack it.
        """
        missing = np.isnan(points)
        whole = [at for at in np.flatnonzero(cube.is_choice) if not missing[:, at].any()]
        absent = {}
        for column in np.flatnonzero(missing.any(axis=0)):
            lacks = missing[:, column]
            for parent in whole:
                without = np.unique(points[lacks, parent])
                if not np.isin(points[~lacks, parent], without).any():
                    absent[int(column)] = (int(parent), without)
                    break
        return cls(absent)

    def masked(self, points: Array) -> Array:
        """(m, d) The points with NaN for what would be absent in them."""
        if not self.absent:
            return points
        masked = points.copy()
        for column, (parent, without) in self.absent.items():
            masked[np.isin(points[:, parent], without), column] = np.nan
        return masked
