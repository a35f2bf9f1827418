"""The memory frontier: what ran out of memory bounds what is started after it.

A proposal whose batch is at or above one that ran out of memory, with all else equal that decides
what a training holds in memory, would run out of it too. It is refused before it is started and
reported to the sampler as the worst value: it costs nothing, and the sampler learns. Nothing is
remembered beside the trials themselves.

A trial bounds others only where its end was its own doing. It does not where it shared the GPU
with another process or trial, where it had come as far as a measurement, or where a batch as
large was trained all the same.
"""

import re
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from automl.search.params_key import params_key
from automl.skill.keys import NetworkKeys
from automl.skill.tree import ParamValue
from automl.study import attributes
from automl.study.clock import moment_of
from automl.study.known_errors import known_error
from automl.study.records import FailureClass
from automl.study.trials import is_refused, params_of

__all__ = [
    "MOST_REFUSALS",
    "beyond_memory",
    "has_run_out",
    "may_refuse",
    "memory_key",
    "n_refused_of",
]

#: Proposals for one number that are refused before one is started all the same: a space may hold
#: little else.
MOST_REFUSALS = 16
#: Refused proposals in a whole study, for each trial that it may start.
REFUSALS_A_TRIAL = 4

_OF_THE_MACHINE = "memory-kill"
#: How torch names the processes on a GPU whose memory is used up; its own is "this process", but
#: in a container it is one of the others.
_PROCESS, _ITSELF = re.compile(r"\bProcess \d+ has\b"), "this process has"

Grouped = Mapping[int, Sequence[FrozenTrial]]


def beyond_memory(
    params: Mapping[str, ParamValue],
    grouped: Grouped,
    keys: NetworkKeys,
    *,
    is_shared: bool = False,
    among: Collection[int] | None = None,
) -> int | None:
    """The trial that ran out of memory with no larger a batch and all else alike; None if none.

    Numbers with a fraction (learning rates, probabilities) and lists (milestones) hold nothing in
    memory; every other parameter is taken to, so that nothing is refused that might fit.

    Args:
        params: The proposal.
        grouped: The Optuna trials of each logical number, oldest first.
        keys: Which parameters are batch sizes, and which the optimiser's: whatever their values,
            these hold the same in memory.
        is_shared: Whether several trials run on one GPU; one that ran beside others then proves
            nothing.
        among: The trials that may bound the proposal; None for all.
    """
    batches = _batches(params, keys)
    near = grouped if among is None else {number: grouped[number] for number in sorted(among)}
    alike = _alike(params, near, keys) if batches else {}
    fitting = [_batches(params_of(trials[-1]), keys) for trials in alike.values() if _fits(trials)]
    for number, trial in _out_of_memory(alike):
        limits = _batches(params_of(trial), keys)
        is_contradicted = any(_is_at_or_above(batch, limits) for batch in fitting)
        if is_contradicted or (is_shared and _had_company(number, grouped)):
            continue
        if _is_at_or_above(batches, limits):
            return number
    return None


def _alike(params: Mapping[str, ParamValue], grouped: Grouped, keys: NetworkKeys) -> Grouped:
    """The trials that differ from a proposal in nothing but their batch, as far as memory goes."""
    wanted = memory_key(params, keys)
    return {
        number: trials
        for number, trials in grouped.items()
        if memory_key(params_of(trials[-1]), keys) == wanted
    }


def memory_key(params: Mapping[str, ParamValue], keys: NetworkKeys) -> Hashable:
    """What two proposals share that differ in nothing but their batch, as far as memory goes."""
    return frozenset(_batches(params, keys)), params_key(_rest(params, keys))


def may_refuse(number: int, grouped: Grouped, trials: int) -> bool:
    """Whether one more proposal for a number may be refused.

    Args:
        number: The logical number.
        grouped: The Optuna trials of each logical number.
        trials: Trials that the study may start in all.
    """
    refused = sum(map(n_refused_of, grouped.values()))
    few = n_refused_of(grouped.get(number, ())) < MOST_REFUSALS
    return few and refused < REFUSALS_A_TRIAL * trials


def n_refused_of(trials: Sequence[FrozenTrial]) -> int:
    """How many proposals for one number were refused."""
    return sum(is_refused(trial) for trial in trials)


def _is_at_or_above(batches: Mapping[str, int], limits: Mapping[str, int]) -> bool:
    return all(batches[key] >= limit for key, limit in limits.items())


def _fits(trials: Sequence[FrozenTrial]) -> bool:
    """Whether a training came as far as a measurement, and so had room."""
    return any(_is_measured(trial) for trial in trials)


def _is_measured(trial: FrozenTrial) -> bool:
    if trial.intermediate_values:
        return True
    attrs = trial.user_attrs
    never = attributes.FAILURE in attrs or attributes.REFUSED in attrs
    return trial.state is OptunaState.COMPLETE and not never


def has_run_out(trials: Sequence[FrozenTrial]) -> bool:
    """Whether a trial ran out of memory, whosever fault it was, before it had measured."""
    failure = trials[-1].user_attrs.get(attributes.FAILURE)
    return failure == str(FailureClass.OOM) and not _fits(trials)


def _out_of_memory(grouped: Grouped) -> Iterator[tuple[int, FrozenTrial]]:
    """The trials that ran out of a GPU's memory by themselves."""
    for number, trials in grouped.items():
        attrs = trials[-1].user_attrs
        if not has_run_out(trials):
            continue
        evidence = str(attrs.get(attributes.EVIDENCE, ""))
        known = known_error(FailureClass.OOM, evidence)
        is_machines = known is not None and known.name == _OF_THE_MACHINE
        if not is_machines and not _names_neighbours(evidence):
            yield number, trials[-1]


def _names_neighbours(evidence: str) -> bool:
    """Whether torch's message says that other processes held memory of the same GPU."""
    named = len(_PROCESS.findall(evidence))
    return named > (0 if _ITSELF in evidence else 1)


def _had_company(number: int, grouped: Grouped) -> bool:
    """Whether another trial ran at any time while the last attempt of one did."""
    mine = _span(grouped[number][-1])
    others = (
        _span(trial)
        for other, trials in grouped.items()
        if other != number
        for trial in trials
        if attributes.ASKED_AT in trial.user_attrs
    )
    return mine is None or any(
        other is None or (other[0] < mine[1] and mine[0] < other[1]) for other in others
    )


def _span(trial: FrozenTrial) -> tuple[datetime, datetime] | None:
    """Start and end of an attempt; of one that has not ended, the end of time."""
    asked, seconds = (trial.user_attrs.get(name) for name in _TIMES)
    if asked is None:
        return None
    start = moment_of(asked)
    if seconds is None:
        return start, datetime.max.replace(tzinfo=start.tzinfo)
    return start, start + timedelta(seconds=seconds)


_TIMES = (attributes.ASKED_AT, attributes.SECONDS)


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
