"""The search space that recorded settings span: what differs, over its recorded values."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from automl.skill.tree import ParamValue
from automl.space.distributions import Choice, Distribution, FloatRange, IntRange
from automl.space.list_parameter import ListParameter
from automl.space.model import Searched, SearchSpace
from automl.space.parameter import Parameter

__all__ = ["space_of"]

# A range over more than this factor is one of orders of magnitude.
_LOG_FROM = 20.0
# Whole numbers of at most so many values are options in order.
_FEW = 6


def space_of(settings: Sequence[Mapping[str, ParamValue]]) -> SearchSpace:
    """The space of the settings that every recording has and that differ between them.

    Args:
        settings: Of each recording, dotted key to value; at least one.

    Returns:
        The space; the default of each parameter is its value in the settings that were recorded
        most often, of equals in the first of them.
    """
    default = _commonest(settings)
    keys = [key for key in settings[0] if all(key in each for each in settings)]
    parameters = (_parameter(key, [each[key] for each in settings], default[key]) for key in keys)
    return SearchSpace(tuple(each for each in parameters if each is not None))


def _commonest(settings: Sequence[Mapping[str, ParamValue]]) -> Mapping[str, ParamValue]:
    counts = Counter(repr(sorted(each.items())) for each in settings)
    most = counts.most_common(1)[0][0]
    return next(each for each in settings if repr(sorted(each.items())) == most)


def _parameter(key: str, values: Sequence[Any], default: ParamValue) -> Searched | None:
    """The parameter of a key; None where all values are the same."""
    if all(value == values[0] for value in values):
        return None
    lengths = {len(value) if isinstance(value, list) else 0 for value in values}
    if lengths == {0} or len(lengths) > 1:
        return Parameter(key, _type(values), _distribution(values), default)
    parts = [
        Parameter(f"{key}[{place}]", _type(column), _distribution(column), column[0])
        for place, column in enumerate(map(list, zip(*values, strict=True)))
    ]
    return ListParameter(key, "list", tuple(parts), default)


def _type(values: Sequence[Any]) -> str:
    kinds = {type(value) for value in values}
    words = {frozenset((bool,)): "bool", frozenset((int,)): "int", frozenset((str,)): "string"}
    return words.get(frozenset(kinds), "float" if kinds <= {int, float} else "string")


def _distribution(values: Sequence[Any]) -> Distribution:
    unique = sorted({repr(value): value for value in values}.values(), key=_order)
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in unique):
        return Choice(tuple(unique))
    low, high = unique[0], unique[-1]
    is_log = low > 0 and high / low >= _LOG_FROM
    if not all(isinstance(value, int) for value in unique):
        return FloatRange(float(low), float(high), log=is_log)
    if 1 < len(unique) <= _FEW:
        return Choice(tuple(unique), is_ordered=True)
    return IntRange(low, high, log=is_log)


def _order(value: Any) -> tuple[bool, Any]:
    """Numbers in their order, then everything else as text."""
    is_number = isinstance(value, int | float)
    return (not is_number, value if is_number else repr(value))
