"""What the trials together say of settings that nobody tried: a model round the winner.

The model is the one that weighs the winner (``study.gaussian_fit``), asked at other places. Where
one parameter moves and the others stay at the winner's settings, the spread of what it expects
says how much that parameter matters there.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from automl.reports.axes import share_on
from automl.reports.derive import setting
from automl.reports.model import Summary, TrialReport
from automl.space.parameter import Parameter
from automl.space.proposal import sampled
from automl.study.ranking import is_ranked

if TYPE_CHECKING:
    from automl.study.gaussian_fit import GaussianFit
    from automl.study.matern import Array

__all__ = ["ENOUGH", "Landscape", "landscape_of"]

ENOUGH: Final = 8
"""Usable trials below which the model knows too little to be drawn."""
_MOST: Final = 100
_STEPS: Final = 13

Place = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Landscape:
    """A model of the objective over the parameters that varied.

    Attributes:
        parameters: Those that varied.
        order: Their positions, that of the one that matters most round the winner first.
        fit: The model of the standardised objective.
        places: Of the trials it rests on: shares of each parameter's axis, in that order.
        centre: Objective of which the model's 0 stands for.
        scale: Objective of which the model's 1 stands for.
        winner: The winner's place.
    """

    parameters: tuple[Parameter, ...]
    order: tuple[int, ...]
    fit: "GaussianFit"
    places: tuple[Place, ...]
    centre: float
    scale: float
    winner: Place

    def expected(self, places: Sequence[Place]) -> "Array":
        """The objective that is expected at places [n]."""
        kinds = [parameter.has_order for parameter in self.parameters]
        cross = _squared(self.places, places, kinds)
        mean, _ = self.fit.predict(cross, _squared(places, places, kinds))
        return np.asarray(self.centre + self.scale * mean)

    def at_winner(self, moved: Mapping[int, float]) -> Place:
        """The winner's place with some parameters moved, by their position in ``parameters``."""
        return tuple(moved.get(i, share) for i, share in enumerate(self.winner))


def landscape_of(summary: Summary) -> Landscape | None:
    """The model; None where fewer than two parameters varied or too few trials are usable."""
    if summary.winner is None or not summary.is_search:
        return None
    trials = [trial for trial in summary.trials if is_ranked(trial.record)]
    parameters = tuple(p for p in sampled(summary.space) if _has_varied(p, trials))
    best = summary.trial(summary.winner.number)
    if len(trials) < ENOUGH or len(parameters) < 2 or best is None:
        return None
    trials = trials[-_MOST:] if best in trials[-_MOST:] else [best, *trials[1 - _MOST :]]
    found = _fitted(parameters, trials, best)
    return None if found is None else _by_spread(found)


def _has_varied(parameter: Parameter, trials: Sequence[TrialReport]) -> bool:
    shares = [_share(trial, parameter) for trial in trials]
    return None not in shares and len(set(shares)) > 1


def _share(trial: TrialReport, parameter: Parameter) -> float | None:
    return share_on(setting(trial.record.params, parameter.key), parameter)


def _place(trial: TrialReport, parameters: Sequence[Parameter]) -> Place:
    return tuple(_share(trial, parameter) or 0.0 for parameter in parameters)


def _fitted(
    parameters: tuple[Parameter, ...], trials: Sequence[TrialReport], best: TrialReport
) -> Landscape | None:
    from automl.study.gaussian_fit import GaussianFit  # scipy: a fifth of a second

    values = np.array([trial.record.best_value for trial in trials], dtype=np.float64)
    scale = float(values.std())
    if not math.isfinite(scale) or scale == 0.0:
        return None
    places = tuple(_place(trial, parameters) for trial in trials)
    kinds = [parameter.has_order for parameter in parameters]
    centre = float(np.median(values))
    try:
        fit = GaussianFit(_squared(places, places, kinds), (values - centre) / scale)
    except ValueError:
        return None
    order = tuple(range(len(parameters)))
    return Landscape(parameters, order, fit, places, centre, scale, _place(best, parameters))


def _squared(one: Sequence[Place], other: Sequence[Place], kinds: Sequence[bool]) -> "Array":
    """Squared distances of each pair by each parameter; two different options are 1 apart."""
    a, b = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    away = a.T[:, :, None] - b.T[:, None, :]
    ordered = np.asarray(kinds)[:, None, None]
    return np.where(ordered, away**2, (away != 0.0).astype(np.float64))


def _by_spread(found: Landscape) -> Landscape:
    """The same with the parameters in the order in which they matter round the winner."""
    lines = [_line(parameter) for parameter in found.parameters]
    places = [found.at_winner({i: share}) for i, line in enumerate(lines) for share in line]
    expected = found.expected(places)
    starts = np.cumsum([0, *map(len, lines)])
    spreads = [float(np.ptp(expected[start:end])) for start, end in pairwise(starts)]
    order = sorted(range(len(lines)), key=lambda i: -spreads[i])
    return replace(found, order=tuple(order))


def _line(parameter: Parameter) -> list[float]:
    """Places along a parameter, or its options."""
    n = _STEPS if parameter.has_order else len(parameter.options)
    return [i / (n - 1) for i in range(n)] if n > 1 else [0.5]
