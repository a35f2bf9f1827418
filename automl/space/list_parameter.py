"""A searched list of numbers, each element a parameter of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from automl.skill.tree import ParamValue
from automl.space.distributions import ValueTypes
from automl.space.parameter import Link, Parameter, described, with_link
from automl.space.relations import Number, Relation
from automl.space.value_text import value_text

__all__ = ["ListParameter"]


@dataclass(frozen=True, slots=True)
class ListParameter:
    """One searched parameter that takes a list of numbers, each sampled by itself.

    Attributes:
        key: Dotted spec key.
        type: The schema's own type word.
        elements: The parameters of the list's elements, in order; at least one.
        default: The list of trial 0.
        conditions: What every proposal obeys beside the bounds, in words.
        bounds_from: Where the first element's bounds came from, in words.
    """

    key: str
    type: str
    elements: tuple[Parameter, ...]
    default: ParamValue = None
    conditions: tuple[str, ...] = ()
    bounds_from: Mapping[str, str] = field(default_factory=dict)

    @property
    def options(self) -> tuple[ParamValue, ...]:
        """No options: each element has its own range."""
        return ()

    @property
    def weights(self) -> tuple[float, ...]:
        """No weights."""
        return ()

    @property
    def ends(self) -> tuple[list[Any], list[Any]]:
        """The lowest and the highest value of each element."""
        return [part.ends[0] for part in self.elements], [part.ends[1] for part in self.elements]

    @property
    def largest(self) -> tuple[ParamValue, ...]:
        """The list of the highest values."""
        return (self.ends[1],)

    @property
    def examples(self) -> tuple[ParamValue, ...]:
        """Lists that stand for all of them: of the lowest and of the highest values."""
        return self.ends

    @property
    def scale(self) -> str:
        """The scale of the elements in a word: ``log`` or ``linear``."""
        return self.elements[0].scale

    @property
    def value_types(self) -> ValueTypes:
        """The types of its values: lists."""
        return frozenset((list,))

    @property
    def text(self) -> str:
        """What is proposed, on one line: ``[1, 2] .. [8, 9]  2 numbers``."""
        low, high = self.ends
        first = self.elements[0].distribution
        scale = "log " if first.log else ""
        step = f" step {first.step:g}" if first.step not in (None, 1) else ""
        numbers = f"{len(self.elements)} numbers"
        return f"{value_text(low)} .. {value_text(high)}  {scale}{numbers}{step}"

    def narrowed(self, relation: Relation, end: Number, reason: str) -> Self | None:
        """The list with the values that compare so with ``end``; None if an element has none."""
        elements = [element.narrowed(relation, end, reason) for element in self.elements]
        left = tuple(element for element in elements if element is not None)
        return replace(self, elements=left) if len(left) == len(elements) else None

    def following(self, link: Link) -> Self:
        """The list with one more condition on others, which each element keeps."""
        elements = tuple(
            replace(element, links=(*element.links, link)) for element in self.elements
        )
        return replace(self, elements=elements, conditions=with_link(self.conditions, link))

    def gathered(self, values: Mapping[str, Any]) -> list[Any]:
        """The list among the values of its elements."""
        return [values[element.key] for element in self.elements]

    def parts(self, value: Any) -> tuple[Any, ...]:
        """The value of each element in a list; None for those that it lacks."""
        given = value if isinstance(value, list) else []
        return tuple([*given, *[None] * len(self.elements)][: len(self.elements)])

    def to_json(self) -> dict[str, Any]:
        """A plain value; its ends are lists, its scale is that of the first element."""
        low, high = self.ends
        first = self.elements[0].distribution
        return {
            "key": self.key,
            "type": self.type,
            "kind": "list",
            "low": low,
            "high": high,
            "log": first.log,
            "step": first.step,
            "choices": (),
            "weights": (),
            **described(self.default, self.conditions, self.bounds_from),
            "elements": [element.to_json() for element in self.elements],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The parameter that ``to_json`` wrote.

        Raises:
            KeyError: A field is missing, or the kind of an element is unknown.
            ValueError: A relation is unknown.
        """
        return cls(
            value["key"],
            value["type"],
            tuple(Parameter.from_json(element) for element in value["elements"]),
            value.get("default"),
            tuple(value.get("conditions", ())),
            dict(value.get("bounds_from", {})),
        )
