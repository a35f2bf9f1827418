"""Ax (BoTorch's Gaussian process and noisy expected improvement), as its users write it.

The client is asked for one trial after the other with its own settings: the middle of the space
first (which is the default of the made-up families), four points of a Sobol sequence, then the
model. A training that breaks is told as the worst value, since Ax learns nothing of one that is
told as a failure.
"""

import logging
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from automl.space.distributions import Choice
from automl.space.parameter import Parameter
from automl.study.config import Direction
from tests.bench.search.drive import Job
from tests.bench.search.problem import Problem

if TYPE_CHECKING:
    from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig

    from automl.skill.tree import ParamValue

__all__ = ["METHODS", "AxSearch"]

Effort = Literal["fast", "quality"]

#: Name of a method to how hard Ax tries: one fit of the model, or draws of its hyperparameters
#: (a fully Bayesian model whose prior has most settings not matter).
METHODS: Mapping[str, Effort] = {"ax": "fast", "ax_quality": "quality"}
_SCORE = "score"


class AxSearch:
    """An experiment of Ax's.

    Args:
        problem: What is searched.
        effort: How hard it tries.
        seed: Of its random numbers.
    """

    def __init__(self, problem: Problem, effort: Effort, seed: int) -> None:
        from ax.api.client import Client

        logging.getLogger("ax.api.client").setLevel(logging.ERROR)
        warnings.simplefilter("ignore")
        self._problem = problem
        self._client = Client(random_seed=seed)
        self._client.configure_experiment(
            parameters=[
                _asked(one, at)
                for at, parameter in enumerate(problem.space.parameters)
                for one in parameter.elements
            ]
        )
        is_max = problem.objective.direction is Direction.MAXIMIZE
        self._client.configure_optimization(_SCORE if is_max else f"-{_SCORE}")
        self._client.configure_generation_strategy(effort, initialization_random_seed=seed)

    def ask(self) -> Job:
        """The next trial of the client."""
        ((number, values),) = self._client.get_next_trials(max_trials=1).items()
        params: dict[str, ParamValue] = {
            one.key: values[_name(at)] for at, one in enumerate(self._problem.space.parameters)
        }
        return Job(number, params, 0, self._problem.n_epochs)

    def measured(self, job: Job, epoch: int, value: float) -> bool:
        """Nothing is reported before the end, and nothing stopped."""
        del job, epoch, value
        return False

    def ended(self, job: Job, best: float | None, *, is_stopped: bool) -> None:
        """Tells the end of a trial."""
        del is_stopped
        worst = self._problem.objective.worst
        if best is None and worst is None:
            self._client.mark_trial_failed(job.key)
            return
        self._client.complete_trial(job.key, {_SCORE: worst if best is None else best})


def _name(at: int) -> str:
    # A dot means something in Ax's expressions.
    return f"p{at}"


def _asked(parameter: Parameter, at: int) -> "RangeParameterConfig | ChoiceParameterConfig":
    """A setting as Ax takes it."""
    from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig

    span: Any = parameter.distribution
    if isinstance(span, Choice):
        return ChoiceParameterConfig(_name(at), list(span.options), "str", is_ordered=False)
    kind: Literal["int", "float"] = "int" if parameter.type == "int" else "float"
    return RangeParameterConfig(
        _name(at),
        (span.low, span.high),
        kind,
        step_size=None if span.log else span.step,
        scaling="log" if span.log else "linear",
    )
