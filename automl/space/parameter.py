"""One searched parameter over its distribution, and its ties to others."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from automl.skill.tree import ParamValue
from automl.skill.typewords import number_of
from automl.space.distributions import Distribution, ValueTypes, distribution_of, stored
from automl.space.ranges import SHARE
from automl.space.relations import Number, Relation

__all__ = ["Link", "Parameter", "described", "with_link"]


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
    divisor: Number = 1
    cap: Number | None = None

    def __str__(self) -> str:
        names = [*self.parents, *([f"{self.cap:g}"] if self.cap is not None else [])]
        parent = names[0] if len(names) == 1 else f"min({', '.join(names)})"
        share = "" if self.divisor == 1 else f" / {self.divisor:g}"
        return f"{self.relation} {parent}{share}"

    def limit(self, values: Mapping[str, Any]) -> Number | None:
        """The number that a value is compared with; None where no parent is a number."""
        numbers = [number_of(values.get(parent)) for parent in self.parents]
        known = [number for number in (*numbers, self.cap) if number is not None]
        smallest = min(known, default=None)
        return smallest if smallest is None or self.divisor == 1 else smallest / self.divisor


@dataclass(frozen=True, slots=True)
class Parameter:
    """One searched parameter that takes a number or an option.

    Attributes:
        key: Dotted spec key; that of a list's element ends in ``[index]``.
        type: The schema's own type word.
        distribution: The values that are proposed, and their scale.
        default: The value of trial 0: the template's, else the user's own base value.
        conditions: What every proposal obeys beside the bounds, in words.
        bounds_from: ``low``, ``high``, ``scale``, ``choices`` to where each came from, in words.
        links: Conditions on other searched parameters; they narrow the range of a proposal.
    """

    key: str
    type: str
    distribution: Distribution
    default: ParamValue = None
    conditions: tuple[str, ...] = ()
    bounds_from: Mapping[str, str] = field(default_factory=dict)
    links: tuple[Link, ...] = ()

    @property
    def elements(self) -> tuple["Parameter", ...]:
        """What is sampled for it: itself."""
        return (self,)

    @property
    def options(self) -> tuple[ParamValue, ...]:
        """The options of a choice; empty for a range."""
        return self.distribution.options

    @property
    def weights(self) -> tuple[float, ...]:
        """The weights of the options; empty for equal ones."""
        return self.distribution.weights

    @property
    def largest(self) -> tuple[ParamValue, ...]:
        """The values among which a cost that grows with the value is highest."""
        return self.distribution.largest

    @property
    def ends(self) -> tuple[Number, Number]:
        """The lowest and the highest value; only a parameter with an order has them."""
        ends = self.distribution.ends
        assert ends is not None  # noqa: S101 - the caller knows that there is an order
        return ends

    @property
    def has_order(self) -> bool:
        """Whether others may follow it: a number does, an option does not."""
        return self.distribution.ends is not None

    @property
    def examples(self) -> tuple[ParamValue, ...]:
        """Values that stand for all of them."""
        return self.distribution.examples

    @property
    def scale(self) -> str:
        """The scale in a word: ``log``, ``linear`` or ``choice``."""
        return self.distribution.scale

    @property
    def value_types(self) -> ValueTypes:
        """The types of its values."""
        return self.distribution.value_types

    @property
    def text(self) -> str:
        """What is proposed, on one line."""
        return self.distribution.text

    @property
    def draw_name(self) -> str:
        """The name under which it is drawn; it says how the draw is encoded."""
        return f"{self.key}{'@share' if self.links else self.distribution.suffix}"

    @property
    def drawn(self) -> Distribution:
        """What a sampler draws for it; the same in every trial."""
        return SHARE if self.links else self.distribution.drawn

    def decode(self, draw: Any, values: Mapping[str, Any]) -> Any:
        """The value that a draw stands for, given the values of the parents."""
        if not self.links:
            return self.distribution.decode(draw)
        return (self.given(values) or self.distribution).at_share(draw)

    def encode(self, value: Any, values: Mapping[str, Any]) -> Any:
        """The draw that stands for a value, or for the nearest one that is legal."""
        if not self.links:
            return self.distribution.encode(value)
        return (self.given(values) or self.distribution).share_of(value)

    def contains(self, value: Any, values: Mapping[str, Any]) -> bool:
        """Whether it could be proposed with a value, given the values of the parents."""
        given = self.given(values)
        return given is not None and given.contains(value)

    def given(self, values: Mapping[str, Any]) -> Distribution | None:
        """The distribution that the parents' values leave; None if they leave no value."""
        left: Distribution | None = self.distribution
        for link in self.links:
            limit = link.limit(values)
            if left is not None and limit is not None:
                left = left.narrowed(link.relation, limit)
        return left

    def narrowed(self, relation: Relation, end: Number, reason: str) -> Self | None:
        """The parameter with the values that compare so with ``end``; None if none is left."""
        left = self.distribution.narrowed(relation, end)
        return None if left is None else self.over(left, reason)

    def over(self, distribution: Distribution, reason: str, joint: str = "; ") -> Self:
        """The parameter over a part of its distribution, with the reason for it."""
        sources = dict(self.bounds_from)
        if distribution.options != self.options:
            sources["choices"] = f"{sources.get('choices', '')}{joint}{reason}"
        elif not self.options and distribution.ends is not None:
            ends = zip(("low", "high"), distribution.ends, self.ends, strict=True)
            sources |= {name: reason for name, after, before in ends if after != before}
        return replace(self, distribution=distribution, bounds_from=sources)

    def following(self, link: Link) -> Self:
        """The parameter with one more condition on others; a choice has no order to follow."""
        if not self.has_order:
            return self
        links = (*self.links, link)
        return replace(self, links=links, conditions=with_link(self.conditions, link))

    def gathered(self, values: Mapping[str, Any]) -> Any:
        """Its value among those of the elements."""
        return values[self.key]

    def parts(self, value: Any) -> tuple[Any, ...]:
        """The value of each element in a value of its own."""
        return (value,)

    def to_json(self) -> dict[str, Any]:
        """A plain value; ``links`` and ``holes`` stand in it only where used."""
        links = [{**asdict(link), "relation": str(link.relation)} for link in self.links]
        return {
            "key": self.key,
            "type": self.type,
            **stored(self.distribution),
            **described(self.default, self.conditions, self.bounds_from),
            **({"links": links} if links else {}),
            **({"holes": self.distribution.holes} if self.distribution.holes else {}),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The parameter that ``to_json`` wrote.

        Raises:
            KeyError: A field is missing, or the kind is unknown.
            ValueError: A relation is unknown.
        """
        links = tuple(
            Link(Relation(link["relation"]), tuple(link["parents"]), link["divisor"], link["cap"])
            for link in value.get("links", ())
        )
        return cls(
            value["key"],
            value["type"],
            distribution_of(value),
            value.get("default"),
            tuple(value.get("conditions", ())),
            dict(value.get("bounds_from", {})),
            links,
        )


def described(
    default: ParamValue, conditions: tuple[str, ...], sources: Mapping[str, str]
) -> dict[str, Any]:
    """What a parameter in ``space.json`` says beside its values."""
    return {"default": default, "conditions": conditions, "bounds_from": dict(sources)}


def with_link(conditions: tuple[str, ...], link: Link) -> tuple[str, ...]:
    """The conditions in words, in which a link stands for the parents that the schema names."""
    own = (text for text in conditions if "depends" not in text)
    return tuple(dict.fromkeys((*own, str(link))))
