"""Which known key a mistyped one was meant to be."""

import difflib
from collections.abc import Iterable

__all__ = ["did_you_mean", "nearest"]


def nearest(key: str, known: Iterable[str]) -> str | None:
    """The known key that ``key`` most likely stands for, or None if none is near.

    A key whose last part is right wins over one that only looks alike as a whole, because people
    remember a setting's own name better than the groups that hold it.
    """
    keys = sorted(known)
    last = key.rpartition(".")[2].lower()
    same_name = [other for other in keys if other.rpartition(".")[2].lower() == last]
    if same_name:
        return max(same_name, key=lambda other: _likeness(key, other))
    close = difflib.get_close_matches(key, keys, n=1, cutoff=0.6)
    if close:
        return close[0]
    names = {other.rpartition(".")[2]: other for other in reversed(keys)}
    found = difflib.get_close_matches(last, names, n=1, cutoff=0.75)
    return names[found[0]] if found else None


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def did_you_mean(key: str, known: Iterable[str]) -> str:
    """``did you mean train.optim.lr?``, or nothing where no known key is near."""
    found = nearest(key, known)
    return f"did you mean {found}?" if found else ""
