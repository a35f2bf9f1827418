"""What a study takes from earlier ones: their trials, as differences from their own defaults.

Two studies of one task differ in level (a longer training, another seed of the default) more than
in which settings are better. So a value is kept as what it was above or below the default of its
own study; whoever uses it adds the default of the present one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from automl.skill.tree import ParamValue

__all__ = ["Earlier", "EarlierStudy", "EarlierTrial"]


@dataclass(frozen=True, slots=True)
class EarlierTrial:
    """A trial of an earlier study, in the settings of the present one.

    Attributes:
        study: Which study.
        number: The trial there.
        params: Dotted key to value, of every setting that the present study searches.
        gain: Its objective minus that of its study's default, in the metric's own unit.
        sd: Standard deviation of what is doubtful about it beyond the noise of any training:
            settings that are fixed here at another value than it had.
    """

    study: str
    number: int
    params: Mapping[str, ParamValue]
    gain: float
    sd: float = 0.0


@dataclass(frozen=True, slots=True)
class EarlierStudy:
    """What was taken of one study, and what was not.

    Attributes:
        name: The study.
        folder: Where it was.
        default: Objective of its default, the mean over its seeds.
        n_taken: Trials taken.
        left_out: Why trials were not, to how many.
        other_data: How its data differs; empty for the same data.
        differing: What else is set otherwise here, each with both values.
    """

    name: str
    folder: str
    default: float
    n_taken: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    other_data: str = ""
    differing: tuple[str, ...] = ()

    def __str__(self) -> str:
        taken = "1 trial" if self.n_taken == 1 else f"{self.n_taken} trials"
        text = f"{taken} of {self.name}, as differences from its default ({self.default:.4f})"
        if self.left_out:
            text += "; left out: " + ", ".join(f"{n} {why}" for why, n in self.left_out.items())
        if self.other_data:
            text += f"; other data: {self.other_data}"
        if self.differing:
            text += f"; set otherwise there: {', '.join(self.differing)}"
        return text


@dataclass(frozen=True, slots=True)
class Earlier:
    """Everything that a study takes from others; kept in its configuration.

    Attributes:
        studies: What was taken of which study.
        trials: The trials, those of the first study first.
    """

    studies: tuple[EarlierStudy, ...] = ()
    trials: tuple[EarlierTrial, ...] = ()

    def best(self, n: int, sign: float) -> Sequence[EarlierTrial]:
        """The trials with the highest gains, each setting once.

        Args:
            n: How many at the most.
            sign: 1 where a higher objective is better, else -1.
        """
        found: list[EarlierTrial] = []
        for trial in sorted(self.trials, key=lambda each: -sign * each.gain):
            is_new = all(trial.params != other.params for other in found)
            if len(found) < n and sign * trial.gain > 0 and is_new:
                found.append(trial)
        return found

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """What ``to_json`` wrote."""
        return cls(
            tuple(
                EarlierStudy(**{**each, "differing": tuple(each.get("differing", ()))})
                for each in value.get("studies", ())
            ),
            tuple(EarlierTrial(**each) for each in value.get("trials", ())),
        )

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write."""
        return asdict(self)
