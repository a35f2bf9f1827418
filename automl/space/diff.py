"""What changed between two search spaces, in words."""

from collections.abc import Callable, Iterator, Mapping

from automl.space.model import WORDING, Searched, SearchSpace
from automl.space.parameter import Parameter
from automl.space.value_text import value_text

__all__ = ["changes"]


def changes(old: SearchSpace, new: SearchSpace) -> list[str]:
    """One line for each difference that decides a proposal; empty if there is none.

    Lines begin with ``+`` for what is new, ``-`` for what is gone and ``~`` for what changed.
    """
    before = {parameter.key: parameter for parameter in old}
    after = {parameter.key: parameter for parameter in new}
    lines = [f"- {key}: no longer searched" for key in before if key not in after]
    lines += [f"+ {key}: searched, {after[key].text}" for key in after if key not in before]
    for key, parameter in after.items():
        if key in before:
            lines += [f"~ {key}: {text}" for text in _changed(before[key], parameter)]
    lines += _constants(old.fixed, new.fixed)
    if not lines and old.digest != new.digest:
        lines.append(f"~ order: {', '.join(old.keys)} -> {', '.join(new.keys)}")
    return lines


def _changed(old: Searched, new: Searched) -> Iterator[str]:
    lines = list(_changed_parts(old, new))
    yield from lines
    if not lines and (names := _differing(old.to_json(), new.to_json())):
        yield f"another {' and '.join(names)}"


def _differing(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    names = sorted((old.keys() | new.keys()) - set(WORDING))
    return [name for name in names if old.get(name) != new.get(name)]


def _changed_parts(old: Searched, new: Searched) -> Iterator[str]:
    if old.text != new.text:
        yield f"{old.text} -> {new.text}"
    elif old.options != new.options:
        yield "other values, too many to show"
    for name, part in _PARTS.items():
        before, after = part(old), part(new)
        if before != after:
            yield f"{name} {value_text(before)} -> {value_text(after)}"


def _own(parameter: Searched) -> tuple[Parameter, ...]:
    """The parameter itself; what a list's elements follow is part of every such list."""
    return (parameter,) if isinstance(parameter, Parameter) else ()


#: Parts of a parameter that its range does not show.
_PARTS: Mapping[str, Callable[[Searched], object]] = {
    "default": lambda parameter: parameter.default,
    "weights": lambda parameter: list(parameter.weights),
    "holes": lambda parameter: [
        hole for own in _own(parameter) for hole in own.distribution.holes
    ],
    "follows": lambda parameter: [str(link) for own in _own(parameter) for link in own.links],
}


def _constants(old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[str]:
    for key in (key for key in old if key not in new):
        yield f"- {key}: no longer fixed at {value_text(old[key])}"
    for key, value in new.items():
        if key not in old:
            yield f"+ {key}: fixed at {value_text(value)}"
        elif old[key] != value:
            yield f"~ {key}: fixed at {value_text(old[key])} -> {value_text(value)}"
