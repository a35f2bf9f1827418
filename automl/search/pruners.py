"""Who stops a trial early where trials have no rungs: nobody by default, or the median rule."""

from collections.abc import Callable, Mapping
from statistics import median
from typing import TypeAlias

from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.search.decision import Continue, Decision, Stop
from automl.search.method import SearchView, TrialView
from automl.study.records import TrialState

__all__ = ["PRUNERS", "Pruner", "make_pruner"]

#: Says whether the trial goes on after its newest measurement.
Pruner: TypeAlias = Callable[[SearchView, TrialView], Decision]

_STARTUP_TRIALS = 5
# Metrics of pose start flat at zero, where a median says nothing.
_WARMUP_EPOCHS = 5


def _none(view: SearchView, trial: TrialView) -> Decision:  # noqa: ARG001 -- a pruner's signature
    return Continue()


def _median(view: SearchView, trial: TrialView) -> Decision:
    """Stops a trial whose best value is behind what half of the ended ones had at the epoch."""
    epoch, best = trial.epoch, trial.record.best_value
    ended = view.searched(TrialState.COMPLETE)
    if best is None or epoch < _WARMUP_EPOCHS or len(ended) < _STARTUP_TRIALS:
        return Continue()
    values = [each.record.values[epoch] for each in ended if epoch in each.record.values]
    objective = view.config.objective
    if not values or not objective.is_better(median(values), best):
        return Continue()
    value = trial.record.values[epoch]
    return Stop(
        f"{objective.metric} {value:.4g} at epoch {epoch} is behind the other trials (median rule)"
    )


PRUNERS: Mapping[str, Pruner] = {"none": _none, "median": _median}


def make_pruner(name: str) -> Pruner:
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
    return PRUNERS[name]
