"""Who stops a trial early: nobody by default, or a rule of Optuna's."""

from collections.abc import Callable, Mapping

from optuna.pruners import BasePruner, MedianPruner, NopPruner

from automl.errors import FixInput
from automl.nearest import did_you_mean

__all__ = ["PRUNERS", "make_pruner"]

_STARTUP_TRIALS = 5
# Metrics of pose start flat at zero, where a median says nothing.
_WARMUP_EPOCHS = 5


def _median() -> BasePruner:
    return MedianPruner(n_startup_trials=_STARTUP_TRIALS, n_warmup_steps=_WARMUP_EPOCHS)


PRUNERS: Mapping[str, Callable[[], BasePruner]] = {"none": NopPruner, "median": _median}


def make_pruner(name: str) -> BasePruner:
    """The pruner of a name.

    ``median`` stops a trial whose best value so far is below the median of the ended trials at the
    same epoch; never in its first five epochs, nor before five trials have run to their end.

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
