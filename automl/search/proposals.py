"""What is proposed next: the default first, then the sampler's, none of them twice."""

from collections.abc import Sequence

from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from automl.search.method import TrainAgain
from automl.search.queued_trial import QueuedTrial
from automl.space.model import SearchSpace
from automl.space.proposal import default_params, encode, is_legal
from automl.study import attributes
from automl.study.trials import is_measurement, params_of

__all__ = [
    "MOST_DRAWS",
    "confirming_trial",
    "default_trial",
    "n_modelled",
]

# Proposals for one number before a repetition is accepted: in a small space the sampler keeps
# coming back to the best cell, and another seed of that cell still teaches something.
MOST_DRAWS = 8


def default_trial(space: SearchSpace) -> QueuedTrial:
    """Trial 0: the spec as it is without a search.

    A default outside the space is run like any other, but the sampler is not shown it: it would
    learn from a point that it can never propose.
    """
    params = default_params(space)
    outside = [key for key, legal in is_legal(space, params).items() if not legal]
    return QueuedTrial(
        0,
        source=attributes.SOURCE_DEFAULT,
        fixed={} if outside else encode(space, params),
        params=params,
        outside=f"the search space does not hold the default of {', '.join(outside)}"
        if outside
        else "",
    )


def confirming_trial(number: int, asked: TrainAgain, confirmed: FrozenTrial) -> QueuedTrial:
    """A trial that trains the settings of another one again.

    Args:
        number: The new trial's number.
        asked: Whose settings, and with which seed.
        confirmed: The trial that has them.
    """
    return QueuedTrial(
        number,
        source=asked.source,
        fixed=confirmed.params,
        params=params_of(confirmed),
        outside=str(confirmed.user_attrs.get(attributes.OUTSIDE, "")),
        confirms=asked.number,
        seed=asked.seed,
    )


def n_modelled(trials: Sequence[FrozenTrial]) -> int:
    """Ended trials that a sampler has a measurement of: none that failed or was refused."""
    ended = (OptunaState.COMPLETE, OptunaState.PRUNED)
    return sum(
        trial.state in ended and bool(trial.params) and is_measurement(trial) for trial in trials
    )
