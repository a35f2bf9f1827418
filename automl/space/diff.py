"""What changed between two search spaces, in words."""

from collections.abc import Iterator, Mapping

from automl.space.model import WORDING, Parameter, SearchSpace
from automl.space.show import range_text, value_text

__all__ = ["changes"]


def changes(old: SearchSpace, new: SearchSpace) -> list[str]:
    """One line for each difference that decides a proposal; empty if there is none.

    Lines begin with ``+`` for what is new, ``-`` for what is gone and ``~`` for what changed.
    """
    before = {parameter.key: parameter for parameter in old}
    after = {parameter.key: parameter for parameter in new}
    lines = [f"- {key}: no longer searched" for key in before if key not in after]
    lines += [f"+ {key}: searched, {range_text(after[key])}" for key in after if key not in before]
    for key, parameter in after.items():
        if key in before:
            lines += [f"~ {key}: {text}" for text in _changed(before[key], parameter)]
    lines += _constants(old.fixed, new.fixed)
    if not lines and old.digest != new.digest:
        lines.append(f"~ order: {', '.join(old.keys)} -> {', '.join(new.keys)}")
    return lines


def _changed(old: Parameter, new: Parameter) -> Iterator[str]:
    told = list(_told(old, new))
    yield from told
    if not told and (names := _differing(old.to_json(), new.to_json())):
        yield f"another {' and '.join(names)}"


def _differing(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    names = sorted((old.keys() | new.keys()) - set(WORDING))
    return [name for name in names if old.get(name) != new.get(name)]


def _told(old: Parameter, new: Parameter) -> Iterator[str]:
    ranges = (range_text(old), range_text(new))
    if ranges[0] != ranges[1]:
        yield f"{ranges[0]} -> {ranges[1]}"
    elif (old.choices, old.low, old.high) != (new.choices, new.low, new.high):
        yield "other values, too many to show"
    for name, before, after in (
        ("default", old.default, new.default),
        ("weights", list(old.weights), list(new.weights)),
        ("holes", list(old.holes), list(new.holes)),
        ("follows", [str(link) for link in old.links], [str(link) for link in new.links]),
    ):
        if before != after:
            yield f"{name} {value_text(before)} -> {value_text(after)}"


def _constants(old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[str]:
    for key in old.keys() - new.keys():
        yield f"- {key}: no longer fixed at {value_text(old[key])}"
    for key, value in new.items():
        if key not in old:
            yield f"+ {key}: fixed at {value_text(value)}"
        elif old[key] != value:
            yield f"~ {key}: fixed at {value_text(old[key])} -> {value_text(value)}"
