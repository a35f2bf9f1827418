"""Which of a source's objects are kept, and what they are called in the training layout."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from automl.data.convert.cuboid_fit import pixels_of
from automl.data.convert.frames import SourceBox, SourceFrame
from automl.data.geometry import CORNER_SIGNS
from automl.errors import FixInput

__all__ = ["LEAST_VISIBLE", "Counts", "WantedObjects", "is_kind", "unknown_kinds"]

LEAST_VISIBLE: Final = 0.1
"""Objects seen less than this are left out, as in the layout's own preparation."""


@dataclass(frozen=True, slots=True)
class WantedObjects:
    """What the user wants of a source's objects.

    Attributes:
        kinds: What the source calls those that are kept; empty for all.
        category: What they are called afterwards; empty for what the source calls them.
        turns: Kind to its number of turns, over what the source says.
        least_visible: Objects seen less are left out.
        visibility: What is written where the source does not say; None for nothing.
    """

    kinds: tuple[str, ...] = ()
    category: str = ""
    turns: Mapping[str, int] = field(default_factory=dict)
    least_visible: float = LEAST_VISIBLE
    visibility: float | None = None


@dataclass(slots=True)
class Counts:
    """What became of the objects.

    Attributes:
        kept: Kind to number of objects that were written.
        other: Kind to number of those that were not asked for.
        faint: Objects seen too little.
        outside: Objects behind the camera or outside the image.
        unsaid: Written objects whose visibility nobody knows.
        turns: Category to the turns that look the same, where known.
        longest: Longest edge of an object that was written, in metres.
    """

    kept: Counter[str] = field(default_factory=Counter)
    other: Counter[str] = field(default_factory=Counter)
    faint: int = 0
    outside: int = 0
    unsaid: int = 0
    turns: dict[str, int] = field(default_factory=dict)
    longest: float = 0.0

    def select(
        self, wanted: WantedObjects, frame: SourceFrame, size: tuple[int, int]
    ) -> list[tuple[str, SourceBox]]:
        """The objects of a frame that are written, each with its category.

        Args:
            wanted: What the user wants.
            frame: The frame.
            size: Width and height of its image in pixels.

        Raises:
            FixInput: One category is asked for, and the source has several kinds of objects.
        """
        taken = []
        for box in self._asked_for(wanted, frame.boxes):
            if not _in_view(box, frame, size):
                self.outside += 1
            elif box.visibility is not None and box.visibility <= wanted.least_visible:
                self.faint += 1
            else:
                taken.append((wanted.category or box.kind, _completed(box, wanted)))
        return taken

    def _asked_for(self, wanted: WantedObjects, boxes: Iterable[SourceBox]) -> list[SourceBox]:
        taken = []
        for box in boxes:
            if wanted.kinds and not any(is_kind(box.kind, name) for name in wanted.kinds):
                self.other[box.kind] += 1
                continue
            taken.append(box)
            kinds = {*self.kept, *(one.kind for one in taken)}
            if wanted.category and not wanted.kinds and len(kinds) > 1:
                raise FixInput(
                    "one category must be one kind of object",
                    got=f"{', '.join(sorted(kinds))}",
                    where="--category",
                    fix=f"say which is {wanted.category}, such as --objects {box.kind}",
                )
        return taken

    def add(self, written: Iterable[tuple[str, SourceBox]]) -> None:
        """Counts objects that were written, each with its category."""
        for category, box in written:
            self.kept[box.kind] += 1
            self.unsaid += box.visibility is None
            self.longest = max(self.longest, float(box.size.max()))
            if box.turns is not None:
                self.turns[category] = box.turns


def is_kind(kind: str, name: str) -> bool:
    """Whether a name means a kind; a number alone means BOP's model of that number."""
    return kind == name or (name.isascii() and name.isdigit() and kind == f"obj_{int(name):06d}")


def unknown_kinds(wanted: WantedObjects, counts: Counts) -> Iterator[str]:
    """A sentence about each kind that the user named and the source does not have."""
    has = sorted({*counts.kept, *counts.other})
    for flag, names in (("--objects", wanted.kinds), ("--symmetric", wanted.turns)):
        for name in names:
            if not any(is_kind(kind, name) for kind in has):
                yield f"{flag} names {name}, of which there is none: there is {', '.join(has)}"


def _completed(box: SourceBox, wanted: WantedObjects) -> SourceBox:
    seen = wanted.visibility if box.visibility is None else box.visibility
    named = [turns for name, turns in wanted.turns.items() if is_kind(box.kind, name)]
    return replace(box, visibility=seen, turns=named[0] if named else box.turns)


def _in_view(box: SourceBox, frame: SourceFrame, size: tuple[int, int]) -> bool:
    """Whether the whole box lies before the camera, and its outline reaches into the image."""
    corners = CORNER_SIGNS * (box.size / 2) @ box.rotation.T + box.centre
    if not (corners[:, 2] > 0).all():
        return False
    pixels = pixels_of(corners, frame.intrinsics)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    return bool((high > 0).all() and (low < np.array(size)).all())
