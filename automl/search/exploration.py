"""Points that are tried to learn rather than to win.

Expected improvement alone settles on the first good region that it meets, or in the corners that
it knows least. So every fifth proposal goes where the model would not: into the interior of the
space, along the settings that matter most by the model's own lengthscales. Where more than a third
of the trials are as good as the best, the model has little left to go by: it has arrived, or the
best is a plateau on which noise alone tells trials apart. Then every second proposal is drawn from
the whole space.
"""

import numpy as np
from scipy.stats import qmc

from automl.search.encoding import Array, Cube

__all__ = ["interior", "is_turn", "least_distance", "sobol"]

#: Of so many proposals one explores; and where the values are flat.
_TURN, _FLAT_TURN = 5, 2
#: Distance in lengthscales that a proposal keeps from known points, up to a trial and after it: by
#: then the good regions are known, and what is left is to be exact. Of two settings they are known
#: after the first points.
_EARLY, _NEAREST_EARLY, _NEAREST_LATE = 20, 0.2, 0.03
#: The part of each side that exploration draws from: its middle three quarters.
_MARGIN = 0.125
#: Settings that move at once where there are more.
_MOVES = 2


def sobol(n_settings: int, seed: int, index: int, count: int = 1) -> Array:
    """(count, d) Points of a scrambled Sobol sequence in [0, 1), from one index on.

    The seed scrambles the whole sequence: its points belong together, whoever asks for which.
    """
    sequence = qmc.Sobol(n_settings, scramble=True, rng=np.random.default_rng(seed))
    if index:
        sequence.fast_forward(index)
    return np.asarray(sequence.random(count))


def is_turn(number: int, *, is_flat: bool = False) -> bool:
    """Whether the trial of a number explores.

    Args:
        number: Of the trial.
        is_flat: Whether too many trials are as good as the best to be told apart.
    """
    return number % (_FLAT_TURN if is_flat else _TURN) == 0


def least_distance(number: int, n_settings: int) -> float:
    """How far from every known point the proposal of a number must be, in lengthscales."""
    is_early = number <= _EARLY and n_settings > _MOVES
    return _NEAREST_EARLY if is_early else _NEAREST_LATE


def interior(
    cube: Cube, origin: Array, lengthscales: Array, count: int, generator: np.random.Generator
) -> Array:
    """(count, d) Points in the interior of the cube.

    With up to two settings every setting is drawn. With more, two of them move away from
    ``origin``, drawn by the inverse of their lengthscales: what does not matter need not move.

    Args:
        cube: The space.
        origin: (d,) The point that is known to be good.
        lengthscales: (d,) One a setting.
        count: How many points.
        generator: Source of the draws.
    """
    shares = generator.random((count, len(cube)))
    inner = _MARGIN + (1 - 2 * _MARGIN) * shares
    drawn = cube.spread(np.where(cube.is_choice, shares, inner))
    if len(cube) <= _MOVES:
        return drawn
    # The largest of Gumbel draws plus log weights are a sample without replacement.
    keys = generator.gumbel(size=drawn.shape) - np.log(lengthscales)
    moves = keys >= np.sort(keys, axis=1)[:, [-_MOVES]]
    return np.asarray(np.where(moves, drawn, origin))
