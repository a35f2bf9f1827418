"""What is known of an object's true size, as a person writes it.

A network that learns sizes relative to the height finds a pose up to one factor: the same picture
is that of a small box nearby and of a large one far away. One true length gives the factor.
"""

import math
import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from automl.errors import FixInput
from automl.nearest import did_you_mean

__all__ = ["KnownSize", "Triple", "read_known_size"]

Triple: TypeAlias = tuple[float, float, float]

_FORMS: Final = "[CATEGORY=]HEIGHT or [CATEGORY=]WxHxD in metres"
_EXAMPLE: Final = "for example 0.30, or cereal_box=0.19x0.30x0.06"
_LARGEST_M: Final = 1000.0


@dataclass(frozen=True, slots=True)
class KnownSize:
    """What is known of the objects of one category.

    Attributes:
        category: The category that it was said of; empty where none was named.
        height: Edge along the object's own y axis (up), metres.
        edges: Edges along x, y and z, metres; None where the height alone is known.
    """

    category: str
    height: float
    edges: Triple | None = None

    def __str__(self) -> str:
        """``known height 0.3 m``, ``known size 0.19 x 0.3 x 0.06 m of cereal_box``."""
        of = f" of {self.category}" if self.category else ""
        if self.edges is None:
            return f"known height {self.height:g} m{of}"
        return f"known size {' x '.join(f'{edge:g}' for edge in self.edges)} m{of}"


def read_known_size(text: str, category: str, where: str) -> KnownSize | None:
    """What is known of one category, of a list that may hold several.

    Args:
        text: ``0.30``, ``0.19x0.30x0.06``, ``cereal_box=0.30, bottle=0.24``; blank for nothing.
        category: The one that the network was trained for.
        where: What to call the place in an error.

    Raises:
        FixInput: A length is no positive number, a category stands twice, or none is the
            network's.
    """
    found: dict[str, KnownSize] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        known = _read(part, where)
        if known.category in found:
            raise FixInput(
                "the size of a category must be given once",
                got=text,
                where=where,
                fix="leave all but one out",
            )
        found[known.category] = known
    if not found or category in found or "" in found:
        return found.get(category, found.get(""))
    raise FixInput(
        f"a known size must be of the category that the network was trained for, {category}",
        got=f"one of {', '.join(sorted(found))}",
        where=where,
        fix=did_you_mean(category, found) or f"give {category}=HEIGHT, or leave the name out",
    )


def _read(part: str, where: str) -> KnownSize:
    category, equals, sizes = part.rpartition("=")
    lengths = [_length(word, part, where) for word in re.split(r"[xX]", sizes)]
    if len(lengths) not in (1, 3) or (equals and not category.strip()):
        raise _wrong("a known size must be one height or three edges", part, where)
    name = category.strip()
    if len(lengths) == 1:
        return KnownSize(name, lengths[0])
    return KnownSize(name, lengths[1], (lengths[0], lengths[1], lengths[2]))


def _length(word: str, part: str, where: str) -> float:
    try:
        length = float(word)
    except ValueError:
        raise _wrong("a known size must be in numbers", part, where) from None
    if not 0.0 < length <= _LARGEST_M or not math.isfinite(length):
        raise _wrong("a known size must be above 0, and in metres", part, where)
    return length


def _wrong(rule: str, part: str, where: str) -> FixInput:
    return FixInput(rule, got=repr(part), where=where, fix=f"write {_FORMS}, {_EXAMPLE}")
