"""Whether ending trials early was right, checked on some that went on all the same.

One in ten of the trials that would be paused or stopped goes on to its end, picked by the study's
seed and so by nothing that they have shown. What they and the promoted trials ended with shows how
well the early signal ranks. Where it is as good as certain that it ranks badly, its rung judges no
more: the first rung is thereby raised, and where every rung has failed, all trials run to the end.
"""

from dataclasses import dataclass

import numpy as np

from automl.search.method import SearchView
from automl.search.prediction import Forecast
from automl.search.ranks import correlation, highest_plausible, unrestricted
from automl.study.seeds import derive_seed

__all__ = ["LEAST_CORRELATION", "Trust", "is_audited", "trust_in"]

#: A signal whose rank correlation with the end is surely below this misleads.
LEAST_CORRELATION = 0.3
CONFIDENCE = 0.9
_ONE_IN = 10


@dataclass(frozen=True, slots=True)
class Trust:
    """How well a rung has ranked the trials that ended.

    Attributes:
        rung: The epoch, counted from 1.
        n: Trials that ended.
        correlation: Spearman's, between score and final objective, corrected for the selection.
        at_most: What it is at most, with 90 % confidence.
    """

    rung: int
    n: int
    correlation: float
    at_most: float

    @property
    def misleads(self) -> bool:
        """Whether the rung is not to judge any more."""
        return self.at_most < LEAST_CORRELATION

    def __str__(self) -> str:
        return (
            f"its ranking and that of the ends have a correlation of {self.correlation:.2f} "
            f"({self.n} trials; at most {self.at_most:.2f} with 90 % confidence)"
        )


def is_audited(view: SearchView, number: int) -> bool:
    """Whether a trial goes on to its end where it would be paused or stopped.

    Of each ten numbers the seed picks one. Where half of the trials have started and none was
    audited, as those that were picked went on by their own merit, the next one is.
    """
    limit, seed = view.config.limits.trials, view.config.search.seed
    block = (number - 1) // _ONE_IN
    # The last block may be shorter; a first one that is the only one lies in the first half.
    size = _ONE_IN if limit > 2 * _ONE_IN or block else max(1, min(_ONE_IN, (limit - 1) // 2))
    picked = block * _ONE_IN + 1 + derive_seed(seed, "audit", block) % size
    if number == picked:
        return True
    others = (trial for trial in view.searched() if trial.number != number)
    return 2 * number >= limit and not any(trial.audited for trial in others)


def trust_in(seen: Forecast) -> Trust:
    """What the ends of the trials say about the ranking at a rung.

    Args:
        seen: The forecast at the rung.
    """
    has_ended = ~np.isnan(seen.finals)
    scores, finals, n = seen.scores[has_ended], seen.finals[has_ended], int(has_ended.sum())
    if not n or scores.min() == scores.max():
        return Trust(seen.rung, n, 0.0, 1.0)
    spread = float(seen.scores[seen.is_in].std() / scores.std())
    r = correlation(scores, finals)
    bound = highest_plausible(r, n, CONFIDENCE)
    return Trust(seen.rung, n, unrestricted(r, spread), unrestricted(bound, spread))
