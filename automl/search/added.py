"""A trial of a person's own: put into the queue by another process than the study's driver.

It stands in the Optuna queue without a number, in one write that holds all its settings; the
driver gives it the next number when it takes it. So it is safe from the moment that the write is
done: whether nobody drives the study, or the driver is killed at any moment after.
"""

from collections.abc import Mapping, Sequence

import optuna
from optuna.trial import FrozenTrial

from automl.search.queued_trial import QueuedTrial, fixed_by_others
from automl.skill.tree import ParamValue
from automl.space.model import SearchSpace
from automl.space.proposal import encode, is_legal
from automl.study import attributes

__all__ = ["adopted", "enqueue_own", "is_own", "outside_of", "stands_again"]


def outside_of(space: SearchSpace, params: Mapping[str, ParamValue]) -> str:
    """Why settings are not in the space, in words; empty if they are."""
    keys = [key for key, legal in is_legal(space, params).items() if not legal]
    return f"the search space does not hold this {', '.join(keys)}" if keys else ""


def enqueue_own(study: optuna.Study, space: SearchSpace, params: Mapping[str, ParamValue]) -> None:
    """Puts a trial with these settings into the queue, in one write.

    Settings outside the space are trained like any other, but no sampler is shown them.

    Args:
        study: The study; may be driven by another process.
        space: What it searches.
        params: A value for every parameter of the space.
    """
    outside = outside_of(space, params)
    attrs = {attributes.SOURCE: attributes.SOURCE_USER, attributes.PARAMS: dict(params)}
    if outside:
        attrs[attributes.OUTSIDE] = outside
    study.enqueue_trial({} if outside else encode(space, params), user_attrs=attrs)


def is_own(trial: FrozenTrial) -> bool:
    """Whether it was put into the queue by ``enqueue_own`` and has no number yet."""
    attrs = trial.user_attrs
    return attrs.get(attributes.NUMBER) is None and attributes.PARAMS in attrs


def adopted(trial: FrozenTrial, number: int) -> QueuedTrial:
    """What another process put into the queue, under a number of the study's.

    Its settings are known where a person gave them all, else they are yet to be drawn.
    """
    attrs = trial.user_attrs
    return QueuedTrial(
        number,
        source=attributes.SOURCE_USER,
        fixed=fixed_by_others(trial),
        params=attrs.get(attributes.PARAMS),
        outside=str(attrs.get(attributes.OUTSIDE, "")),
    )


def stands_again(trial: FrozenTrial, among: Sequence[FrozenTrial]) -> bool:
    """Whether the same settings of a person's were queued after it, so that it may be dropped."""
    params = trial.user_attrs.get(attributes.PARAMS)
    return any(
        other.number > trial.number
        and other.user_attrs.get(attributes.SOURCE) == attributes.SOURCE_USER
        and other.user_attrs.get(attributes.PARAMS) == params
        for other in among
    )
