"""What a search method is: it sees the trials of a study, and says what happens next.

A method answers two questions: which trial starts where a place is free, and whether a trial that
was just measured goes on. It answers from what the Optuna study holds and from nothing else: no
clock, no files, no memory of its own. So a study replayed decides as it did when it ran, and one
that was killed goes on as it would have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from automl.search.decision import Decision, SearchEnd
from automl.study import attributes
from automl.study.config import StudyConfig
from automl.study.records import Measurement, TrialRecord, TrialState

__all__ = ["GoOn", "Method", "Propose", "SearchView", "Start", "TrainAgain", "TrialView"]


@dataclass(frozen=True, slots=True)
class TrialView:
    """A trial as a method sees it.

    Attributes:
        record: Number, state, params, objective values, failure, source and seed.
        measured: Every measurement that counts, inherited ones included, by epoch: the objective
            and whatever else the trainer reported.
        audited: Why it would have been stopped or paused, where it goes on so that the decision
            can be checked; empty of all others.
    """

    record: TrialRecord
    measured: tuple[Measurement, ...] = ()
    audited: str = ""

    @property
    def number(self) -> int:
        """Its number, from 0."""
        return self.record.number

    @property
    def epoch(self) -> int:
        """The newest measured epoch, from 0; -1 before the first measurement."""
        return self.measured[-1].epoch if self.measured else -1

    def metric(self, name: str, epoch: int) -> float | None:
        """The value of a metric at an epoch; None where it was not reported."""
        for entry in reversed(self.measured):
            if entry.epoch == epoch:
                return entry.metrics.get(name)
        return None


@dataclass(frozen=True, slots=True)
class SearchView:
    """Everything that a method may decide by.

    Attributes:
        trials: Every logical trial, by number.
        config: What was asked for: objective, limits, seeds, rungs.
        total: Configurations that the space holds; infinite where a setting is continuous.
        n_refused: Proposals that were refused before they were started.
        n_tried: Different configurations that were run or refused; counted only where there may
            be as many as the space holds, and 0 elsewhere.
        ended: Why the study's time allows no further trial of the search; None while it does.
    """

    trials: Sequence[TrialView]
    config: StudyConfig
    total: float = float("inf")
    n_refused: int = 0
    n_tried: int = 0
    ended: SearchEnd | None = None
    by_number: Mapping[int, TrialView] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_number", {each.number: each for each in self.trials})

    def searched(self, *states: TrialState) -> list[TrialView]:
        """The trials of the search itself, in these states or in all; no confirmations.

        A trial counts as paused for as long as it may go on, also where the study has ended since.
        """
        return [
            each
            for each in self.trials
            if each.record.confirms is None and (not states or each.record.state in states)
        ]


@dataclass(frozen=True, slots=True)
class Propose:
    """A new trial starts: trial 0 with the default, any later one with what the sampler draws."""


@dataclass(frozen=True, slots=True)
class TrainAgain:
    """The settings of a known trial are trained again from the start.

    Attributes:
        number: Whose settings.
        seed: What the training is seeded with.
        source: ``race`` where it helps to choose the winner, ``confirm`` where it only judges it.
    """

    number: int
    seed: int
    source: str = attributes.SOURCE_CONFIRM


@dataclass(frozen=True, slots=True)
class GoOn:
    """A paused trial goes on from its checkpoint.

    Attributes:
        number: Which one.
        reason: Why, as a sentence for the reader.
    """

    number: int
    reason: str


Start: TypeAlias = Propose | TrainAgain | GoOn


class Method(Protocol):
    """Decides what a search does; one implementation a module."""

    def next_start(self, view: SearchView) -> Start | SearchEnd | None:
        """What starts where a place is free.

        Returns:
            None while nothing may start until a running trial has been measured or has ended; the
            end of the search once nothing ever will.
        """
        ...

    def judge(self, view: SearchView, number: int) -> Decision:
        """Whether a running trial goes on after its newest measurement.

        Args:
            view: The study, that measurement included.
            number: The trial that was measured.
        """
        ...
