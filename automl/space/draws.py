"""Random draws without a study: what a space proposes before anything was learnt."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from automl.skill.tree import ParamValue
from automl.space.meaning import Plain
from automl.space.model import SearchSpace
from automl.space.proposal import dimensions, propose

__all__ = ["RandomDraw", "sample"]


@dataclass(slots=True)
class RandomDraw:
    """Independent draws, uniform on each dimension's own scale; option weights count.

    Attributes:
        generator: Source of randomness, owned by the caller.
        weights: Name of a dimension to one weight per option.
    """

    generator: random.Random
    weights: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """A number from ``low`` to ``high``."""
        del name, step
        if not log:
            return min(max(self.generator.uniform(low, high), low), high)
        value = math.exp(self.generator.uniform(math.log(low), math.log(high)))
        return min(max(value, low), high)

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        """A whole number from ``low`` to ``high``."""
        del name
        if not log:
            return low + step * self.generator.randint(0, (high - low) // step)
        value = math.exp(self.generator.uniform(math.log(low), math.log(high + 1)))
        return min(max(int(value), low), high)

    def suggest_categorical(self, name: str, choices: Sequence[Plain]) -> Plain:
        """One of ``choices``."""
        weights = self.weights.get(name)
        return self.generator.choices(list(choices), weights=weights or None)[0]


def sample(space: SearchSpace, count: int, seed: int) -> list[dict[str, ParamValue]]:
    """``count`` independent proposals; the same seed gives the same ones."""
    weights = {one.name: one.weights for one in dimensions(space) if one.weights}
    draw = RandomDraw(random.Random(seed), weights)  # noqa: S311 - a search, not a secret
    return [propose(space, draw) for _ in range(count)]
