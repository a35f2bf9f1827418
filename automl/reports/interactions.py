"""Pairs of parameters that matter together beyond what each of them does alone.

What the pair and every parameter that was found to matter explain one by one, by steps and by a
cubic, is taken out of the values. What products of the two (of powers up to the second, or of
options) explain of the rest is compared with what they explain of shuffled rests, from which the
same effects are taken out again (Freedman and Lane 1983).
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from automl.reports.forest import Column
from automl.reports.holm import by_holm
from automl.reports.steps import additive_design

__all__ = ["Interaction", "PairTests", "interactions_of"]

_Floats: TypeAlias = NDArray[np.float64]

_ALONE, _TOGETHER = 3, 2  # highest power of a number, beside its steps; and in products
_FEWEST_SHUFFLES, _SHUFFLES_A_PAIR, _MOST_SHUFFLES = 199, 40, 1999
#: Trials that must be left for each number that is fitted.
_TRIALS_A_NUMBER: Final = 1.5
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Interaction:
    """A pair that is separable from chance.

    Attributes:
        first: One parameter's key.
        second: The other's.
        share: Of the objective's variation, what their products explain beyond both one by one and
            beyond what they explain of shuffled rests.
        p: How often shuffled rests give as much.
    """

    first: str
    second: str
    share: float
    p: float


@dataclass(frozen=True, slots=True)
class PairTests:
    """The pairs that were looked at.

    Attributes:
        found: Those that are separable from chance, the largest share first.
        n_tested: How many were looked at; pairs for which there are too few trials are not.
    """

    found: tuple[Interaction, ...] = ()
    n_tested: int = 0


def interactions_of(
    columns: Sequence[tuple[str, Column]],
    values: _Floats,
    mattering: Collection[str],
    rng: np.random.Generator,
) -> PairTests:
    """The pairs that matter together, of those of which one parameter matters by itself.

    Two that matter only together are rare, and as many more tests would hide the others.

    Args:
        columns: Each parameter's key and values over the trials.
        values: The objective of each trial.
        mattering: The keys of the parameters that matter by themselves.
        rng: For the shuffles.
    """
    pairs = [
        (one, two)
        for one, two in combinations(columns, 2)
        if one[0] in mattering or two[0] in mattering
    ]
    n_shuffles = min(_MOST_SHUFFLES, max(_FEWEST_SHUFFLES, _SHUFFLES_A_PAIR * len(pairs) - 1))
    main = [column for key, column in columns if key in mattering]
    tested = {}
    for one, two in pairs:
        found = _tested(main, (one[1], two[1]), values, rng, n_shuffles)
        if found is not None:
            tested[one[0], two[0]] = found
    passed = by_holm({pair: p for pair, (_, p) in tested.items()})
    known = [Interaction(*pair, tested[pair][0], p) for pair, p in passed.items()]
    return PairTests(tuple(sorted(known, key=lambda each: -each.share)), len(tested))


def _tested(
    main: Sequence[Column],
    pair: tuple[Column, Column],
    values: _Floats,
    rng: np.random.Generator,
    n_shuffles: int,
) -> tuple[float, float] | None:
    """The share of a pair and its p-value; None where there are too few trials for it."""
    n = len(values)
    smooth = [_terms(column, _ALONE) for column in (*main, *pair)]
    alone = _basis(np.hstack([additive_design([*main, *pair], n), *smooth]))
    products = _products(*(_terms(column, _TOGETHER) for column in pair))
    together = _basis(products - alone @ (alone.T @ products))
    if not together.shape[1] or n < _TRIALS_A_NUMBER * (alone.shape[1] + together.shape[1]):
        return None
    total = float(np.sum((values - values.mean()) ** 2))
    rest = values - alone @ (alone.T @ values)
    if np.sum(rest**2) <= _ROUNDING * total:
        return None
    shuffled = np.column_stack([rng.permutation(rest) for _ in range(n_shuffles)])
    shuffled -= alone @ (alone.T @ shuffled)
    explained = [
        np.sum((together.T @ each) ** 2, axis=0) / np.sum(each**2, axis=0)
        for each in (rest[:, None], shuffled)
    ]
    ours, chance = float(explained[0][0]), explained[1]
    share = max(0.0, ours - float(chance.mean())) * float(np.sum(rest**2)) / total
    return share, float(1 + np.sum(chance >= ours)) / (1 + n_shuffles)


def _terms(column: Column, degree: int) -> _Floats:
    """Powers of a number from the first on, about the middle; one indicator for each option."""
    if column.options:
        return np.asarray(column.values[:, None] == np.unique(column.values), dtype=float)
    middle = np.asarray(column.values, dtype=float) - 0.5
    return np.column_stack([middle**power for power in range(1, degree + 1)])


def _products(first: _Floats, second: _Floats) -> _Floats:
    """Every term of one parameter times every term of the other."""
    both = first[:, :, None] * second[:, None, :]
    return both.reshape(len(first), -1)


def _basis(design: _Floats) -> _Floats:
    """Orthonormal columns that span those of a design."""
    left, sizes, _ = np.linalg.svd(design, full_matrices=False)
    kept: _Floats = left[:, sizes > _ROUNDING * max(1.0, float(sizes.max(initial=0.0)))]
    return kept


def sentences(pairs: PairTests, names: dict[str, str]) -> Iterator[str]:
    """What the page says of them."""
    if not pairs.n_tested:
        return
    for each in pairs.found:
        yield (
            f"{names[each.first]} and {names[each.second]} matter together: {each.share:.2f} of "
            f"the variation beyond each alone (p = {each.p:.3f})"
        )
    if not pairs.found:
        yield f"no pair matters beyond its two parameters ({pairs.n_tested} tested, 5 %, Holm)"
