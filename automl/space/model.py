"""A search space as plain values: what is searched, what is not, and the reason for each."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

from automl.skill.tree import ParamValue

__all__ = [
    "WORDING",
    "Ceiling",
    "Constant",
    "Inert",
    "Kind",
    "Link",
    "Parameter",
    "Refused",
    "Relation",
    "SearchSpace",
]


class Kind(StrEnum):
    """How a parameter is sampled.

    ``ordered`` chooses among numbers whose order the sampler knows; ``list`` samples each element
    as a parameter of its own.
    """

    FLOAT = "float"
    INT = "int"
    CATEGORICAL = "categorical"
    ORDERED = "ordered"
    LIST = "list"


class Relation(StrEnum):
    """How a value compares with another."""

    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST = "<="
    NOT = "!="


@dataclass(frozen=True, slots=True)
class Link:
    """A condition of a parameter on other searched ones: *value relation min(parents) / divisor*.

    Attributes:
        relation: How the value compares.
        parents: Dotted keys of searched parameters; with two, the smaller value counts.
        divisor: The parents' value is divided by this first.
        cap: A constant that counts as one more parent; None for none.
    """

    relation: Relation
    parents: tuple[str, ...]
    divisor: float | int = 1
    cap: float | int | None = None

    def __str__(self) -> str:
        names = [*self.parents, *([f"{self.cap:g}"] if self.cap is not None else [])]
        parent = names[0] if len(names) == 1 else f"min({', '.join(names)})"
        share = "" if self.divisor == 1 else f" / {self.divisor:g}"
        return f"{self.relation} {parent}{share}"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One searched parameter.

    Attributes:
        key: Dotted spec key.
        type: The schema's own type word.
        kind: How it is sampled.
        low: Lowest value proposed, inclusive; None for a categorical; one each for a list.
        high: Highest value proposed, inclusive; likewise.
        log: Whether the scale is logarithmic.
        step: Distance between neighbouring values; None for a continuous range.
        choices: The values of a categorical or ordered parameter; empty otherwise.
        weights: One weight per choice for the start-up draws; empty for equal ones.
        default: The value of trial 0: the template's, else the user's own base value.
        conditions: What every proposal obeys beside the bounds, in words.
        bounds_from: ``low``, ``high``, ``scale``, ``choices`` to where each came from, in words.
        links: Conditions on other searched parameters; they narrow the range of a proposal.
        holes: Values inside the range that are never proposed.
        elements: The parameters of a list's elements, in order; their keys end in ``[index]``.
    """

    key: str
    type: str
    kind: Kind
    low: Any = None
    high: Any = None
    log: bool = False
    step: float | int | None = None
    choices: tuple[ParamValue, ...] = ()
    weights: tuple[float, ...] = ()
    default: ParamValue = None
    conditions: tuple[str, ...] = ()
    bounds_from: Mapping[str, str] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    holes: tuple[float | int, ...] = ()
    elements: tuple["Parameter", ...] = ()

    @property
    def dimensions(self) -> tuple["Parameter", ...]:
        """What is sampled for it: itself, or the elements of a list."""
        return self.elements if self.kind is Kind.LIST else (self,)

    def to_json(self) -> dict[str, Any]:
        """A plain value; ``links``, ``holes`` and ``elements`` stand in it only where used."""
        value = {**asdict(self), "kind": str(self.kind)}
        for link in value["links"]:
            link["relation"] = str(link["relation"])
        value["elements"] = [element.to_json() for element in self.elements]
        for name in ("links", "holes", "elements"):
            if not value[name]:
                del value[name]
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The parameter that ``to_json`` wrote."""
        fields = dict(value)
        for name in ("choices", "weights", "conditions", "holes"):
            fields[name] = tuple(fields.get(name, ()))
        fields["kind"] = Kind(fields["kind"])
        fields["links"] = tuple(
            Link(Relation(one["relation"]), tuple(one["parents"]), one["divisor"], one["cap"])
            for one in fields.get("links", ())
        )
        fields["elements"] = tuple(cls.from_json(one) for one in fields.get("elements", ()))
        return cls(**fields)


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
        mend: The flag or setting that would give it one.
    """

    key: str
    reason: str
    mend: str


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """What a study searches.

    Attributes:
        parameters: In the order in which they are suggested: a parent stands before its children.
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

    def __iter__(self) -> Iterator[Parameter]:
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
        """The space that ``to_json`` wrote."""
        return cls(
            tuple(Parameter.from_json(entry) for entry in value["parameters"]),
            dict(value["fixed"]),
            tuple(Refused(**entry) for entry in value["refused"]),
            tuple(Inert(**entry) for entry in value["inert"]),
        )

    def to_json(self) -> dict[str, Any]:
        """A plain value of a stable shape that scripts may rely on."""
        return {
            "parameters": [parameter.to_json() for parameter in self.parameters],
            "fixed": dict(self.fixed),
            "refused": [asdict(entry) for entry in self.refused],
            "inert": [asdict(entry) for entry in self.inert],
        }


def _decisive(value: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: part for name, part in value.items() if name not in WORDING}
    if "elements" in kept:
        kept["elements"] = [_decisive(element) for element in kept["elements"]]
    return kept


#: Parts of a parameter that are there for a reader and decide no proposal.
WORDING = ("conditions", "bounds_from")
