"""What the trials at a rung have shown, as scores: all of a forecast but what their ends add."""

from dataclasses import dataclass

from automl.search.ranks import tied_share
from automl.search.rung_table import Cohort
from automl.search.signals import Scored, score, variants
from automl.skill.signals import Signal
from automl.study.config import Objective

__all__ = ["Shown", "SignalReader"]


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """The signals as scores.

    Attributes:
        so_far: The objective so far.
        others: The further ones, each within what it compares in and across all trials.
        tied_share: Share of the trials in the largest group that is tied in the objective so far.
    """

    so_far: Scored
    others: tuple[tuple[Scored, Scored], ...]
    tied_share: float


@dataclass(frozen=True, slots=True)
class SignalReader:
    """Scores the signals of a cohort.

    Attributes:
        objective: What the study improves.
        signals: What it may be judged by, the objective first.
    """

    objective: Objective
    signals: tuple[Signal, ...]

    def __call__(self, cohort: Cohort) -> Shown:
        """The scores of every trial that the cohort holds."""
        columns = zip(self.signals, cohort.merits.T, cohort.values.T, cohort.groups.T, strict=True)
        (_, merits, values, _), *further = columns
        so_far = score(self.objective.metric, merits, values)
        others = tuple(variants(*each) for each in further)
        return Shown(so_far, others, tied_share(merits[so_far.is_known]))
