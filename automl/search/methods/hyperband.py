"""Hyperband: several halvings at once, each with another first rung.

Li et al., "Hyperband" (JMLR 18, 2018). Halving that begins early compares many trials by little;
where the early signal is poor, halving that begins late, or not at all, is better. Hyperband
spends about as many epochs on each. Here every trial belongs to one bracket, whose first rung is
where it is judged first; at a rung all trials that are judged there compete with each other.
"""

import math
from functools import cache

from automl.search.methods.asha import Asha
from automl.search.rungs import ETA

__all__ = ["bracket_of", "hyperband"]


def hyperband(n_rungs: int) -> Asha:
    """The method over a ladder of so many rungs."""
    return Asha(lambda number: bracket_of(number, n_rungs))


def bracket_of(number: int, n_rungs: int) -> int:
    """The bracket of a trial: the place in the ladder of the first rung that judges it.

    Brackets take turns, each as often as it needs trials: the share that goes on of one with more
    rungs is smaller, so it begins with more. The last bracket has no rungs.

    Args:
        number: The trial's number, from 0.
        n_rungs: Rungs of the ladder.
    """
    turns = _turns(n_rungs)
    return turns[number % len(turns)]


@cache
def _turns(n_rungs: int) -> tuple[int, ...]:
    """The brackets of one round, in the order in which their trials begin."""
    sizes = [_size(n_rungs - first, n_rungs) for first in range(n_rungs + 1)]
    turns = [((1 + n) / size, first) for first, size in enumerate(sizes) for n in range(size)]
    return tuple(first for _, first in sorted(turns))


def _size(n_judging: int, n_rungs: int) -> int:
    """Trials of a bracket with so many rungs, in one round of all brackets."""
    return math.ceil((n_rungs + 1) * float(ETA) ** n_judging / (n_judging + 1))
