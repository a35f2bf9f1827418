"""Trials that differ in nothing but their batch, as far as memory goes, found without a search."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from optuna.trial import FrozenTrial

from automl.search.followed import Changing, Followed
from automl.search.frontier import has_run_out, memory_key
from automl.skill.keys import NetworkKeys
from automl.skill.tree import ParamValue
from automl.study.trials import params_of

__all__ = ["MemoryGroups"]


@dataclass(slots=True)
class _Group:
    """Trials alike, and those of them that ran out of memory."""

    numbers: set[int] = field(default_factory=set)
    full: set[int] = field(default_factory=set)


class MemoryGroups:
    """Sorts the trials of a study by what they hold in memory beside their batch.

    Args:
        trials: The study's trials.
        keys: Which parameters are batch sizes.
    """

    def __init__(self, trials: Changing, keys: NetworkKeys) -> None:
        self._keys = keys
        self._groups: dict[Hashable, _Group] = {}
        self._followed = Followed(trials, self._read)

    def alike(self, params: Mapping[str, ParamValue]) -> Collection[int]:
        """The trials that are like a proposal; none where none of them ran out of memory."""
        for number, before, now in self._followed.follow():
            if before is not None:
                group = self._groups[before[0]]
                group.numbers.discard(number)
                group.full.discard(number)
            if now is not None:
                key, is_full = now
                group = self._groups.setdefault(key, _Group())
                group.numbers.add(number)
                if is_full:
                    group.full.add(number)
        group = self._groups.get(memory_key(params, self._keys), _Group())
        return group.numbers if group.full else ()

    def _read(self, number: int, trials: Sequence[FrozenTrial]) -> tuple[Hashable, bool]:
        del number
        return memory_key(params_of(trials[-1]), self._keys), has_run_out(trials)
