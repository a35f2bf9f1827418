"""What a comparison of trials says: each trial, and each difference to the first."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from automl.reports.confirmation import Seeds
from automl.skill.tree import ParamValue

__all__ = ["Difference", "Side", "SideBySide"]


@dataclass(frozen=True, slots=True)
class Side:
    """One trial of a comparison.

    Attributes:
        name: What it is called: its number, or ``study:number`` of another study.
        study: Its study's name.
        number: Its number there.
        state: Where it stands.
        value: The objective at its best epoch; None before the first.
        epoch: That epoch, from 0.
        seeds: Its trainings with fresh seeds; None without any.
        expected: What another seed would give, by all trials of its study; None if not known.
        expected_sd: Standard deviation of that.
        test: The objective on the test images; None where it was not evaluated on them.
        images: Validation images that ``value`` is of; None where nobody counted them.
        seconds: Wall time.
        gpu_seconds: GPU time.
        peak_memory_gib: The most GPU memory that it took, in GiB; None where nobody measured it.
        settings: Dotted key to value, of the whole spec where there is one.
    """

    name: str
    study: str
    number: int
    state: str
    value: float | None
    epoch: int | None
    seeds: Seeds | None
    expected: float | None
    expected_sd: float | None
    test: float | None
    images: int | None
    seconds: float
    gpu_seconds: float
    peak_memory_gib: float | None
    settings: Mapping[str, ParamValue]


@dataclass(frozen=True, slots=True)
class Difference:
    """A trial minus the first one.

    Attributes:
        name: The trial.
        value: The difference, in the metric's own direction; None where a value is missing.
        low: Lower end of its 95 % interval; None where there is none.
        high: Upper end.
        better: Probability that the trial is better than the first, by all trials of the study;
            None where not known.
        by: What the interval rests on, in words; why there is none where there is none.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    better: float | None
    by: str

    @property
    def is_separable(self) -> bool:
        """Whether the interval lies on one side of 0."""
        if self.low is None or self.high is None:
            return False
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Trials side by side.

    Attributes:
        metric: The objective.
        sides: The trials, in the order asked for.
        differences: Of every other one to the first.
        keys: Settings in which they differ, searched ones first.
        same_keys: Searched settings in which they do not.
        notes: What limits the comparison.
    """

    metric: str
    sides: tuple[Side, ...]
    differences: tuple[Difference, ...]
    keys: tuple[str, ...]
    same_keys: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write."""
        return {
            "metric": self.metric,
            "trials": [_side_json(side, self.keys) for side in self.sides],
            "differences": [asdict(difference) for difference in self.differences],
            "differing": list(self.keys),
            "same": list(self.same_keys),
            "notes": list(self.notes),
        }


def _side_json(side: Side, keys: Sequence[str]) -> dict[str, Any]:
    settings = {key: side.settings.get(key) for key in keys}
    return {**asdict(side), "settings": settings}
