"""A search profile drafted from a space: something to start editing from."""

from typing import Any

from automl.skill.tree import Tree
from automl.space.model import Kind, Parameter, SearchSpace

__all__ = ["draft_profile"]


def draft_profile(space: SearchSpace) -> Tree:
    """The plain form of a profile that searches what the space searches.

    Every entry carries the reasons of its bounds, to be replaced by better ones. Lists whose
    elements differ in their bounds are given the widest of them.
    """
    return {"parameters": {parameter.key: _entry(parameter) for parameter in space}}


def _entry(parameter: Parameter) -> dict[str, Any]:
    reasons = parameter.bounds_from
    if parameter.kind in (Kind.CATEGORICAL, Kind.ORDERED):
        entry: dict[str, Any] = {"choices": list(parameter.choices)}
        if parameter.weights:
            entry["weights"] = list(parameter.weights)
        return {**entry, "reason": f"to be checked; {reasons.get('choices', '')}"}
    low, high = parameter.low, parameter.high
    if parameter.kind is Kind.LIST:
        low, high = min(low), max(high)
    reason = f"to be checked; low: {reasons.get('low', '')}, high: {reasons.get('high', '')}"
    return {"low": low, "high": high, "log": parameter.log, "reason": reason}
