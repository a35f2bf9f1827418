"""The memory frontier: what ran out of memory bounds what is started after it.

A proposal whose batch is at or above one that ran out of memory, with all else equal that decides
what a training holds in memory, would run out of it too. It is refused before it is started and
reported to the sampler as the worst value: it costs nothing, and the sampler learns. Nothing is
remembered beside the trials themselves.
"""

from collections.abc import Iterator, Mapping, Sequence

from optuna.trial import FrozenTrial

from automl.skill.keys import NetworkKeys
from automl.skill.tree import ParamValue
from automl.study import attributes
from automl.study.known_errors import known_error
from automl.study.records import FailureClass
from automl.study.trials import is_refused, params_of

__all__ = ["MOST_REFUSALS", "beyond_memory", "n_refused_of"]

#: Proposals for one number that are refused before one is started all the same: a space may hold
#: little else.
MOST_REFUSALS = 64

_OF_THE_MACHINE = "memory-kill"


def beyond_memory(
    params: Mapping[str, ParamValue],
    grouped: Mapping[int, Sequence[FrozenTrial]],
    keys: NetworkKeys,
) -> int | None:
    """The trial that ran out of memory with no larger a batch and all else alike; None if none.

    Numbers with a fraction (learning rates, probabilities) and lists (milestones) hold nothing in
    memory; every other parameter is taken to, so that nothing is refused that might fit.

    Args:
        params: The proposal.
        grouped: The Optuna trials of each logical number, oldest first.
        keys: Which parameters are batch sizes, and which the optimiser's: whatever their values,
            these hold the same in memory.
    """
    batches = _batches(params, keys)
    if not batches:
        return None
    rest = _rest(params, keys)
    for number, trial in _out_of_memory(grouped):
        known = params_of(trial)
        limits = _batches(known, keys)
        is_alike = limits.keys() == batches.keys() and _rest(known, keys) == rest
        if is_alike and all(batches[key] >= limit for key, limit in limits.items()):
            return number
    return None


def n_refused_of(trials: Sequence[FrozenTrial]) -> int:
    """How many proposals for one number were refused."""
    return sum(is_refused(trial) for trial in trials)


def _out_of_memory(
    grouped: Mapping[int, Sequence[FrozenTrial]],
) -> Iterator[tuple[int, FrozenTrial]]:
    """The trials that ran out of a GPU's memory; that of the machine depends on its neighbours."""
    for number, trials in grouped.items():
        attrs = trials[-1].user_attrs
        if attrs.get(attributes.FAILURE) != str(FailureClass.OOM):
            continue
        known = known_error(FailureClass.OOM, str(attrs.get(attributes.EVIDENCE, "")))
        if known is None or known.name != _OF_THE_MACHINE:
            yield number, trials[-1]


def _batches(params: Mapping[str, ParamValue], keys: NetworkKeys) -> dict[str, int]:
    return {
        key: value
        for key, value in params.items()
        if key in keys.batch_sizes and isinstance(value, int)
    }


def _rest(params: Mapping[str, ParamValue], keys: NetworkKeys) -> dict[str, ParamValue]:
    """What else may decide how much memory a training takes."""
    return {
        key: value
        for key, value in params.items()
        if key not in keys.batch_sizes
        and not isinstance(value, float | list)
        and not (keys.optimizer and key.startswith(keys.optimizer))
    }
