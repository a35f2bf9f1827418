"""Recorded trainings as an answer for those that another search would have asked for.

A setting that was never trained is answered by the nearest one that was: each setting is taken as
its place in its range, 0 to 1 on the range's own scale, and an option differs from another by 1.
Distances are root mean squares over the settings, so that 0.1 means a tenth of every range.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import numpy.typing as npt

from automl.search.curves import Curve
from automl.skill.tree import ParamValue
from automl.space.distributions import Distribution
from automl.space.model import SearchSpace
from automl.space.proposal import encode, sampled
from automl.space.value_text import Plain
from automl.study.config import Objective
from automl.study.seeds import derive_seed

__all__ = ["RecordedCurves", "Recording", "best_value"]

_Places = npt.NDArray[np.float64]
# Two recordings of the same settings differ by rounding at most.
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Recording:
    """One training that took place.

    Attributes:
        name: What it is called for a reader, e.g. ``trial 7``.
        params: Dotted key to value; every parameter of the space.
        curve: What it measured.
    """

    name: str
    params: Mapping[str, ParamValue]
    curve: Curve


class RecordedCurves:
    """Answers each training with the recording of the nearest settings.

    Args:
        space: What distances are measured in.
        recordings: What there is to answer with; at least one.
        seed: Which of several recordings of the same settings answers.

    Raises:
        ValueError: There is no recording.
    """

    def __init__(self, space: SearchSpace, recordings: Sequence[Recording], seed: int = 0) -> None:
        if not recordings:
            raise ValueError("there must be at least one recording")
        self._space = space
        self._recordings = tuple(recordings)
        self._seed = seed
        self._n_epochs = max(len(each.curve.epochs) for each in recordings)
        self._places = np.array([self._place(each.params) for each in recordings])
        self._is_option = np.array([part.drawn.ends is None for part in sampled(space)])

    @property
    def n_epochs(self) -> int:
        """Epochs of the longest recording."""
        return self._n_epochs

    def train(self, params: Mapping[str, ParamValue], seed: int | None) -> Curve:
        """The curve of the nearest settings; of several recordings of them, one by seed."""
        return self.nearest(params, seed)[0].curve

    def nearest(
        self, params: Mapping[str, ParamValue], seed: int | None = None
    ) -> tuple[Recording, float]:
        """The recording of the nearest settings, and its distance, 0 to 1."""
        distances = self._distances(self._place(params))
        near = self._near(distances)
        text = json.dumps([dict(params), seed], sort_keys=True, default=str)
        chosen = near[derive_seed(self._seed, "recording", text) % len(near)]
        return self._recordings[chosen], float(distances[chosen])

    def expected(self, params: Mapping[str, ParamValue], objective: Objective) -> float | None:
        """What a whole training of the nearest settings reaches, on average over its recordings.

        Returns:
            None where none of them ran to its end with a value.
        """
        same = self._near(self._distances(self._place(params)))
        values = [best_value(self._recordings[at].curve, objective) for at in same]
        known = [value for value in values if value is not None]
        return fmean(known) if known else None

    def _near(self, distances: _Places) -> Sequence[int]:
        """Which recordings are nearest: one, or several of the same settings."""
        return [int(at) for at in np.flatnonzero(distances <= distances.min() + _SAME)]

    def _distances(self, place: _Places) -> _Places:
        apart = np.abs(self._places - place)
        apart = np.where(self._is_option, apart > 0, apart)
        distances: _Places = np.sqrt(np.mean(apart**2, axis=1))
        return distances

    def _place(self, params: Mapping[str, ParamValue]) -> _Places:
        draws = encode(self._space, params)
        parts = sampled(self._space)
        return np.array([_coordinate(part.drawn, draws[part.draw_name]) for part in parts])


def best_value(curve: Curve, objective: Objective) -> float | None:
    """The best value of a whole training; None where it failed or has none."""
    if curve.failure is not None:
        return None
    metric = objective.metric
    values = [epoch.metrics[metric] for epoch in curve.epochs if metric in epoch.metrics]
    return min(values, key=objective.loss, default=None)


def _coordinate(drawn: Distribution, draw: Plain) -> float:
    """A draw's place in its range; of an option its index."""
    if drawn.ends is None:
        return float(drawn.options.index(draw))
    place = drawn.position(draw)
    return 0.0 if place is None else place
