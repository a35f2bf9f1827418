"""Totally randomised trees over a study's trials, and two importances read off them.

Where a tree splits is drawn without a look at the outcomes (Geurts, Ernst and Wehenkel 2006,
Extra-Trees with one candidate). One forest therefore serves the outcomes as they are and every
permutation of them at once, as one matrix product a tree. In such trees the mean decrease of
impurity of a parameter that changes nothing tends to zero (Louppe, Wehenkel, Sutera and Geurts
2013), also where a sampler has tried it together with one that does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Column", "Forest"]

_Floats: TypeAlias = NDArray[np.float64]

_TREES = 64
_DEPTH = 8
_LEAF = 2
#: Places at which a numeric parameter's marginal is looked at, as many in each part of its range.
_PLACES = (np.arange(24) + 0.5) / 24


@dataclass(frozen=True, slots=True)
class Column:
    """One parameter over the trials.

    Attributes:
        values: One a trial: in [0, 1] on the parameter's own scale, or the number of an option.
        options: How many options there are; 0 for a number.
    """

    values: NDArray[Any]
    options: int = 0


@dataclass(frozen=True, slots=True)
class _RegressionTree:
    """Nodes of one tree, the root first.

    Attributes:
        members: Nodes by trials: 1 where the trial lies in the node.
        feature: The parameter that a node splits; -1 for a leaf.
        left: The child with the lower values; only where there is a split.
        right: The other child.
        low: Lower corner of each node's box, nodes by parameters.
        high: Upper corner.
        places: Where each parameter's marginal is looked at, in the tree's own order of options.
    """

    members: _Floats
    feature: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    low: _Floats
    high: _Floats
    places: Sequence[_Floats]

    def decreases(self, outcomes: _Floats) -> _Floats:
        """How much each parameter's splits take off the sum of squares, for each outcome."""
        inner = self.feature >= 0
        weight = (self.members @ outcomes) ** 2 / self.members.sum(axis=1, keepdims=True)
        gains = weight[self.left[inner]] + weight[self.right[inner]] - weight[inner]
        total = np.zeros((len(self.places), outcomes.shape[1]))
        np.add.at(total, self.feature[inner], gains)
        return total

    def resampled(self, outcome: _Floats, weights: _Floats) -> tuple[_Floats, list[_Floats]]:
        """Decreases and marginals where each trial counts so often as a draw has it.

        Args:
            outcome: One value a trial.
            weights: Trials by draws.

        Returns:
            Parameters by draws; and for each parameter its places by draws.
        """
        count = self.members @ weights
        total = self.members @ (weights * outcome[:, None])
        weight = np.divide(total**2, count, out=np.zeros_like(total), where=count > 0)
        inner, leaf = self.feature >= 0, self.feature < 0
        gains = weight[self.left[inner]] + weight[self.right[inner]] - weight[inner]
        decreases = np.zeros((len(self.places), weights.shape[1]))
        np.add.at(decreases, self.feature[inner], gains)
        # A leaf that a draw left empty keeps the mean of all trials, 0.
        means = np.divide(total, count, out=np.zeros_like(total), where=count > 0)[leaf]
        return decreases, self._curves(means)

    def marginals(self, outcome: _Floats) -> list[_Floats]:
        """The mean prediction at each place of each parameter, all others at random."""
        leaf = self.feature < 0
        means = self.members[leaf] @ outcome / self.members[leaf].sum(axis=1)
        return [curve[:, 0] for curve in self._curves(means[:, None])]

    def _curves(self, means: _Floats) -> list[_Floats]:
        """Marginals of means [leaves, draws]: [places, draws] for each parameter."""
        leaf = self.feature < 0
        low, high = self.low[leaf], self.high[leaf]
        volume = np.prod(high - low, axis=1)
        curves = []
        for i, places in enumerate(self.places):
            inside = (places[:, None] >= low[:, i]) & (places[:, None] < high[:, i])
            share = volume / (high[:, i] - low[:, i])
            curves.append(inside @ (means * share[:, None]))
        return curves


@dataclass(frozen=True, slots=True)
class Forest:
    """Trees over the same trials."""

    trees: tuple[_RegressionTree, ...]

    @classmethod
    def grown(cls, columns: Sequence[Column], rng: np.random.Generator) -> "Forest":
        """A forest over at least two trials and one parameter."""
        return cls(tuple(_grown(columns, rng) for _ in range(_TREES)))

    def impurity_shares(self, outcomes: _Floats) -> _Floats:
        """Each parameter's share of the mean decrease of impurity, in [0, 1].

        Args:
            outcomes: Trials by outcomes.

        Returns:
            Parameters by outcomes; zeros for an outcome that is the same in every trial.
        """
        centred = outcomes - outcomes.mean(axis=0)
        return _shares(np.sum([tree.decreases(centred) for tree in self.trees], axis=0))

    def variance_shares(self, outcome: _Floats) -> _Floats:
        """Each parameter's share of the variance of first order (Hutter et al. 2014, fANOVA).

        Args:
            outcome: One value a trial.

        Returns:
            One share a parameter; zeros for an outcome that is the same in every trial.
        """
        curves = [tree.marginals(outcome - outcome.mean()) for tree in self.trees]
        variances = [float(np.var(np.mean(curve, axis=0))) for curve in zip(*curves, strict=True)]
        return _shares(np.array(variances)[:, None])[:, 0]

    def resampled(self, outcome: _Floats, weights: _Floats) -> tuple[_Floats, _Floats]:
        """Both shares of each parameter where trials are drawn again; the trees stay.

        Args:
            outcome: One value a trial.
            weights: Trials by draws: how often each trial counts.

        Returns:
            The shares of impurity and those of variance, each parameters by draws.
        """
        centred = outcome - outcome.mean()
        found = [tree.resampled(centred, weights) for tree in self.trees]
        decreases = np.sum([each for each, _ in found], axis=0)
        curves = [np.mean(each, axis=0) for each in zip(*(c for _, c in found), strict=True)]
        return _shares(decreases), _shares(np.array([np.var(curve, axis=0) for curve in curves]))


def _shares(amounts: _Floats) -> _Floats:
    total = amounts.sum(axis=0)
    shares: _Floats = np.divide(amounts, total, out=np.zeros_like(amounts), where=total > 0)
    return shares


def _grown(columns: Sequence[Column], rng: np.random.Generator) -> _RegressionTree:
    orders = [rng.permutation(column.options) for column in columns]
    points = np.column_stack(
        [
            (order[column.values] + 0.5) / column.options if column.options else column.values
            for order, column in zip(orders, columns, strict=True)
        ]
    )
    nodes = _split_all(points, rng)
    members = np.zeros((len(nodes), len(points)))
    for row, node in zip(members, nodes, strict=True):
        row[node.rows] = 1.0
    return _RegressionTree(
        members,
        feature=np.array([node.feature for node in nodes]),
        left=np.array([node.left for node in nodes]),
        right=np.array([node.left + 1 for node in nodes]),
        low=np.array([node.low for node in nodes]),
        high=np.array([node.high for node in nodes]),
        places=[(order + 0.5) / len(order) if len(order) else _PLACES for order in orders],
    )


@dataclass(slots=True)
class _Node:
    rows: NDArray[np.int64]
    low: _Floats
    high: _Floats
    depth: int
    feature: int = -1
    left: int = 0


def _split_all(points: _Floats, rng: np.random.Generator) -> list[_Node]:
    n, d = points.shape
    nodes = [_Node(np.arange(n), np.zeros(d), np.ones(d), 0)]
    for node in nodes:  # grows while it is walked: children are appended
        split = _split(points[node.rows], rng) if node.depth < _DEPTH else None
        if split is None:
            continue
        node.feature, threshold = split
        node.left = len(nodes)
        is_left = points[node.rows, node.feature] <= threshold
        low, high = node.low.copy(), node.high.copy()
        low[node.feature] = high[node.feature] = threshold
        nodes.append(_Node(node.rows[is_left], node.low, high, node.depth + 1))
        nodes.append(_Node(node.rows[~is_left], low, node.high, node.depth + 1))
    return nodes


def _split(points: _Floats, rng: np.random.Generator) -> tuple[int, float] | None:
    """A parameter and a threshold, both at random; None where no split leaves enough trials."""
    if len(points) < 2 * _LEAF:
        return None
    for feature in rng.permutation(points.shape[1]):
        values = points[:, feature]
        threshold = float(rng.uniform(values.min(), values.max()))
        n_left = int(np.count_nonzero(values <= threshold))
        if _LEAF <= n_left <= len(points) - _LEAF:
            return int(feature), threshold
    return None
