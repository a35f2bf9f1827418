"""What a search method is: it sees the trials of a study, and says what happens next.

A method answers two questions: which trial starts where a place is free, and whether a trial that
was just measured goes on. It answers from what the Optuna study holds and from nothing else: no
clock, no files, no memory of its own. So a study replayed decides as it did when it ran, and one
that was killed goes on as it would have.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, TypeVar

from automl.search.decision import Decision, SearchEnd
from automl.search.trial_views import Kept, TrialView, TrialViews
from automl.study import attributes
from automl.study.config import StudyConfig
from automl.study.records import TrialState

__all__ = ["GoOn", "Method", "Propose", "SearchView", "Start", "TrainAgain", "TrialView"]

_Kept = TypeVar("_Kept", bound=Kept)


@dataclass(frozen=True, slots=True)
class SearchView:
    """Everything that a method may decide by.

    Attributes:
        trials: Every logical trial, by number. Those of a running search are kept current, so that
            a view holds until the next write to the study.
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
    _found: TrialViews = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        given = self.trials
        found = given if isinstance(given, TrialViews) else TrialViews(given)
        object.__setattr__(self, "_found", found)

    @property
    def by_number(self) -> Mapping[int, TrialView]:
        """Number to trial."""
        return self._found.by_number

    @property
    def n_searched(self) -> int:
        """How many trials belong to the search itself."""
        return self._found.n_searched

    def searched(self, *states: TrialState) -> list[TrialView]:
        """The trials of the search itself, in these states or in all; no confirmations.

        A trial counts as paused for as long as it may go on, also where the study has ended since.
        """
        return self._found.searched(*states)

    def kept(self, key: Hashable | None, make: Callable[[], _Kept]) -> _Kept:
        """What is worked out of all trials together, brought up to date.

        Args:
            key: What it is; every caller that gives the same key makes the same thing. None for
                what is needed once, and not kept.
            make: Makes it where there is none yet.
        """
        return self._found.kept(key, make)


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
