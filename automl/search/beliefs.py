"""What is believed of each draw of a space: the profile's prior, else the rule."""

import math

from automl.search.prior import DECADES, Prior
from automl.skill.profile import Belief
from automl.space.model import Searched, SearchSpace
from automl.space.parameter import Parameter
from automl.space.proposal import default_params, encode, option_weights

__all__ = ["priors_of"]


def priors_of(space: SearchSpace) -> dict[str, Prior]:
    """The belief about every draw, by its name.

    A setting without a default and without a centre in the profile has none: it is drawn evenly.
    """
    params = default_params(space)
    params |= {
        key: belief.centre for key, belief in space.priors.items() if belief.centre is not None
    }
    known = {key: value for key, value in params.items() if value is not None}
    draws, weights = encode(space, params), option_weights(space)
    return {
        element.draw_name: Prior(
            draws[element.draw_name] if parameter.key in known else None,
            _width(element, space.priors.get(parameter.key, Belief()).width),
            weights.get(element.draw_name, ()),
            parameter.key in space.priors,
        )
        for parameter in space
        for element in _elements(parameter)
    }


def _elements(parameter: Searched) -> tuple[Parameter, ...]:
    return parameter.elements


def _width(element: Parameter, width: float | None) -> float | None:
    """A width as a share of the range; of an option it is one already.

    A range that moves with its parents is drawn as a share, but its own scale decides.
    """
    if element.distribution.scale == "log":
        low, high = element.ends
        return (DECADES if width is None else width) / math.log10(high / low)
    if width is None or not element.has_order:
        return width
    low, high = element.ends
    return width / (high - low)
