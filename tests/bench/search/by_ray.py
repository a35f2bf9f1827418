"""Ray Tune's ASHA: its own scheduler object over random settings, as ``tune.Tuner`` uses it.

The scheduler is Ray's; what it is called with is what its controller would call it with. No Ray
session runs, because a session measures the machine and not the rule.
"""

import random
from typing import TYPE_CHECKING, cast

import numpy as np
import optuna
from ray.tune.schedulers import ASHAScheduler, TrialScheduler

from automl.space.proposal import suggest
from automl.study.config import Direction
from tests.bench.search.drive import Job
from tests.bench.search.problem import Problem

if TYPE_CHECKING:
    from ray.tune.execution.tune_controller import TuneController
    from ray.tune.experiment import Trial

__all__ = ["RayAsha"]


class _Named:
    """What the scheduler reads of a trial.

    Attributes:
        trial_id: Its name.
    """

    def __init__(self, trial_id: str) -> None:
        self.trial_id = trial_id


class RayAsha:
    """ASHA with reduction factor 3 and a grace period.

    Args:
        problem: What is searched.
        seed: Of the random settings.
        grace: Epochs before the first rung; Ray's default is 1.
    """

    def __init__(self, problem: Problem, seed: int, grace: int = 1) -> None:
        random.seed(seed)
        # The scheduler draws a trial's bracket from numpy's global state, though there is one.
        np.random.seed(seed)  # noqa: NPY002
        is_max = problem.objective.direction is Direction.MAXIMIZE
        self._scheduler = ASHAScheduler(
            metric=problem.objective.metric,
            mode="max" if is_max else "min",
            max_t=problem.n_epochs,
            grace_period=grace,
            reduction_factor=3,
        )
        self._problem = problem
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._draws = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
        self._trials: dict[int, _Named] = {}
        self._controller = cast("TuneController", None)

    def ask(self) -> Job:
        """Random settings."""
        trial = self._draws.ask()
        self._trials[trial.number] = _Named(str(trial.number))
        self._scheduler.on_trial_add(self._controller, self._of(trial.number))
        params = suggest(self._problem.space, trial)
        return Job(trial.number, params, 0, self._problem.n_epochs)

    def measured(self, job: Job, epoch: int, value: float) -> bool:
        """Whether the scheduler stops the trial; the last epoch ends it anyway."""
        result = {"training_iteration": epoch, self._problem.objective.metric: value}
        action = self._scheduler.on_trial_result(self._controller, self._of(job.key), result)
        return bool(action == TrialScheduler.STOP) and epoch < job.last

    def ended(self, job: Job, best: float | None, *, is_stopped: bool) -> None:
        """Forgets a trial."""
        self._scheduler.on_trial_remove(self._controller, self._of(job.key))

    def _of(self, number: int) -> "Trial":
        return cast("Trial", self._trials[number])
