"""A search space as text: what is searched between which bounds, and why; what is not, and why."""

from collections.abc import Iterator, Sequence

from automl.space.model import Inert, Refused, Searched, SearchSpace
from automl.space.value_text import value_text

__all__ = ["show_space", "sources_of"]

_ORDER = ("low", "high", "choices", "scale", "default", "weights")


def show_space(space: SearchSpace) -> str:
    """The space as a tree of lines; ends without a line end.

    >>> print(show_space(SearchSpace(fixed={"flip": 0.5})))
    searched: nothing
    fixed: 1
      flip = 0.5
    """
    lines = [*_searched(space.parameters)]
    lines += _section(
        "fixed", [f"{key} = {value_text(value)}" for key, value in space.fixed.items()]
    )
    lines += _inert(space.inert)
    lines += _refused(space.refused)
    lines += _section("conditions left out", list(space.notes))
    return "\n".join(lines)


def _searched(parameters: Sequence[Searched]) -> Iterator[str]:
    yield f"searched: {len(parameters) or 'nothing'}"
    keys = max((len(parameter.key) for parameter in parameters), default=0)
    ranges = max((len(parameter.text) for parameter in parameters), default=0)
    for parameter in parameters:
        text = parameter.text.ljust(ranges)
        default = f"default {value_text(parameter.default)}"
        yield f"  {parameter.key.ljust(keys)}  {text}  {default}"
        yield from (f"    {line}" for line in _reasons(parameter))


def _reasons(parameter: Searched) -> Iterator[str]:
    for name, reason in sources_of(parameter).items():
        yield f"{name.ljust(7)}  {reason}"
    if parameter.weights:
        weights = " ".join(f"{weight:g}" for weight in parameter.weights)
        yield f"weights  {weights}: {parameter.bounds_from.get('weights', 'as asked')}"
    if parameter.conditions:
        yield f"{'obeys'.ljust(7)}  {'; '.join(parameter.conditions)}"


def sources_of(parameter: Searched) -> dict[str, str]:
    """Part of a range to where it came from; parts with one source stand as ``range``."""
    hidden: tuple[str, ...] = ("low", "high", "scale") if parameter.options else ("choices",)
    hidden += ("weights",) if parameter.weights else ()
    sources = {
        name: parameter.bounds_from[name]
        for name in _ORDER
        if name not in hidden and parameter.bounds_from.get(name)
    }
    if "low" in sources and sources["low"] == sources.get("high"):
        scale = sources.pop("scale", "")
        del sources["high"]
        common = {"range": sources.pop("low")}
        return {**common, **({"scale": scale} if scale != common["range"] else {}), **sources}
    return sources


def _section(title: str, entries: Sequence[str]) -> Iterator[str]:
    if entries:
        yield f"{title}: {len(entries)}"
        yield from (f"  {entry}" for entry in entries)


def _inert(entries: Sequence[Inert]) -> Iterator[str]:
    texts = []
    for entry in entries:
        texts.append(f"{entry.key}  {entry.reason}")
        if entry.fix:
            texts.append(f"  fix      {entry.fix}")
    if entries:
        yield f"inert: {len(entries)}"
        yield from (f"  {text}" for text in texts)


def _refused(entries: Sequence[Refused]) -> Iterator[str]:
    yield from _section("not searched", [f"{entry.key}  {entry.reason}" for entry in entries])
