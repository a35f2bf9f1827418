"""A search profile drafted from a space: something to start editing from."""

from typing import Any

from automl.skill.tree import Tree
from automl.space.model import Searched, SearchSpace

__all__ = ["draft_profile"]


def draft_profile(space: SearchSpace) -> Tree:
    """The plain form of a profile that searches what the space searches.

    Every entry carries the reasons of its bounds, to be replaced by better ones. Lists whose
    elements differ in their bounds are given the widest of them.
    """
    return {"parameters": {parameter.key: _entry(parameter) for parameter in space}}


def _entry(parameter: Searched) -> dict[str, Any]:
    sources = parameter.bounds_from
    if parameter.options:
        entry: dict[str, Any] = {"choices": list(parameter.options)}
        if parameter.weights:
            entry["weights"] = list(parameter.weights)
        return {**entry, "reason": f"to be checked; {sources.get('choices', '')}"}
    reason = f"to be checked; low: {sources.get('low', '')}, high: {sources.get('high', '')}"
    return {
        "low": min(element.ends[0] for element in parameter.elements),
        "high": max(element.ends[1] for element in parameter.elements),
        "log": parameter.elements[0].distribution.log,
        "reason": reason,
    }
