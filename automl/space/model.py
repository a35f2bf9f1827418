"""A search space as plain values: what is searched, what is not, and the reason for each."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self, TypeAlias

from automl.errors import FixInput
from automl.field_types import check_fields
from automl.skill.profile import Belief
from automl.skill.tree import ParamValue
from automl.space.list_parameter import ListParameter
from automl.space.parameter import Parameter

__all__ = [
    "WORDING",
    "Ceiling",
    "Constant",
    "Inert",
    "Refused",
    "SearchSpace",
    "Searched",
]

Searched: TypeAlias = Parameter | ListParameter

#: Parts of a parameter that are there for a reader and decide no proposal.
WORDING = ("conditions", "bounds_from")


@dataclass(frozen=True, slots=True)
class Ceiling:
    """An upper bound that comes from the data or the hardware, not from the schema.

    Attributes:
        key: Dotted key of the bounded parameter.
        high: Highest feasible value, inclusive.
        reason: Why, in words: ``64 validation samples on 1 GPU``.
    """

    key: str
    high: float | int
    reason: str


@dataclass(frozen=True, slots=True)
class Constant:
    """A parameter with one legal value: no dimension of the search."""

    key: str
    value: ParamValue
    reason: str


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
        fix: The flag or setting that would give it one.
    """

    key: str
    reason: str
    fix: str


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """What a study searches.

    Attributes:
        parameters: In the order in which they are suggested: a parent stands before its children.
        fixed: Constants that the space or the user fixes, dotted key to value.
        refused: Asked for, not searchable, with the reason.
        inert: Left out because they change nothing, with the fix.
        priors: Dotted key to where good values are expected, for what is not left to the rule.
        notes: What the schema says and cannot mean, in words.
    """

    parameters: tuple[Searched, ...] = ()
    fixed: Mapping[str, ParamValue] = field(default_factory=dict)
    refused: tuple[Refused, ...] = ()
    inert: tuple[Inert, ...] = ()
    priors: Mapping[str, Belief] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __getitem__(self, key: str) -> Searched:
        for parameter in self.parameters:
            if parameter.key == key:
                return parameter
        raise KeyError(key)

    def __iter__(self) -> Iterator[Searched]:
        return iter(self.parameters)

    @property
    def keys(self) -> tuple[str, ...]:
        """The dotted keys of the searched parameters, in order."""
        return tuple(parameter.key for parameter in self.parameters)

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides a proposal; reasons and wording do not count."""
        decisive = [_decisive(parameter.to_json()) for parameter in self.parameters]
        content = json.dumps([decisive, dict(self.fixed)], sort_keys=True, default=list)
        return hashlib.sha256(content.encode()).hexdigest()

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The space that ``to_json`` wrote, by this version or an older one.

        Raises:
            FixInput: The value holds no search space.
        """
        try:
            space = cls(
                tuple(_searched(entry) for entry in value["parameters"]),
                dict(value["fixed"]),
                tuple(Refused(**entry) for entry in value["refused"]),
                tuple(_inert(entry) for entry in value["inert"]),
                {key: Belief(**entry) for key, entry in value.get("priors", {}).items()},
                tuple(map(str, value.get("notes", ()))),
            )
            check_fields(space)
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise FixInput(
                "a stored search space must be as automl wrote it",
                got=f"{type(error).__name__}: {error}",
                where="space.json",
                fix="restore the file from a copy; the trials are safe in study.journal",
            ) from error
        return space

    def to_json(self) -> dict[str, Any]:
        """A plain value of a stable shape that scripts may rely on."""
        priors = {key: asdict(belief) for key, belief in self.priors.items()}
        return {
            "parameters": [parameter.to_json() for parameter in self.parameters],
            "fixed": dict(self.fixed),
            "refused": [asdict(entry) for entry in self.refused],
            "inert": [asdict(entry) for entry in self.inert],
            **({"priors": priors} if priors else {}),
            **({"notes": list(self.notes)} if self.notes else {}),
        }


def _decisive(value: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: part for name, part in value.items() if name not in WORDING}
    if "elements" in kept:
        kept["elements"] = [_decisive(element) for element in kept["elements"]]
    return kept


def _searched(value: Mapping[str, Any]) -> Searched:
    return (ListParameter if value.get("elements") else Parameter).from_json(value)


def _inert(value: Mapping[str, Any]) -> Inert:
    """The entry; an older ``space.json`` calls the fix ``mend``."""
    return Inert(value["key"], value["reason"], value.get("fix", value.get("mend", "")))
