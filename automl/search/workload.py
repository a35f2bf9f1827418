"""How much a study will train, known before it begins: how often, and how much of each training.

What a plan costs and what a running study still has before it are reckoned from the same figures.
With rungs the share of a training that a trial takes is a range: by the rule one in three goes on
at each rung, but the first ones go on unjudged, and some only to check the rule. In 158 simulated
searches on eight families (``tests/bench/search/results``, method ``auto``) a trial took 1.2 to
2.1 times the share of the rule, the lowest and the highest twentieth left out.
"""

from dataclasses import dataclass
from math import ceil

from automl.search.rungs import ETA
from automl.study.config import SearchSettings, StudyConfig
from automl.study.confirmation import most_of_race, n_planned

__all__ = ["Between", "Workload", "workload_of"]

#: Times the rule's share that a trial of a rung method takes, at the least and at the most.
_LEAST, _MOST = 1.2, 2.1


@dataclass(frozen=True, slots=True)
class Between:
    """A range of an amount, its lowest value first."""

    low: float
    high: float

    def scaled(self, low: float, high: float) -> "Between":
        """Each end by a factor of its own."""
        return Between(low * self.low, high * self.high)


@dataclass(frozen=True, slots=True)
class Workload:
    """What a study trains.

    Attributes:
        trials: Trials of the search.
        starts: How often a trial of the search is started on average, at the most; at least once.
        least: Share of a whole training that a trial of the search takes on average, at the least.
        most: The same at the most.
        confirming: Whole trainings after the search, at the least.
        most_confirming: The same at the most.
        at_once: Trainings that run at the same time.
    """

    trials: int
    starts: float
    least: float
    most: float
    confirming: int
    most_confirming: int
    at_once: int

    def wall(self, start: Between, epochs: Between) -> Between:
        """Wall time of the study.

        Args:
            start: Seconds of a training outside its epochs.
            epochs: Seconds of all epochs of a whole training.
        """
        rounds = ceil(self.trials / self.at_once)
        after, most_after = (
            ceil(n / self.at_once) for n in (self.confirming, self.most_confirming)
        )
        return Between(
            rounds * (start.low + self.least * epochs.low) + after * (start.low + epochs.low),
            rounds * (self.starts * start.high + self.most * epochs.high)
            + most_after * (start.high + epochs.high),
        )

    def trained(self, start: Between, epochs: Between) -> Between:
        """Seconds of all trainings added up; the arguments are those of ``wall``."""
        low = self.trials * (start.low + self.least * epochs.low)
        high = self.trials * (self.starts * start.high + self.most * epochs.high)
        return Between(
            low + self.confirming * (start.low + epochs.low),
            high + self.most_confirming * (start.high + epochs.high),
        )


def workload_of(config: StudyConfig) -> Workload:
    """What a study trains by its settings alone, its confirmations included."""
    limits = config.limits
    starts, share = _by_rule(config.search)
    is_whole = not config.search.rungs
    fewest = n_planned(config)
    race, pair = (most_of_race(config), 2 * limits.most_seeds) if fewest else (0, 0)
    return Workload(
        trials=limits.trials,
        starts=starts,
        least=1.0 if is_whole else min(1.0, _LEAST * share),
        most=1.0 if is_whole else min(1.0, _MOST * share),
        confirming=fewest - race,
        most_confirming=race + pair,
        at_once=config.resources.max_concurrent,
    )


def _by_rule(search: SearchSettings) -> tuple[float, float]:
    """How often a trial is started on average, and what share of a whole training it takes."""
    starts = share = 0.0
    going_on, before = 1.0, 0
    for until in (*search.rungs, search.n_epochs or 1):
        starts += going_on
        share += going_on * (until - before) / (search.n_epochs or 1)
        going_on, before = going_on / ETA, until
    return starts, share
