"""Facts attached to the fields of the spec's dataclasses, and reading them back.

A block of the spec is a frozen dataclass. Each field carries what its annotation cannot say:
bounds, legal values, whether a search may touch it, and words for a reader. The schemas, the spec
templates and the typed load are all derived from these fields; no setting is described twice.
"""

import types
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

__all__ = [
    "INF",
    "MISSING_VALUE",
    "Entry",
    "Facts",
    "block",
    "entries",
    "leaf_entries",
    "published",
    "setting",
]

INF = float("inf")
MISSING_VALUE = "???"
"""How a spec writes that a value must still be given."""

_METADATA = "facts"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a setting's schema entry says beside its type and default.

    Attributes:
        title: A short name for people.
        description: What the setting does, its unit, when to change it, and its traps.
        minimum: Inclusive lower bound; None for none. The trainer does not enforce it.
        maximum: Inclusive upper bound; ``INF`` is written into the schema, None is left out.
        enum: Legal values; empty where any is.
        automl: True marks a parameter of the default search space, False one that is not to be
            searched; None leaves it open. Groups and lists count as False where nothing is said.
        popular: Whether people change it often.
        required: Whether its own action refuses to start without it.
        optional: Whether null is accepted; it is read as the empty text.
        key: The name in the spec where it is no good name in Python.
        own: Whether only the trainer of this package knows it: the container refuses what it does
            not know, so no schema and no template has it.
    """

    title: str
    description: str
    minimum: float | None = None
    maximum: float | None = None
    enum: tuple[str, ...] = ()
    automl: bool | None = None
    popular: bool = False
    required: bool = False
    optional: bool = False
    key: str = ""
    own: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of a block.

    Attributes:
        name: Its key inside the block, as specs spell it.
        attribute: Its attribute on the dataclass.
        annotation: Its Python type: a scalar, ``tuple[...]`` for a list, a dataclass for a block.
        facts: What was attached to it.
        default: Its default; for a block the block with all its defaults.
    """

    name: str
    attribute: str
    annotation: Any
    facts: Facts
    default: Any

    @property
    def is_block(self) -> bool:
        """Whether it holds settings rather than a value."""
        return is_dataclass(self.annotation)

    @property
    def is_list(self) -> bool:
        """Whether its value is a list."""
        return get_origin(self.annotation) is tuple

    @property
    def type_word(self) -> str:
        """TAO's word for its type."""
        if self.is_block:
            return "collection"
        if self.facts.enum:
            return "categorical"
        if self.is_list:
            return "list"
        return {bool: "bool", int: "int", float: "float", str: "string"}[self.annotation]

    @property
    def automl(self) -> bool | None:
        """The search flag as the schema writes it; None where it writes none."""
        if self.facts.automl is None and (self.is_block or self.is_list):
            return False
        return self.facts.automl


def setting(default: _T, facts: Facts) -> _T:
    """Declares a field with a default and its facts."""
    return field(default=default, metadata={_METADATA: facts})


def block(kind: type[_T], facts: Facts) -> _T:
    """Declares a field that holds a block of settings, each at its own default."""
    return field(default_factory=kind, metadata={_METADATA: facts})


def entries(kind: type[Any]) -> tuple[Entry, ...]:
    """The fields of a block in their order."""
    hashable: Any = kind
    return _entries(hashable)


def published(kind: type[Any]) -> tuple[Entry, ...]:
    """The fields of a block that the container knows too."""
    return tuple(entry for entry in entries(kind) if not entry.facts.own)


@cache
def _entries(kind: Any) -> tuple[Entry, ...]:
    hints = get_type_hints(kind)
    blank = kind()
    return tuple(
        Entry(
            name=member.metadata[_METADATA].key or member.name,
            attribute=member.name,
            annotation=_plain(hints[member.name]),
            facts=member.metadata[_METADATA],
            default=getattr(blank, member.name),
        )
        for member in fields(kind)
    )


def _plain(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, types.UnionType):
        return next(option for option in get_args(annotation) if option is not types.NoneType)
    return annotation


def leaf_entries(kind: type[Any], prefix: str = "") -> Iterator[tuple[str, Entry]]:
    """Each setting below a block with its dotted key, blocks left out."""
    for entry in entries(kind):
        key = f"{prefix}{entry.name}"
        if entry.is_block:
            yield from leaf_entries(entry.annotation, f"{key}.")
        else:
            yield key, entry
