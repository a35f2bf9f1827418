"""Optuna as its users write it: ask, suggest, report, should_prune, tell."""

from collections.abc import Callable, Mapping

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler

from automl.space.proposal import suggest
from automl.study.config import Direction
from tests.bench.search.drive import Job
from tests.bench.search.problem import Problem

__all__ = ["METHODS", "TELLS_WORST", "OptunaSearch"]

_Makes = tuple[Callable[[int], BaseSampler], Callable[[Problem], BasePruner]]


class OptunaSearch:
    """A study of Optuna's.

    Args:
        problem: What is searched.
        sampler: Who proposes.
        pruner: Who stops.
        broken: The value that a training that breaks is told with; None for FAIL, as Optuna tells
            one that raises an exception.
    """

    def __init__(
        self,
        problem: Problem,
        sampler: BaseSampler,
        pruner: BasePruner,
        broken: float | None = None,
    ) -> None:
        self._broken = broken
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        is_max = problem.objective.direction is Direction.MAXIMIZE
        self._study = optuna.create_study(
            sampler=sampler, pruner=pruner, direction="maximize" if is_max else "minimize"
        )
        self._problem = problem
        self._live: dict[int, optuna.Trial] = {}

    def ask(self) -> Job:
        """The next trial of the sampler."""
        trial = self._study.ask()
        self._live[trial.number] = trial
        params = suggest(self._problem.space, trial)
        return Job(trial.number, params, 0, self._problem.n_epochs)

    def measured(self, job: Job, epoch: int, value: float) -> bool:
        """Reports a value; whether the pruner stops the trial."""
        trial = self._live[job.key]
        trial.report(value, epoch)
        return epoch < job.last and trial.should_prune()

    def ended(self, job: Job, best: float | None, *, is_stopped: bool) -> None:
        """Tells the end of a trial."""
        trial = self._live.pop(job.key)
        if best is None and self._broken is None:
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        elif best is None:
            self._study.tell(trial, self._broken)
        elif is_stopped:
            self._study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            self._study.tell(trial, best)


def _tpe(seed: int) -> BaseSampler:
    return TPESampler(seed=seed)


def _gp(seed: int) -> BaseSampler:
    return GPSampler(seed=seed)


def _random(seed: int) -> BaseSampler:
    return RandomSampler(seed=seed)


def _never(_: Problem) -> BasePruner:
    return NopPruner()


def _halving(_: Problem) -> BasePruner:
    return SuccessiveHalvingPruner()


def _hyperband(problem: Problem) -> BasePruner:
    return HyperbandPruner(min_resource=1, max_resource=problem.n_epochs, reduction_factor=3)


#: Name of a method to its sampler and its pruner; both with Optuna's own settings.
METHODS: Mapping[str, _Makes] = {
    "random": (_random, _never),
    "optuna_tpe": (_tpe, _never),
    "optuna_tpe_halving": (_tpe, _halving),
    "optuna_tpe_hyperband": (_tpe, _hyperband),
    "optuna_gp": (_gp, _never),
    "optuna_tpe_worst": (_tpe, _never),
    "optuna_gp_worst": (_gp, _never),
}
#: Methods whose user catches what a training raises, and tells the worst value.
TELLS_WORST = frozenset({"optuna_tpe_worst", "optuna_gp_worst"})
