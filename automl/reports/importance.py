"""Importance of parameters by PED-ANOVA, with an interval, and only where n is enough.

PED-ANOVA (Watanabe, Bansal and Hutter, IJCAI 2023) asks which parameters a trial must get right to
be among the best quarter. One estimate alone misleads at the usual size of a study, so each share
carries a 90 % bootstrap interval over the trials, and below ``ENOUGH`` trials there is none.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import optuna
from optuna.study import StudyDirection

from automl.reports.derive import setting
from automl.reports.model import Summary, TrialReport
from automl.space.parameter import Parameter
from automl.space.proposal import sampled
from automl.study.config import Objective
from automl.study.ranking import is_ranked

__all__ = ["ENOUGH", "Importance", "Share", "importance_of"]

ENOUGH = 30
_DRAWS = 40
_BEST_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Share:
    """A parameter's share of importance: median of the draws and 90 % interval, in 0..1."""

    key: str
    middle: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Importance:
    """Shares by parameter, or none and the reason.

    Attributes:
        shares: One for each parameter, in the order of the space; empty where n is too small.
        note: How many trials stand behind them, or why there are none.
    """

    shares: tuple[Share, ...]
    note: str


def importance_of(summary: Summary) -> Importance:
    """The importance of the searched numeric and categorical parameters."""
    trials = [trial for trial in summary.trials if is_ranked(trial.record)]
    parameters = [p for p in sampled(summary.space) if _is_measurable(p, trials)]
    if len(trials) < ENOUGH:
        return Importance((), f"Not shown: {len(trials)} usable trials, {ENOUGH} are needed.")
    if len(parameters) < 2:
        return Importance((), "Not shown: fewer than two parameters varied in every trial.")
    # Sampling here is part of a report, not of a search: a fixed stream makes it repeatable.
    stream = random.Random(len(trials))  # noqa: S311
    draws = [
        _shares(stream.choices(trials, k=len(trials)), parameters, summary.objective)
        for _ in range(_DRAWS)
    ]
    shares = tuple(_interval(p.key, [draw[p.key] for draw in draws]) for p in parameters)
    note = (
        f"n = {len(trials)} usable trials, {_DRAWS} bootstrap draws; pruned and failed trials are "
        f"left out. Intervals that overlap are not separable."
    )
    return Importance(shares, note)


def _is_measurable(parameter: Parameter, trials: Sequence[TrialReport]) -> bool:
    values = [setting(trial.record.params, parameter.key) for trial in trials]
    flat = all(value is not None and not isinstance(value, list) for value in values)
    return flat and len({repr(value) for value in values}) > 1


def _interval(key: str, draws: Sequence[float]) -> Share:
    ordered = sorted(draws)
    cut = round(0.05 * (len(ordered) - 1))
    return Share(key, median(ordered), ordered[cut], ordered[-1 - cut])


def _shares(
    trials: Sequence[TrialReport], parameters: Sequence[Parameter], objective: Objective
) -> dict[str, float]:
    study = optuna.create_study(direction=StudyDirection[objective.direction.name])
    distributions = {p.key: _distribution(p, trials) for p in parameters}
    for trial in trials:
        study.add_trial(
            optuna.trial.create_trial(
                params={p.key: setting(trial.record.params, p.key) for p in parameters},
                distributions=distributions,
                value=trial.record.best_value,
            )
        )
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=_BEST_SHARE)
    return optuna.importance.get_param_importances(study, evaluator=evaluator)


def _distribution(
    parameter: Parameter, trials: Sequence[TrialReport]
) -> optuna.distributions.BaseDistribution:
    """The parameter's range, widened to hold what was tried: trial 0 may lie outside it."""
    tried = [setting(trial.record.params, parameter.key) for trial in trials]
    return parameter.distribution.holding(tried).as_optuna()
