"""What the rest of a search is expected to gain, against what anybody could see of it.

The model of ``study/posterior`` believes something of every setting that was tried, and of others
between them. Functions are drawn from that belief: how far the best of the most promising points
lies above the best that was tried is what the remaining trials may gain. It is the regret that
Optuna's terminator bounds (Makarova et al., "Automatic Termination for Hyperparameter
Optimization", AutoML 2022), for as many points as there are trials left. A gain below the luck of
one seed cannot be told from chance, so what counts is the chance of more. The mean alone would not
do: on ``tests/bench/search`` it fell below the noise while a third of what was there to gain was
still left.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from automl.skill.tree import ParamValue
from automl.study.config import StudyConfig
from automl.study.expected import columns_of
from automl.study.posterior import MOST_POINTS, Column, Observed, Posterior, posterior
from automl.study.ranking import is_ranked
from automl.study.records import TrialRecord
from automl.study.seeds import derive_seed

__all__ = ["FurtherGain", "further_gain"]

#: Trials with a value before anything is estimated.
_FEWEST = 15
#: Chance of a gain that could be seen, below which it is unlikely.
_UNLIKELY = 0.02
_FUNCTIONS = 512
#: Where a candidate lies: at one that was tried, or between two of them.
_BETWEEN = 0.7


@dataclass(frozen=True, slots=True)
class FurtherGain:
    """What may still be gained.

    Attributes:
        expected: How far the rest is expected to improve on the best so far, in the metric's unit.
        chance: That it improves on it by more than ``noise``.
        noise: Standard deviation of one training's objective over seeds.
        best: What the best so far is expected to give.
        n_left: Trials that it is reckoned for.
    """

    expected: float
    chance: float
    noise: float
    best: float
    n_left: int

    @property
    def is_unlikely(self) -> bool:
        """Whether there is hardly a chance of a gain above the luck of one seed."""
        return self.chance < _UNLIKELY

    def __str__(self) -> str:
        trials = "the trial" if self.n_left == 1 else f"the {self.n_left} trials"
        return (
            f"{trials} left would gain {self.expected:.2g} over the best so far "
            f"({self.best:.4f}) on average, with a chance of {self.chance:.0%} more than the luck "
            f"of one seed ({self.noise:.2g})"
        )


def further_gain(
    records: Sequence[TrialRecord], config: StudyConfig, n_left: int
) -> FurtherGain | None:
    """What the trials that are left are expected to gain; a pure function of its arguments.

    Fresh seeds count for nothing here, so that what a confirmation measures opens no search again.

    Args:
        records: The trials of the study.
        config: Which way is better, and the seed.
        n_left: Trials that may still be started.

    Returns:
        None where too few trials have a value, or their values admit no model.
    """
    trials = sorted((each for each in records if is_ranked(each)), key=lambda each: each.number)
    if len(trials) < _FEWEST or n_left < 1:
        return None
    loss = config.objective.loss
    losses = tuple(loss(each.best_value or 0.0) for each in trials)
    n_tried = len(trials)
    n_points = max(MOST_POINTS, 2 * n_tried)
    seed = derive_seed(config.search.seed, "gain", n_tried)
    columns = _with_candidates(columns_of(trials), n_points - n_tried, seed)
    found = posterior(Observed(n_points, columns, losses, tuple(range(n_tried))))
    if found is None:
        return None
    return _drawn(found, n_tried, n_left, config)


def _drawn(found: Posterior, n_tried: int, n_left: int, config: StudyConfig) -> FurtherGain:
    """The gain of the most promising candidates over the best tried point, by drawn functions."""
    import numpy as np

    losses = np.asarray(found.losses)
    tried = np.asarray(found.points) < n_tried
    best = int(np.argmin(np.where(tried, losses, math.inf)))
    values, vectors = np.linalg.eigh(np.asarray(found.covariance))
    seed = derive_seed(config.search.seed, "functions", n_tried)
    normal = np.random.default_rng(seed).standard_normal((len(losses), _FUNCTIONS))
    drawn = losses[:, None] + (vectors * np.sqrt(np.maximum(values, 0.0))) @ normal
    gains = np.maximum(drawn[best] - drawn, 0.0)
    promising = np.argsort(-gains.mean(axis=1) + 1e9 * tried, kind="stable")[:n_left]
    most = gains[promising].max(axis=0)
    return FurtherGain(
        expected=float(most.mean()),
        chance=float((most > found.noise).mean()),
        noise=found.noise,
        best=config.objective.loss(float(losses[best])),
        n_left=n_left,
    )


def _with_candidates(columns: Sequence[Column], count: int, seed: int) -> tuple[Column, ...]:
    """Columns with points beside those that were tried: each setting between two tried values."""
    import numpy as np

    generator = np.random.default_rng(seed)
    found = []
    for column in columns:
        ends = generator.integers(len(column), size=(count, 2))
        shares = np.where(generator.random(count) < _BETWEEN, generator.random(count), 0.0)
        drawn = (
            _between(column[one], column[other], float(share))
            for (one, other), share in zip(ends, shares, strict=True)
        )
        found.append((*column, *drawn))
    return tuple(found)


def _between(one: ParamValue, other: ParamValue, share: float) -> ParamValue:
    """A value between two numbers, by their logarithms where both are positive; else the first."""
    if not (_is_number(one) and _is_number(other)):
        return one
    low, high = float(str(one)), float(str(other))
    if low > 0 and high > 0:
        return math.exp((1 - share) * math.log(low) + share * math.log(high))
    return (1 - share) * low + share * high


def _is_number(value: ParamValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
