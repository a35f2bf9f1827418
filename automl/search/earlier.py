"""What earlier studies tell this one: observations for a model, settings to begin with."""

from automl.search.observations import Kind, Observation
from automl.search.queued_trial import QueuedTrial
from automl.space.model import SearchSpace
from automl.space.proposal import encode
from automl.study import attributes
from automl.study.config import Direction, StudyConfig

__all__ = ["earlier_observations", "earlier_trial"]

#: Of the trials asked for, the share that settings of earlier studies may take, and the most.
_SHARE, _MOST = 5, 3
#: Samplers that model what earlier studies measured, and need no such trials.
_MODELLING = ("auto", "gp")


def earlier_observations(config: StudyConfig, space: SearchSpace) -> tuple[Observation, ...]:
    """The trials of earlier studies in the draws of this one; their values are still gains."""
    return tuple(
        Observation(encode(space, each.params), each.gain, each.sd, Kind.EARLIER)
        for each in config.earlier.trials
    )


def earlier_trial(number: int, space: SearchSpace, config: StudyConfig) -> QueuedTrial | None:
    """A trial of the best settings of earlier studies, for a sampler that has no use for values.

    Args:
        number: The trial's number, from 1.
        space: What is searched.
        config: What was taken from earlier studies, and who proposes.

    Returns:
        None where the sampler proposes.
    """
    if config.search.sampler in _MODELLING:
        return None
    n = min(_MOST, config.limits.trials // _SHARE)
    sign = 1.0 if config.objective.direction is Direction.MAXIMIZE else -1.0
    best = config.earlier.best(n, sign)
    if not 1 <= number <= len(best):
        return None
    params = dict(best[number - 1].params)
    return QueuedTrial(
        number, source=attributes.SOURCE_EARLIER, fixed=encode(space, params), params=params
    )
