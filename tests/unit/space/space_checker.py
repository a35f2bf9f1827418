"""An independent judge of proposals: it reads the raw schema and shares no code with the space.

What it knows of the format was written down again from the rules of the search space, so that an
error in the space's reading of a condition does not repeat itself here.
"""

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

Node = Mapping[str, Any]

_CONDITION = re.compile(r"(>=|<=|!=|>|<|/|\^)\s*([\w.+-]+)")
_WHOLE = ("int", "integer", "ordered_int")
_REAL = ("float", "number", "ordered_float")


def raw_leaves(schema: Node, prefix: str = "") -> Iterator[tuple[str, Node]]:
    """Every described setting of a raw schema by dotted key."""
    for name, node in schema["properties"].items():
        if not isinstance(node, Mapping):
            continue
        if isinstance(node.get("properties"), Mapping):
            yield from raw_leaves(node, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", node


def violations(schema: Node, base: Mapping[str, Any], sample: Mapping[str, Any]) -> list[str]:
    """What is wrong with a proposal, one line each; empty if nothing is."""
    leaves = dict(raw_leaves(schema))
    everything = {key: _known(key, leaves, base, sample) for key in leaves}
    found: list[str] = []
    for key, value in sample.items():
        node = leaves[key]
        found += [f"{key} = {value!r}: {text}" for text in _alone(key, node, value)]
        found += [f"{key} = {value!r}: {text}" for text in _among(node, value, everything)]
    return found


def _known(
    key: str, leaves: Mapping[str, Node], base: Mapping[str, Any], sample: Mapping[str, Any]
) -> Any:
    if key in sample:
        return sample[key]
    here: Any = base
    for part in key.split("."):
        if not isinstance(here, Mapping) or part not in here:
            return leaves[key].get("default")
        here = here[part]
    return here


def _alone(key: str, node: Node, value: Any) -> Iterator[str]:
    word = str(node.get("type") or "")
    if word in _WHOLE and (isinstance(value, bool) or not isinstance(value, int)):
        yield "not a whole number"
    if word in _REAL and (isinstance(value, bool) or not isinstance(value, int | float)):
        yield "not a number"
    if word in ("bool", "boolean") and not isinstance(value, bool):
        yield "not a truth value"
    if "list" in word and not isinstance(value, list):
        yield "not a list"
    if isinstance(value, list):
        yield from _in_order(key, value)
    yield from _in_enum(node, value)
    yield from _in_bounds(node, value)


def _in_order(key: str, value: list[Any]) -> Iterator[str]:
    is_milestones = re.search(r"(steps|milestones)$", key) is not None
    if is_milestones and any(one >= two for one, two in itertools.pairwise(value)):
        yield "milestones do not rise"


def _in_enum(node: Node, value: Any) -> Iterator[str]:
    options = [_plain(option) for option in node.get("enum") or ()]
    if options:
        entries = value if isinstance(value, list) else [value]
        for entry in entries:
            if _plain(entry) not in options:
                yield f"{entry!r} is no option"


def _plain(option: Any) -> str:
    text = str(float(option) if _is_number(option) else option).strip()
    return text.lower() if text.lower() in ("true", "false") else text


def _in_bounds(node: Node, value: Any) -> Iterator[str]:
    if node.get("enum"):
        return
    entries = value if isinstance(value, list) else [value]
    for place, entry in enumerate(entries):
        if isinstance(entry, bool) or not isinstance(entry, int | float):
            continue
        low, high = (_bound(node.get(name), place) for name in ("minimum", "maximum"))
        if low is not None and entry < low:
            yield f"{entry} below the minimum {low}"
        if high is not None and entry > high:
            yield f"{entry} above the maximum {high}"
        if not math.isfinite(entry):
            yield "not finite"


def _bound(value: Any, place: int) -> float | None:
    if isinstance(value, list):
        value = value[place] if place < len(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _among(node: Node, value: Any, everything: Mapping[str, Any]) -> Iterator[str]:
    text, depends = str(node.get("math_cond") or ""), str(node.get("depends_on") or "")
    entries = value if isinstance(value, list) else [value]
    numbers = [one for one in entries if _is_number(one)]
    parents = [name for name in re.split(r"[,\s]+|[<>=!]+", depends) if name]
    known: list[Any] = [one for key in parents if _is_number(one := everything.get(key))]
    limit = min(known, default=None)
    own = re.match(r"\s*(>=|<=|!=|>|<)", depends)
    divides = bool(parents) and "/" in text
    for number in numbers:
        yield from _obeys(number, text, limit, divides=divides)
        if own and not _holds(number, own[1], limit):
            yield f"breaks {depends} ({limit})"
        is_bare = parents and not own and not divides and "depends_on" not in text
        if is_bare and not _holds(number, "<=", limit):
            yield f"above its parent {limit}"


def _obeys(number: float, text: str, limit: float | None, *, divides: bool) -> Iterator[str]:
    for op, operand in _CONDITION.findall(text):
        if op == "/" and divides:
            if limit is not None and not number <= limit / float(operand) + 1e-9:
                yield f"above {limit} / {operand}"
        elif not _holds(number, op, limit if operand == "depends_on" else float(operand)):
            yield f"breaks {op} {operand} ({limit})"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _holds(number: float, op: str, other: float | None) -> bool:
    if other is None:
        return True
    if op == "/":
        return abs(number / other - round(number / other)) < 1e-9
    if op == "^":
        exponent = math.log(number, other) if number > 0 else math.nan
        return abs(exponent - round(exponent)) < 1e-9 if exponent == exponent else False
    table = {
        ">": number > other,
        ">=": number >= other,
        "<": number < other,
        "<=": number <= other,
        "!=": number != other,
    }
    return table[op]
