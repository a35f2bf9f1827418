"""Who stops a trial early: nobody by default, or a rule of Optuna's."""

from collections.abc import Callable, Container, Mapping
from typing import cast

import optuna
from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.study.trials import is_measurement

__all__ = ["PRUNERS", "make_pruner"]

_STARTUP_TRIALS = 5
# Metrics of pose start flat at zero, where a median says nothing.
_WARMUP_EPOCHS = 5


class _MeasuredTrials:
    """A study without the trials whose value stands for a failure; a pruner reads no more.

    Args:
        study: The whole study.
    """

    def __init__(self, study: optuna.Study) -> None:
        self._study = study

    @property
    def direction(self) -> StudyDirection:
        """Which way is better."""
        return self._study.direction

    def get_trials(
        self, deepcopy: bool = True, states: Container[OptunaState] | None = None
    ) -> list[FrozenTrial]:
        """The trials in some states that neither failed nor were refused."""
        return [one for one in self._study.get_trials(deepcopy, states) if is_measurement(one)]


class _MeasuredMedian(MedianPruner):
    """Optuna's median rule among the trials that were measured to their end."""

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Whether a trial is to be stopped at its last report."""
        return super().prune(cast("optuna.Study", _MeasuredTrials(study)), trial)


def _median() -> BasePruner:
    return _MeasuredMedian(n_startup_trials=_STARTUP_TRIALS, n_warmup_steps=_WARMUP_EPOCHS)


PRUNERS: Mapping[str, Callable[[], BasePruner]] = {"none": NopPruner, "median": _median}


def make_pruner(name: str) -> BasePruner:
    """The pruner of a name.

    ``median`` stops a trial whose best value so far is below the median of the ended trials at the
    same epoch; never in its first five epochs, nor before five trials have run to their
    end. Those that failed, or were refused before they started, count for neither.

    Raises:
        FixInput: There is none of this name.
    """
    if name not in PRUNERS:
        raise FixInput(
            f"the pruner must be one of {', '.join(PRUNERS)}",
            got=name,
            where="--pruner",
            fix=did_you_mean(name, PRUNERS),
        )
    return PRUNERS[name]()
