"""Which images of an evaluation a reader is shown."""

from typing import Final

import numpy as np

from automl.poses.sample import Sample

__all__ = ["N_SIDE_BY_SIDE", "N_WORST", "side_by_side", "worst_targets"]

N_SIDE_BY_SIDE: Final = 6
N_WORST: Final = 12


def side_by_side(sample: Sample) -> tuple[int, ...]:
    """Places of six images, spread evenly over the split: the same for every evaluation of it."""
    n = len(sample.names)
    spread = np.linspace(0, n - 1, min(n, N_SIDE_BY_SIDE)) if n else np.zeros(0)
    return tuple(int(place) for place in np.rint(spread))


def worst_targets(sample: Sample) -> tuple[int, ...]:
    """Rows of the twelve targets with the least 3D IoU, those that were not found first.

    Of equals the more visible one comes first: there is less to excuse it.
    """
    overlaps = np.nan_to_num(sample.targets.numbers("iou_3d"), nan=-1.0)
    visible = sample.targets.numbers("visibility") - sample.targets.numbers("truncation")
    order = np.lexsort((sample.home, -visible, overlaps))
    return tuple(int(row) for row in order[:N_WORST])
