"""Families of made-up objectives that behave like trainings; every seed is another member.

All are maximised, end at 0.794 and begin at a default that is usable and not best. Constants of
the search are chosen on ``CHOSEN_ON``; what is claimed is measured on ``REPORTED_ON``.

========  =====================================================================================
bumps     several optima, the one nearest the default not the best; some settings do not matter
recipe    a product of responses that fall off a cliff above their optimum, with a ridge between
          the first two settings; flat at 0 where one of them is far off
waves     a bowl that is turned in the space, with ripples: many shallow optima
steps     plateaus and thresholds; two good corners of different height
branches  a choice of three, each with a setting of its own that the others lack
crash     ``recipe`` with a region beyond the cliff in which no training is possible
========  =====================================================================================
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

__all__ = ["BEST", "CHOSEN_ON", "FAMILIES", "REPORTED_ON", "Problem", "make"]

Array: TypeAlias = NDArray[np.float64]
Response: TypeAlias = Callable[[Array], float]

BEST = 0.794
CHOSEN_ON = ("bumps", "recipe")
REPORTED_ON = ("waves", "steps", "branches", "crash")


@dataclass(frozen=True, slots=True)
class Problem:
    """One member of a family.

    Attributes:
        distributions: Name to what is drawn.
        default: Name to the value of trial 0.
        response: From unit coordinates (d,) to the value without noise; NaN where it crashes.
        only_with: Name of a setting to the choice and option that it exists under.
    """

    distributions: Mapping[str, BaseDistribution]
    default: Mapping[str, Any]
    response: Response
    only_with: Mapping[str, tuple[str, Any]] = field(default_factory=dict)

    def suggest(self, trial: optuna.Trial) -> dict[str, Any]:
        """Draws the settings that exist under the choices drawn before."""
        params: dict[str, Any] = {}
        for name, distribution in self.distributions.items():
            choice, option = self.only_with.get(name, (name, None))
            if choice == name or params[choice] == option:
                params[name] = trial._suggest(name, distribution)
        return params

    def value(self, params: Mapping[str, Any]) -> float:
        """The value without noise; NaN where the training crashes."""
        return self.response(
            np.array([_unit(one, params.get(name)) for name, one in self.distributions.items()])
        )


def make(family: str, n_settings: int, seed: int) -> Problem:
    """The member of a family that a seed stands for."""
    return FAMILIES[family](n_settings, np.random.default_rng([seed, n_settings]))


def _unit(distribution: BaseDistribution, value: Any) -> float:
    """A value on its own scale, from 0 to 1; 0.5 for one that does not exist."""
    if value is None:
        return 0.5
    if isinstance(distribution, CategoricalDistribution):
        return float(distribution.choices.index(value) / max(len(distribution.choices) - 1, 1))
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    low, high = float(distribution.low), float(distribution.high)
    if distribution.log:
        return math.log(value / low) / math.log(high / low)
    return float((value - low) / (high - low))


#: What the settings look like to a sampler, in this order again and again.
_KINDS: tuple[BaseDistribution, ...] = (
    FloatDistribution(1e-6, 1e-2, log=True),
    FloatDistribution(0.01, 1.0, log=True),
    FloatDistribution(0.0, 0.5),
    IntDistribution(1, 32, log=True),
    FloatDistribution(1e-6, 1e-1, log=True),
    CategoricalDistribution((False, True)),
    FloatDistribution(0.4, 0.95),
    IntDistribution(0, 90, step=5),
)


def _space(n_settings: int) -> dict[str, BaseDistribution]:
    return {f"p{index}": _KINDS[index % len(_KINDS)] for index in range(n_settings)}


def _values(distributions: Mapping[str, BaseDistribution], unit: Array) -> dict[str, Any]:
    """The values at unit coordinates, on the grids of their settings."""
    return {
        name: _value(one, float(at))
        for (name, one), at in zip(distributions.items(), unit, strict=True)
    }


def _value(distribution: BaseDistribution, at: float) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[round(at * (len(distribution.choices) - 1))]
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    low, high = float(distribution.low), float(distribution.high)
    value = low * (high / low) ** at if distribution.log else low + at * (high - low)
    if isinstance(distribution, IntDistribution):
        return int(low + round((value - low) / distribution.step) * distribution.step)
    return value


def _bumps(d: int, generator: np.random.Generator) -> Problem:
    space = _space(d)
    default = generator.uniform(0.3, 0.7, d)
    n = 5
    centres = generator.uniform(0.1, 0.9, (n, d))
    away = np.sign(0.5 - default) * generator.uniform(0.25, 0.4, d)
    centres[0] = default + away * (generator.random(d) < max(0.5, 2 / d))
    centres[1] = default + generator.normal(0, 0.08, d)
    widths = generator.uniform(0.15, 0.3, (n, d)) * math.sqrt(max(d, 2) / 2)
    widths *= np.where(generator.random((n, d)) < 0.4, 3.0, 1.0) if d > 2 else 1.0
    heights = np.array([BEST, 0.6, *generator.uniform(0.2, 0.55, n - 2)])

    def response(x: Array) -> float:
        gaps = np.square((x - centres) / widths).sum(axis=1)
        return float((heights * np.exp(-0.5 * gaps)).max())

    return Problem(space, _values(space, default), response)


def _recipe(d: int, generator: np.random.Generator) -> Problem:
    space = _space(d)
    optimum = generator.uniform(0.35, 0.75, d)
    default = np.clip(
        optimum + generator.choice([-1, 1], d) * generator.uniform(0.1, 0.3, d), 0, 1
    )
    matters = np.concatenate([[1.0, 0.6], generator.dirichlet(np.ones(max(d - 2, 1)))])[:d]
    ridge = generator.uniform(-0.6, 0.6)

    def response(x: Array) -> float:
        gap = x - optimum
        gap[1:2] += ridge * gap[0]
        below, above = np.square(gap / 0.28), np.square(gap / 0.12)
        total = float((matters * np.where(gap < 0, below, above)).sum())
        return max(0.0, 1.15 * BEST * math.exp(-0.5 * total) - 0.15 * BEST)

    return Problem(space, _values(space, default), response)


def _waves(d: int, generator: np.random.Generator) -> Problem:
    space = _space(d)
    optimum, default = generator.uniform(0.2, 0.8, d), generator.uniform(0.2, 0.8, d)
    turn, _ = np.linalg.qr(generator.standard_normal((d, d)))
    steep = np.geomspace(4.0, 0.2, d) if d > 1 else np.array([4.0])
    phase = generator.uniform(6, 10)

    def response(x: Array) -> float:
        gap = turn @ (x - optimum)
        bowl = float((steep * gap**2).sum())
        ripple = 0.05 * float(np.mean(1 - np.cos(phase * 2 * gap)))
        return max(0.0, BEST - 0.9 * bowl / (1 + bowl) - ripple)

    return Problem(space, _values(space, default), response)


def _steps(d: int, generator: np.random.Generator) -> Problem:
    space = _space(d)
    default = generator.uniform(0.35, 0.65, d)
    thresholds = generator.uniform(0.3, 0.7, (2, d))
    signs = generator.choice([-1.0, 1.0], (2, d))
    sharp = generator.uniform(8, 25, (2, d))
    shares = generator.dirichlet(np.ones(d), 2)
    heights = np.array([BEST, 0.62])
    edge = generator.uniform(0.85, 0.95, d)
    edges = np.where(signs > 0, edge, 1 - edge)

    def response(x: Array) -> float:
        passed = 1 / (1 + np.exp(-sharp * signs * (x - thresholds)))
        fallen = 1 / (1 + np.exp(-40 * signs * (x - edges)))
        parts = (shares * passed * (1 - fallen)).sum(axis=1) / 0.97
        return float((heights * np.minimum(parts, 1.0) ** 1.5).max())

    return Problem(space, _values(space, default), response)


def _branches(d: int, generator: np.random.Generator) -> Problem:
    options = ("sgd", "adam", "adamw")
    common = {f"p{index}": _KINDS[index % len(_KINDS)] for index in range(max(d - 2, 1))}
    own = {f"own_{name}": FloatDistribution(1e-5, 1e-1, log=True) for name in options}
    space: dict[str, BaseDistribution] = {
        "optimiser": CategoricalDistribution(options),
        **own,
        **common,
    }
    n_common = len(common)
    best = int(generator.integers(1, 3))
    heights = np.full(3, 0.62)
    heights[best] = BEST
    rates = generator.uniform(0.25, 0.75, 3)
    centre = generator.uniform(0.3, 0.7, (3, n_common))
    matters = 1.5 * generator.dirichlet(np.ones(n_common))
    default = {
        "optimiser": "sgd",
        "own_sgd": 1e-3,
        **_values(common, generator.uniform(0.3, 0.7, n_common)),
    }

    def response(x: Array) -> float:
        which = round(x[0] * 2)
        total = ((x[1 + which] - rates[which]) / 0.12) ** 2
        total += float((matters * np.square((x[4:] - centre[which]) / 0.25)).sum())
        return float(heights[which] * math.exp(-0.5 * total))

    only_with = {f"own_{name}": ("optimiser", name) for name in options}
    return Problem(space, default, response, only_with)


def _crash(d: int, generator: np.random.Generator) -> Problem:
    plain = _recipe(d, generator)
    unit = [_unit(one, plain.default[name]) for name, one in plain.distributions.items()]
    edge = max(1.0, float(sum(unit[:2])) + 0.15)

    def response(x: Array) -> float:
        return math.nan if x[0] + x[1] > edge else plain.response(x)

    return Problem(plain.distributions, plain.default, response)


FAMILIES: Mapping[str, Callable[[int, np.random.Generator], Problem]] = {
    "bumps": _bumps,
    "recipe": _recipe,
    "waves": _waves,
    "steps": _steps,
    "branches": _branches,
    "crash": _crash,
}
