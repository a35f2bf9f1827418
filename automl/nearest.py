"""Which known word a mistyped one was meant to be; nothing where none is near."""

from collections.abc import Iterable

__all__ = ["did_you_mean", "nearest", "slips"]

#: Letters of a word for each slip that is forgiven in it.
_LETTERS_A_SLIP = 4
_MOST_SLIPS = 3
#: Letters that a beginning must have to stand for the whole word.
_BEGINNING = 3


def nearest(key: str, known: Iterable[str]) -> str | None:
    """The known key that ``key`` most likely stands for, or None if none is near.

    A key whose last part is right wins over one that only looks alike as a whole, because people
    remember a setting's own name better than the groups that hold it. Near is a key that is a few
    slips away (a letter left out, added, changed, or two swapped), or that begins with what was
    written.
    """
    keys = sorted(known)
    last = _last(key)
    same_name = [other for other in keys if _last(other) == last]
    if same_name:
        return min(same_name, key=lambda other: slips(key, other))
    return _closest(key, {other: other for other in keys}) or _closest(
        last, {_last(other): other for other in reversed(keys)}
    )


def _last(key: str) -> str:
    return key.rpartition(".")[2].lower()


def _closest(word: str, known: dict[str, str]) -> str | None:
    """What the known word stands for that is fewest slips away, else the one that begins so."""
    counted = sorted((slips(word.lower(), other.lower()), other) for other in known)
    if counted and counted[0][0] <= min(_MOST_SLIPS, max(1, len(word) // _LETTERS_A_SLIP)):
        return known[counted[0][1]]
    begun = [other for other in known if other.lower().startswith(word.lower())]
    return known[min(begun, key=len)] if begun and len(word.strip("-")) >= _BEGINNING else None


def slips(one: str, other: str) -> int:
    """Letters left out, added or changed, and neighbours swapped, between two words.

    The optimal string alignment distance: no part of a word is changed twice.
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        above, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
    return row[-1]


def did_you_mean(key: str, known: Iterable[str]) -> str:
    """``did you mean train.optim.lr?``, or nothing where no known key is near."""
    meant = nearest(key, known)
    return f"did you mean {meant}?" if meant else ""
