"""What a parameter's values are: a range of numbers, a range of whole numbers, or a choice.

Each of the three answers for itself: which values it holds, what a sampler draws for it and what
a draw stands for, how it is narrowed, and how it reads.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from automl.skill.typewords import number_of
from automl.space.options import Choice
from automl.space.ranges import FloatRange, IntRange
from automl.space.relations import Number

__all__ = [
    "Choice",
    "Distribution",
    "FloatRange",
    "IntRange",
    "ValueTypes",
    "distribution_of",
    "stored",
]

Distribution: TypeAlias = FloatRange | IntRange | Choice
ValueTypes: TypeAlias = frozenset[type]


def stored(distribution: Distribution) -> dict[str, Any]:
    """The distribution as part of a parameter in ``space.json``, which lists every field."""
    low, high = distribution.ends or (None, None)
    return {
        "kind": distribution.kind,
        "low": low,
        "high": high,
        "log": distribution.log,
        "step": distribution.step,
        "choices": distribution.options,
        "weights": distribution.weights,
    }


def distribution_of(value: Mapping[str, Any]) -> Distribution:
    """The distribution of a parameter as ``space.json`` holds it.

    Raises:
        KeyError: A field is missing, or the kind is unknown.
        ValueError: The ends are no range.
    """
    return _READERS[value["kind"]](value)


def _float_range(value: Mapping[str, Any]) -> FloatRange:
    holes = tuple(value.get("holes", ()))
    return FloatRange(*_ends(value), value.get("log", False), holes)


def _int_range(value: Mapping[str, Any]) -> IntRange:
    holes = tuple(value.get("holes", ()))
    step = value.get("step") or 1
    return IntRange(*_ends(value), value.get("log", False), holes, step)


def _ends(value: Mapping[str, Any]) -> tuple[Number, Number]:
    low, high = number_of(value["low"]), number_of(value["high"])
    if low is None or high is None or low > high:
        raise ValueError(f"a range from {value['low']} to {value['high']}")
    return low, high


def _choice(value: Mapping[str, Any]) -> Choice:
    return Choice(tuple(value["choices"]), tuple(value.get("weights", ())))


def _ordered(value: Mapping[str, Any]) -> Choice:
    return Choice(tuple(value["choices"]), tuple(value.get("weights", ())), is_ordered=True)


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Distribution]] = {
    "float": _float_range,
    "int": _int_range,
    "categorical": _choice,
    "ordered": _ordered,
}
