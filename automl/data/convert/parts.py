"""Which frames are converted, in which order, and into which split."""

from collections.abc import Iterator, Sequence

from automl.data.convert.frames import FrameRef
from automl.data.preview import spread

__all__ = ["in_turn", "parts_of", "thinned"]

_SEQUENCES_TO_SHARE = 4


def thinned(refs: Sequence[FrameRef], every: int) -> list[FrameRef]:
    """One frame in so many of each sequence, the first among them."""
    seen: dict[str, int] = {}
    kept = []
    for ref in refs:
        number = seen.get(ref.sequence, 0)
        seen[ref.sequence] = number + 1
        if number % every == 0:
            kept.append(ref)
    return kept


def parts_of(refs: Sequence[FrameRef], split: str, val_share: float) -> dict[FrameRef, str]:
    """The split of each frame.

    Neighbours of one sequence look alike, so a split to validate on is made of whole sequences;
    where there are fewer than four, of the end of each.

    Args:
        refs: The frames.
        split: Where they go.
        val_share: The share that goes to ``val`` instead.
    """
    parts = dict.fromkeys(refs, split)
    sequences: dict[str, list[FrameRef]] = {}
    for ref in refs:
        sequences.setdefault(ref.sequence, []).append(ref)
    if val_share <= 0:
        return parts
    if len(sequences) >= _SEQUENCES_TO_SHARE:
        names = list(sequences)
        count = max(1, round(val_share * len(names)))
        held = [ref for place in spread(len(names), count) for ref in sequences[names[place]]]
    else:
        held = [
            ref
            for own in sequences.values()
            for ref in own[len(own) - round(val_share * len(own)) :]
        ]
    return {**parts, **dict.fromkeys(held, "val")}


def in_turn(refs: Sequence[FrameRef], most: int | None) -> Iterator[FrameRef]:
    """All frames; where some are enough, first as many as are wanted, spread over all.

    Args:
        refs: The frames.
        most: How many are wanted; None for all.
    """
    first = set(spread(len(refs), len(refs) if most is None else most))
    yield from (ref for place, ref in enumerate(refs) if place in first)
    yield from (ref for place, ref in enumerate(refs) if place not in first)
