"""The most promising point of a cube, by search without gradients.

The same few lines serve numbers, grids and choices: many points at once over the whole cube and
near the best known ones, then smaller and smaller steps from the best of those.
"""

from collections.abc import Callable

import numpy as np

from automl.search.encoding import Array, Cube
from automl.search.exploration import sobol

__all__ = ["maximise"]

_SPREAD, _NEAR = 512, 64
_ROUNDS, _KEPT, _STEPS = 6, 6, 32
_FIRST_STEP = 0.2
#: Of a choice that moves, the share of draws that take another option.
_SWITCH = 0.3


def maximise(
    score: Callable[[Array], Array], cube: Cube, near: Array, generator: np.random.Generator
) -> Array:
    """(d,) The point of the highest score that was found.

    Args:
        score: From points (m, d) to (m,).
        cube: The space.
        near: (k, d) Points that are worth a look around.
        generator: Source of the draws.
    """
    shares = sobol(len(cube), int(generator.integers(2**31)), 0, _SPREAD)
    points = np.concatenate([cube.spread(shares), *_moved(cube, near, _NEAR, 0, generator)])
    scores = score(points)
    for turn in range(_ROUNDS):
        kept = points[np.argsort(-scores, kind="stable")[:_KEPT]]
        moved = np.concatenate(list(_moved(cube, kept, _STEPS, turn, generator)))
        points = np.concatenate([kept, moved])
        scores = score(points)
    return np.asarray(points[np.argmax(scores)])


def _moved(
    cube: Cube, origins: Array, count: int, turn: int, generator: np.random.Generator
) -> list[Array]:
    """``count`` points near each origin, in steps that halve from turn to turn."""
    moved = []
    for origin in origins:
        shape = (count, len(cube))
        # Few settings at a time: a step in all of them at once rarely helps in many dimensions.
        share = generator.uniform(min(1.0, 1.5 / len(cube)), 1.0, size=(count, 1))
        moves = generator.random(shape) < share
        steps = _FIRST_STEP * 0.5**turn * generator.standard_normal(shape)
        drawn = origin + np.where(moves, steps, 0.0)
        switched = moves & (generator.random(shape) < _SWITCH) & cube.is_choice
        others = cube.spread(generator.random(shape))
        points = np.where(cube.is_choice, np.where(switched, others, origin), drawn)
        moved.append(cube.snap(points))
    return moved
