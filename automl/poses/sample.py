"""A table of poses as statistics need it: by image, and by object."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from automl.poses.table import PoseTable

__all__ = ["VISIBLE_FROM", "Precision", "Ratio", "Sample", "Statistic", "sample_of"]

VISIBLE_FROM: Final = 0.1
"""Objects less visible than this are no target (BOP: at least 10 % of the object is visible)."""

_Numbers = npt.NDArray[np.float64]
_Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Ratio:
    """A mean over things that lie in images: sums of the images that count, divided.

    Attributes:
        total: (I,) sum over each image.
        count: (I,) things in each image.
    """

    total: _Numbers
    count: _Numbers

    def values(self, weights: _Numbers) -> _Numbers:
        """(B,) of (B, I) weights: how often each image counts; NaN where there is nothing."""
        count = weights @ self.count
        nothing = np.full_like(count, np.nan)
        return np.divide(weights @ self.total, count, out=nothing, where=count > 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Precision:
    """An average precision.

    Attributes:
        scores: (N,) scores of the detections.
        passed: (N,) whether each is right.
        image: (N,) place of each one's image.
        objects: (I,) objects to be found in each image.
    """

    scores: _Numbers
    passed: npt.NDArray[np.bool_]
    image: _Indices
    objects: _Numbers

    def values(self, weights: _Numbers) -> _Numbers:
        """(B,) of (B, I) weights: how often each image counts."""
        from automl.poses.precision import weighted_precision

        return weighted_precision(
            self.scores, self.passed, weights[:, self.image], weights @ self.objects
        )


Statistic = Ratio | Precision


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The images of an evaluation, their detections and their objects.

    An object is judged by one detection, that of the highest score among those compared with it.

    Attributes:
        names: The images' names, in the order of the split.
        detections: The rows with a score.
        image: (N,) place in ``names`` of each one's image.
        targets: One row an object that is visible enough: its best detection's, or its own.
        home: (M,) place in ``names`` of each target's image.
        objects: (I,) objects in each image, also those that are hardly visible.
    """

    names: tuple[str, ...]
    detections: PoseTable
    image: _Indices
    targets: PoseTable
    home: _Indices
    objects: _Numbers

    @property
    def found(self) -> npt.NDArray[np.bool_]:
        """(M,) whether any detection was compared with the target."""
        return np.isfinite(self.targets.numbers("score"))

    def over_targets(self, values: _Numbers) -> Ratio:
        """The mean of (M,) values over targets; NaN counts as 0: an object not found."""
        return self._ratio(np.nan_to_num(values), self.home)

    def over_found(self, values: _Numbers) -> Ratio:
        """The mean of (N,) values over the detections that were compared with an object."""
        matched = self.detections.numbers("object") >= 0
        return self._ratio(values[matched], self.image[matched])

    def precision(self, passed: npt.NDArray[np.bool_]) -> Precision:
        """The average precision by which of the (N,) detections are right.

        As in the container, a detection whose nearest object is hardly visible comes last.
        """
        matched = self.detections.numbers("object") >= 0
        scores = np.where(matched, self.detections.numbers("score"), 0.0)
        return Precision(scores, passed & matched, self.image, self.objects)

    def _ratio(self, values: _Numbers, image: _Indices) -> Ratio:
        n = len(self.names)
        count = np.bincount(image, minlength=n).astype(np.float64)
        total = np.bincount(image, weights=values, minlength=n).astype(np.float64)
        return Ratio(total, count)


def sample_of(table: PoseTable) -> Sample:
    """The rows of an evaluation, sorted into images and objects."""
    index = table.numbers("index").astype(np.intp)
    numbers, first, image = np.unique(index, return_index=True, return_inverse=True)
    names = tuple(str(name) for name in table["image"][first])
    score, which = table.numbers("score"), table.numbers("object").astype(np.intp)
    best_first = np.lexsort((-np.nan_to_num(score, nan=-1.0), which, image))
    best_first = best_first[which[best_first] >= 0]
    keys = np.stack([image[best_first], which[best_first]], axis=1)
    _, chosen = np.unique(keys, axis=0, return_index=True)
    objects = best_first[chosen]
    targets = objects[table.numbers("visibility")[objects] >= VISIBLE_FROM]
    detected = np.flatnonzero(np.isfinite(score))
    return Sample(
        names,
        table.take(detected),
        image[detected],
        table.take(targets),
        image[targets],
        np.bincount(image[objects], minlength=len(numbers)).astype(np.float64),
    )
