"""What random search would have reached with the same trials: the expected best of k of them."""

from collections.abc import Sequence

from automl.study.config import Objective

__all__ = ["expected_best"]


def expected_best(values: Sequence[float], objective: Objective) -> list[float]:
    r"""The mean, over all subsets of k values, of the best of the subset, for k = 1 ... n.

    Of the values sorted from worst to best, :math:`v_{(1)}, \dots, v_{(n)}`, the i-th is the best
    of a subset of k in :math:`\binom{i-1}{k-1}` of :math:`\binom{n}{k}` cases, hence

    .. math:: E_k = \sum_{i=k}^{n} \binom{i-1}{k-1} \binom{n}{k}^{-1} v_{(i)} .

    It is the unbiased estimate (a U-statistic) of what the best of k draws from the same
    distribution is worth: Tang et al., "Showing Your Work Doesn't Always Work", ACL 2020. Drawn
    with replacement it is the biased one of Dodge et al., "Show Your Work", EMNLP 2019.
    """
    ordered = sorted(values, key=lambda value: -objective.loss(value))
    return [_best_of(ordered, k) for k in range(1, len(ordered) + 1)]


def _best_of(ordered: Sequence[float], k: int) -> float:
    """One of them; each weight follows from the one of the next better value."""
    n = len(ordered)
    weight, total = k / n, 0.0
    for i in range(n, k - 1, -1):
        total += weight * ordered[i - 1]
        weight *= (i - k) / (i - 1) if i > 1 else 0.0
    return total
