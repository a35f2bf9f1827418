"""A search space as plain values: what is searched, what is not, and the reason for each."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

from automl.skill.tree import ParamValue

__all__ = ["Inert", "Kind", "Parameter", "Refused", "SearchSpace"]


class Kind(StrEnum):
    """How a parameter is sampled."""

    FLOAT = "float"
    INT = "int"
    CATEGORICAL = "categorical"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One searched parameter.

    Attributes:
        key: Dotted spec key.
        type: The schema's own type word.
        kind: How it is sampled.
        low: Lowest value proposed, inclusive; None for a categorical.
        high: Highest value proposed, inclusive; None for a categorical.
        log: Whether the scale is logarithmic.
        step: Distance between neighbouring values; None for a continuous range.
        choices: The values of a categorical; empty otherwise.
        weights: One weight per choice for the start-up draws; empty for equal ones.
        default: The value of trial 0: the template's, else the user's own base value.
        conditions: What every proposal obeys beside the bounds, in words.
        bounds_from: ``low``, ``high``, ``scale``, ``choices`` to where each came from, in words.
    """

    key: str
    type: str
    kind: Kind
    low: float | int | None = None
    high: float | int | None = None
    log: bool = False
    step: float | int | None = None
    choices: tuple[ParamValue, ...] = ()
    weights: tuple[float, ...] = ()
    default: ParamValue = None
    conditions: tuple[str, ...] = ()
    bounds_from: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """A parameter that was asked for and cannot be searched."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Inert:
    """A parameter that cannot change the outcome under this study's other settings.

    Attributes:
        key: Dotted spec key.
        reason: Why it has no effect.
        mend: The flag or setting that would give it one.
    """

    key: str
    reason: str
    mend: str


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """What a study searches.

    Attributes:
        parameters: In the order in which they are suggested.
        fixed: Constants that the space or the user fixes, dotted key to value.
        refused: Asked for, not searchable, with the reason.
        inert: Left out because they change nothing, with the mend.
    """

    parameters: tuple[Parameter, ...] = ()
    fixed: Mapping[str, ParamValue] = field(default_factory=dict)
    refused: tuple[Refused, ...] = ()
    inert: tuple[Inert, ...] = ()

    def __getitem__(self, key: str) -> Parameter:
        for parameter in self.parameters:
            if parameter.key == key:
                return parameter
        raise KeyError(key)

    @property
    def keys(self) -> tuple[str, ...]:
        """The dotted keys of the searched parameters, in order."""
        return tuple(parameter.key for parameter in self.parameters)

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides a proposal; reasons and wording do not count."""
        words = ("conditions", "bounds_from")
        decisive = [
            {name: value for name, value in asdict(parameter).items() if name not in words}
            for parameter in self.parameters
        ]
        content = json.dumps([decisive, dict(self.fixed)], sort_keys=True, default=list)
        return hashlib.sha256(content.encode()).hexdigest()

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The space that ``to_json`` wrote."""
        return cls(
            tuple(_parameter(entry) for entry in value["parameters"]),
            dict(value["fixed"]),
            tuple(Refused(**entry) for entry in value["refused"]),
            tuple(Inert(**entry) for entry in value["inert"]),
        )

    def to_json(self) -> dict[str, Any]:
        """A plain value of a stable shape that scripts may rely on."""
        return {
            "parameters": [asdict(parameter) for parameter in self.parameters],
            "fixed": dict(self.fixed),
            "refused": [asdict(entry) for entry in self.refused],
            "inert": [asdict(entry) for entry in self.inert],
        }


def _parameter(value: Mapping[str, Any]) -> Parameter:
    tuples = {name: tuple(value[name]) for name in ("choices", "weights", "conditions")}
    return Parameter(**{**value, **tuples, "kind": Kind(value["kind"])})
