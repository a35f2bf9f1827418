"""PED-ANOVA: whether the best trials have other values of a parameter than all have."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Final

import optuna
from optuna.study import StudyDirection

from automl.skill.tree import ParamValue
from automl.space.distributions import Distribution
from automl.study.config import Objective

__all__ = ["ped_anova"]

_BEST_SHARE: Final = 0.25


def ped_anova(
    tried: Sequence[tuple[Mapping[str, ParamValue], float]],
    held: Mapping[str, Distribution],
    objective: Objective,
    regions: Sequence[float] = (1.0,),
) -> list[dict[str, float]]:
    """The share of each parameter in each region (Watanabe, Bansal and Hutter, IJCAI 2023).

    Args:
        tried: Settings and value of each trial.
        held: Parameter to a range that holds all that was tried.
        objective: Which way is better.
        regions: Each the best part of the trials within which the best quarter of all is looked
            at; 1 for all of them.
    """
    study = optuna.create_study(direction=StudyDirection[objective.direction.name])
    distributions: dict[str, Any] = {key: range_.as_optuna() for key, range_ in held.items()}
    study.add_trials(
        optuna.trial.create_trial(
            params={key: params[key] for key in held}, distributions=distributions, value=value
        )
        for params, value in tried
    )
    evaluators = [
        optuna.importance.PedAnovaImportanceEvaluator(
            target_quantile=_BEST_SHARE, region_quantile=region
        )
        for region in regions
    ]
    with warnings.catch_warnings():
        # Many equal values leave no best quarter; its share then says nothing, and warns so.
        warnings.simplefilter("ignore", UserWarning)
        return [
            optuna.importance.get_param_importances(study, evaluator=each) for each in evaluators
        ]
