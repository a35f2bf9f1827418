"""What was tried and refused, and what a sampler can learn from, counted as it happens."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial

from automl.search.followed import Changing, Followed
from automl.search.frontier import n_refused_of
from automl.search.params_key import params_key
from automl.search.proposals import n_modelled
from automl.skill.tree import ParamValue
from automl.study import attributes
from automl.study.records import FailureClass
from automl.study.trials import is_refused, params_of

__all__ = ["Tally"]


@dataclass(frozen=True, slots=True)
class _Counted:
    """One trial's part.

    Attributes:
        run: The settings that it runs or ran, where to run them again would teach nothing new.
        tried: Its proposals of the space that were run or refused.
        n_refused: Proposals for it that were refused before they were started.
        n_modelled: Its Optuna trials that a sampler has a measurement of.
    """

    run: Hashable | None
    tried: tuple[Hashable, ...]
    n_refused: int
    n_modelled: int


class Tally:
    """Counts over the trials of a study.

    Args:
        trials: The study's trials.
    """

    def __init__(self, trials: Changing) -> None:
        self._counted = Followed(trials, _count)
        self._run: dict[Hashable, set[int]] = {}
        self._tried: Counter[Hashable] = Counter()
        self._n_refused = 0
        self._n_modelled = 0

    @property
    def n_refused(self) -> int:
        """Proposals that were refused before they were started."""
        self._follow()
        return self._n_refused

    @property
    def n_modelled(self) -> int:
        """Ended trials that a sampler has a measurement of: none that failed or was refused."""
        self._follow()
        return self._n_modelled

    @property
    def n_tried(self) -> int:
        """How many different proposals of the space are, or have been, run, or were refused."""
        self._follow()
        return len(self._tried)

    def repeated(self, params: Mapping[str, ParamValue], number: int) -> int | None:
        """The trial that has been, or is being, run with exactly these params; None if none.

        A trial that failed through no fault of its params does not count: it may be tried again.

        Args:
            params: A proposal.
            number: The trial that it is for.
        """
        self._follow()
        same = self._run.get(params_key(params), set()) - {number}
        return min(same, default=None)

    def _follow(self) -> None:
        for number, before, now in self._counted.follow():
            if before is not None:
                self._enter(number, before, -1)
            if now is not None:
                self._enter(number, now, 1)

    def _enter(self, number: int, one: _Counted, sign: int) -> None:
        self._n_refused += sign * one.n_refused
        self._n_modelled += sign * one.n_modelled
        for key in one.tried:
            self._tried[key] += sign
            if not self._tried[key]:
                del self._tried[key]
        if one.run is not None and sign > 0:
            self._run.setdefault(one.run, set()).add(number)
        elif one.run is not None:
            self._run[one.run].discard(number)


def _count(number: int, trials: Sequence[FrozenTrial]) -> _Counted:
    del number
    latest = trials[-1]
    run = params_key(params_of(latest)) if _counts_as_tried(latest) else None
    tried = [params_key(params_of(trial)) for trial in trials[:-1] if is_refused(trial)]
    if run is not None and not latest.user_attrs.get(attributes.OUTSIDE):
        tried.append(run)
    return _Counted(run, tuple(tried), n_refused_of(trials), n_modelled(trials))


def _counts_as_tried(trial: FrozenTrial) -> bool:
    """Whether running the same params again would teach nothing new."""
    if trial.user_attrs.get(attributes.PARAMS) is None:
        return False
    failure = trial.user_attrs.get(attributes.FAILURE)
    return failure is None or FailureClass(failure).is_configs_fault
