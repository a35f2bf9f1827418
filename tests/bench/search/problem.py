"""What a method is measured on, and what is written down of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from automl.search.curves import Curve
from automl.skill.signals import Signal
from automl.skill.tree import ParamValue
from automl.space.model import SearchSpace
from automl.study.config import Objective

__all__ = ["Point", "Problem", "Trace"]


class Problem(Protocol):
    """A search with a known answer; it answers for trainings as ``Curves`` does."""

    @property
    def space(self) -> SearchSpace:
        """What is searched."""
        ...

    @property
    def objective(self) -> Objective:
        """The metric, and which way is better."""
        ...

    @property
    def signals(self) -> tuple[Signal, ...]:
        """What its search profile says that trials may be judged by early."""
        ...

    @property
    def n_epochs(self) -> int:
        """Epochs of a whole training."""
        ...

    @property
    def optimum(self) -> float:
        """The best score there is."""
        ...

    def truth(self, params: Mapping[str, ParamValue]) -> float:
        """The score of settings without noise."""
        ...

    def train(self, params: Mapping[str, ParamValue], seed: int | None) -> Curve:
        """What a training measures."""
        ...


@dataclass(frozen=True, slots=True)
class Point:
    """From when on a method would have answered with other settings.

    Attributes:
        trainings: What had been spent, in full trainings.
        truth: The score of these settings without noise.
        observed: What the method had seen of them.
        seconds: Wall seconds from the beginning, on so many places.
    """

    trainings: float
    truth: float
    observed: float
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Trace:
    """One run of a method.

    Attributes:
        points: Its answers, in order.
        trainings: What it spent in all.
        n_trials: Settings that it tried.
        named: Cost in full trainings to the score, without noise, of the settings that the program
            would name as the best after it; empty where that is not known to differ from its
            answers.
    """

    points: tuple[Point, ...]
    trainings: float
    n_trials: int
    named: Mapping[str, float] = field(default_factory=dict)

    def at(self, trainings: float) -> float | None:
        """The score of its answer after a cost; None before there was one."""
        reached = [point.truth for point in self.points if point.trainings <= trainings]
        return reached[-1] if reached else None

    def cost_to(self, objective: Objective, target: float) -> float | None:
        """What it had spent when its answer first was as good as a target; None if never."""
        goal = objective.loss(target)
        good = (p.trainings for p in self.points if objective.loss(p.truth) <= goal)
        return next(good, None)

    def to_json(self) -> dict[str, Any]:
        """A plain value, rounded to what can be told apart."""
        points = [{k: round(v, 6) for k, v in asdict(p).items()} for p in self.points]
        value = {"points": points, "trainings": self.trainings, "n_trials": self.n_trials}
        return value | ({"named": dict(self.named)} if self.named else {})

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Trace":
        """The trace that ``to_json`` wrote."""
        points = tuple(Point(**point) for point in value["points"])
        return cls(points, value["trainings"], value["n_trials"], value.get("named", {}))
