"""Records as no program wrote them: fields of other types, lost and doubled lines, torn bytes."""

import copy
import json
import random
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["mutated_bytes", "mutated_json", "mutated_lines", "seeded"]

_DEEP: Final = "@deep@"
_NESTED: Final = "[" * 3000 + "]" * 3000
_ODD: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1, 2, 7, 99, 1 << 31, 1 << 64, 10**400, 0.5, -2.5, 1e308,
    float("nan"), float("inf"), "", "x", "0", "a\0b", "../../etc/passwd", "/etc/passwd", "nan",
    "2026-13-45", [], [[]], [None], [1, "a"], {}, {"x": {}}, _DEEP, "é" * 3000,
)  # fmt: skip


def seeded(seed: int) -> random.Random:
    """What the changes are drawn from."""
    return random.Random(seed)  # noqa: S311 - mutations hold no secret


def _odd(rng: random.Random) -> Any:
    return copy.deepcopy(rng.choice(_ODD))


def _nodes(value: Any) -> list[tuple[Any, Any]]:
    """Every container and key below a value."""
    found: list[tuple[Any, Any]] = []
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, below in list(entries):
        found.append((value, key))
        if isinstance(below, dict | list):
            found += _nodes(below)
    return found


def _text(value: Any) -> str:
    return json.dumps(value).replace(f'"{_DEEP}"', _NESTED)


def _mutate(value: Any, rng: random.Random) -> Any:
    nodes = _nodes(value) if isinstance(value, dict | list) else []
    if not nodes or rng.random() < 0.03:
        return _odd(rng)
    holder, key = rng.choice(nodes)
    kind = rng.random()
    if kind < 0.2:
        del holder[key]
    elif kind < 0.3:
        other, place = rng.choice(nodes)
        holder[key] = json.loads(json.dumps(other[place])) if _has(other, place) else None
    elif kind < 0.35 and isinstance(holder, dict):
        holder[rng.choice(("x", "", "number", "format", "op_code"))] = holder.pop(key)
    else:
        holder[key] = _odd(rng)
    return value


def _has(holder: Any, key: Any) -> bool:
    return key in holder if isinstance(holder, dict) else key < len(holder)


def mutated_json(content: bytes, rng: random.Random) -> bytes:
    """A JSON text with one to three changes of its values, or of its bytes."""
    if rng.random() < 0.15:
        return mutated_bytes(content, rng)
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return mutated_bytes(content, rng)
    for _ in range(rng.randint(1, 3)):
        value = _mutate(value, rng)
    return _text(value).encode()


def mutated_bytes(content: bytes, rng: random.Random) -> bytes:
    """A text cut, flipped, blotted out, doubled or replaced somewhere."""
    at, end = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    kinds: tuple[Callable[[], bytes], ...] = (
        lambda: content[:at],
        lambda: content[at:],
        lambda: content[:at] + content[end:],
        lambda: content[:at] + bytes(rng.randrange(1, 40)) + content[at:],
        lambda: content[:at] + bytes([rng.randrange(256)]) + content[at + 1 :],
        lambda: content[:end] + content[at:],
        lambda: content[:at] + b"\xff\xfe" + content[at:],
        lambda: content[:at] + _NESTED.encode() + content[at:],
        lambda: content[:at] + b"9" * 5000 + content[at:],
        lambda: b"",
        lambda: b"\n",
        lambda: b"\xef\xbb\xbf" + content,
    )
    return rng.choice(kinds)()


def _change(lines: list[bytes], at: int, rng: random.Random) -> None:
    lines[at] = mutated_json(lines[at], rng).replace(b"\n", b"") + b"\n"


def _lose(lines: list[bytes], at: int, rng: random.Random) -> None:
    del lines[at : at + rng.choice((1, 1, 1, 30))]


def _double(lines: list[bytes], at: int, rng: random.Random) -> None:
    lines.insert(rng.randrange(len(lines)), lines[at])


def _move(lines: list[bytes], at: int, rng: random.Random) -> None:
    lines.insert(rng.randrange(len(lines)), lines.pop(at))


def _put_in(lines: list[bytes], at: int, rng: random.Random) -> None:
    lines.insert(at, rng.choice((b"{}\n", b"123\n", b"\n", b"null\n", b'"x"\n', b"[]\n")))


_EDITS: Final = (_change, _lose, _double, _move, _put_in)


def mutated_lines(content: bytes, rng: random.Random) -> bytes:
    """JSON Lines with one to three lines changed, lost, doubled, moved or put in."""
    if rng.random() < 0.1:
        return mutated_bytes(content, rng)
    lines = content.splitlines(keepends=True)
    for edit in rng.choices(_EDITS, weights=(6, 2, 1, 1, 1), k=rng.randint(1, 3)):
        if lines:
            edit(lines, rng.randrange(len(lines)), rng)
    return b"".join(lines)
