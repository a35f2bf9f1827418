"""The axis of a searched parameter: its scale and its ticks, the same in every figure."""

import math
from collections.abc import Mapping
from typing import Any

from automl.reports import words
from automl.reports.derive import is_number
from automl.reports.drawing.ticks import linear_ticks, log2_ticks, log_ticks, number_text
from automl.reports.theme import safe
from automl.skill.tree import ParamValue
from automl.space.parameter import Parameter

__all__ = ["axis_of", "is_doubling", "place_on", "share_on"]


def is_doubling(parameter: Parameter) -> bool:
    """Whether its values are read in powers of two: batch sizes, and options that double."""
    if not parameter.has_order or parameter.ends[0] <= 0:
        return False
    if parameter.options:
        return all(is_number(v) and math.log2(v).is_integer() for v in parameter.options)
    return parameter.type in ("int", "integer") and "batch" in parameter.key.rpartition(".")[2]


def axis_of(parameter: Parameter) -> Mapping[str, Any]:
    """The axis as a plotly layout takes it, with ticks that are written as people write them."""
    if not parameter.has_order:
        options = [safe(words.param(option)) for option in parameter.options]
        ends = [-0.5, len(options) - 0.5]
        kind = {"type": "category", "categoryorder": "array"}
        return {**kind, "categoryarray": options, "range": ends}
    is_log = parameter.distribution.log or is_doubling(parameter)
    values = _ticks(parameter)
    shown = {"tickvals": values, "ticktext": [number_text(value) for value in values]}
    return {"type": "log" if is_log else "linear", **shown}


def _ticks(parameter: Parameter) -> list[float]:
    low, high = map(float, parameter.ends)
    if parameter.options and len(parameter.options) <= 8:
        return [float(option) for option in parameter.options if is_number(option)]
    if is_doubling(parameter):
        return log2_ticks(low, high)
    return log_ticks(low, high) if parameter.distribution.log else linear_ticks(low, high)


def place_on(value: ParamValue, parameter: Parameter) -> float | str:
    """Where a value stands on that axis: a number, or the word of an option."""
    if parameter.has_order and is_number(value):
        return value
    return safe(words.param(value))


def share_on(value: ParamValue, parameter: Parameter) -> float | None:
    """The place as a share of the axis, from 0 to 1; None for what has none on it."""
    if not parameter.has_order:
        words_of = [words.param(option) for option in parameter.options]
        text = words.param(value)
        if text not in words_of:
            return None
        return words_of.index(text) / (len(words_of) - 1) if len(words_of) > 1 else 0.5
    if not is_number(value):
        return None
    low, high = map(float, parameter.ends)
    number = float(value)
    if (parameter.distribution.log or is_doubling(parameter)) and number > 0:
        low, high, number = math.log(low), math.log(high), math.log(number)
    return (number - low) / (high - low) if high > low else 0.5
