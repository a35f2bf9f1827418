"""Synthetic searches: a space, a landscape on it, and the course of its trainings.

The families named ``held_out`` have landscapes and courses of another kind. They were chosen
before any method was run on them, and nothing is tuned on them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from automl.search.curves import Curve, Epoch
from automl.skill.signals import Signal
from automl.skill.tree import ParamValue
from automl.space.distributions import Choice, FloatRange, IntRange
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.study.config import Direction, Objective
from automl.study.records import FailureClass
from automl.study.seeds import derive_seed
from tests.bench.search.landscapes import OPTIMUM, Landscape, hills, valley
from tests.bench.search.shapes import Course, course

__all__ = ["FAMILIES", "METRIC", "OBJECTIVE", "Family", "Problem"]

METRIC = "val_3DIoU"
OBJECTIVE = Objective(METRIC, Direction.MAXIMIZE, worst=0.0)
_DEFAULT_PLACE = 0.5
_COURSE = Course()

_KINDS: tuple[tuple[str, str, FloatRange | IntRange | Choice], ...] = (
    ("optim.lr", "float", FloatRange(1e-6, 1e-2, log=True)),
    ("optim.lr_decay", "float", FloatRange(0.01, 1.0, log=True)),
    ("optim.weight_decay", "float", FloatRange(1e-7, 1e-2, log=True)),
    ("model.dropout", "float", FloatRange(0.0, 0.5)),
    ("loss.weight", "float", FloatRange(0.1, 10.0, log=True)),
    ("data.rotation", "int", IntRange(0, 90, step=5)),
    ("model.kind", "string", Choice(("a", "b", "c"))),
    ("data.flip", "float", FloatRange(0.0, 1.0)),
    ("model.width", "int", IntRange(16, 256, log=True)),
    ("a.depth", "int", IntRange(1, 8)),
    ("a.rate", "float", FloatRange(0.001, 1.0, log=True)),
    ("b.momentum", "float", FloatRange(0.5, 0.99)),
)
# Settings that count only where ``model.kind`` has their option.
_CONDITIONAL = {"a.depth": "a", "a.rate": "a", "b.momentum": "b"}


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of search.

    Attributes:
        n_settings: 2, 6 or 12.
        noise: Standard deviation of the final objective between seeds.
        course: How its trainings get there.
        crash: Where along ``optim.lr``, beyond the best place, trainings diverge; 1 for nowhere.
        scaled_loss: Whether ``loss.weight`` multiplies the training loss.
        is_declared: Whether the search profile says so.
        is_held_out: Whether nothing may be tuned on it.
        n_hills: Of a landscape of hills.
    """

    n_settings: int
    noise: float = 0.01
    course: Course = _COURSE
    crash: float = 0.25
    scaled_loss: bool = False
    is_declared: bool = True
    is_held_out: bool = False
    n_hills: int = 3

    def problem(self, seed: int) -> "Problem":
        """The instance of a seed."""
        return Problem(self, seed)


@dataclass(frozen=True)
class Problem:
    """One instance; it answers for trainings as ``Curves`` does.

    Attributes:
        family: Its kind.
        seed: Draws the landscape, and the noise of its trainings.
    """

    family: Family
    seed: int

    @property
    def n_epochs(self) -> int:
        """Epochs of a whole training."""
        return self.family.course.n_epochs

    @property
    def objective(self) -> Objective:
        """What is maximised."""
        return OBJECTIVE

    @property
    def signals(self) -> tuple[Signal, ...]:
        """The training loss; where a setting multiplies it, it compares within its values."""
        within = ("loss.weight",) if self.family.scaled_loss and self.family.is_declared else ()
        return (Signal("train_loss", "lower", within),)

    @property
    def optimum(self) -> float:
        """The best score there is."""
        return OPTIMUM

    @cached_property
    def landscape(self) -> Landscape:
        """Where the good settings are."""
        if self.family.is_held_out:
            return valley(self.seed, self.family.n_settings)
        return hills(self.seed, self.family.n_settings, self.family.n_hills)

    @cached_property
    def space(self) -> SearchSpace:
        """What is searched; the default lies in the middle of each range."""
        kinds = _KINDS[: self.family.n_settings]
        return SearchSpace(tuple(Parameter(k, t, d, _default(d)) for k, t, d in kinds))

    def truth(self, params: Mapping[str, ParamValue]) -> float:
        """The score of settings without noise; 0 where the training breaks."""
        at = self._place(params)
        return 0.0 if self._crashes(at) else self.landscape.value(at.copy())

    def train(self, params: Mapping[str, ParamValue], seed: int | None) -> Curve:
        """What a training of these settings measures."""
        own = derive_seed(self.seed, json.dumps([dict(params), seed], sort_keys=True))
        at = self._place(params)
        seconds = 8.0 + own % 5
        if self._crashes(at):
            early = tuple(Epoch(seconds, {METRIC: 0.0, "train_loss": 25.0}) for _ in range(1))
            return Curve(early, FailureClass.DIVERGED, "the loss is not finite")
        score = self.landscape.value(at.copy())
        drawn = float(np.random.default_rng([own, 1]).standard_normal())
        final = max(0.0, score + self.family.noise * drawn)
        scale = float(str(params["loss.weight"])) if self.family.scaled_loss else 1.0
        run = course(self.family.course, final, score / OPTIMUM, scale, own)
        pairs = zip(run.objective.tolist(), run.loss.tolist(), strict=True)
        return Curve(tuple(Epoch(seconds, {METRIC: o, "train_loss": v}) for o, v in pairs))

    def _crashes(self, at: npt.NDArray[np.float64]) -> bool:
        return bool(at[0] > self.landscape.best[0] + self.family.crash)

    def _place(self, params: Mapping[str, ParamValue]) -> npt.NDArray[np.float64]:
        """Where settings lie in the unit cube; what does not count lies at its best place."""
        places = []
        for index, parameter in enumerate(self.space.parameters):
            option = _CONDITIONAL.get(parameter.key)
            if option is not None and params.get("model.kind") != option:
                places.append(float(self.landscape.best[index]))
            else:
                places.append(_position(parameter, params[parameter.key]))
        return np.array(places)


def _position(parameter: object, value: ParamValue) -> float:
    assert isinstance(parameter, Parameter)
    place = parameter.distribution.position(value)
    if place is not None:
        return place
    return parameter.options.index(value) / (len(parameter.options) - 1)


def _default(distribution: FloatRange | IntRange | Choice) -> ParamValue:
    if isinstance(distribution, Choice):
        return distribution.options[0]
    return distribution.at_share(_DEFAULT_PLACE)


_LATE = Course(n_epochs=24, flat=0.25, milestones=(0.5, 0.8), loss_noise=0.06, wobble=0.12)
_PLAIN = Course(n_epochs=30, flat=0.05, milestones=(), loss_noise=0.08)

FAMILIES: Mapping[str, Family] = {
    "default2": Family(2),
    "default2_exact": Family(2, noise=0.0),
    "default2_noisy": Family(2, noise=0.03),
    "six": Family(6),
    "six_noisy": Family(6, noise=0.03),
    "six_crossing": Family(6, course=Course(slow_winners=1.5)),
    "six_crash": Family(6, crash=0.05),
    "six_misleading": Family(6, scaled_loss=True),
    "six_undeclared": Family(6, scaled_loss=True, is_declared=False),
    "six_one": Family(6, n_hills=1),
    "six_told": Family(6, course=Course(loss_noise=0.0)),
    "twelve": Family(12),
    "held_out2": Family(2, course=_LATE, is_held_out=True),
    "held_out6": Family(6, course=_LATE, is_held_out=True),
    "held_out6_plain": Family(6, course=_PLAIN, is_held_out=True),
    "held_out6_crossing": Family(
        6, course=Course(n_epochs=24, slow_winners=1.2, milestones=(0.6,)), is_held_out=True
    ),
    "held_out12": Family(12, noise=0.02, course=_LATE, is_held_out=True),
}
