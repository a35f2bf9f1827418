"""Which parameters mattered, shown only where chance does not give as much.

A sampler that learns tries good values more often, and other parameters along with them; at the
usual size of a study a parameter that changes nothing then looks as important as one that does.
The measure that decides is therefore compared with what it says of the same trials when their
values are shuffled among them. What was found is then taken out of the values, and the rest is
asked again (the residuals under the smaller model are shuffled: Freedman and Lane 1983), or the
largest effect would hide the others. Two more measures stand beside it.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.study import StudyDirection

from automl.reports.derive import is_number, setting
from automl.reports.forest import Column, Forest
from automl.reports.model import Summary, TrialReport
from automl.space.distributions import Distribution
from automl.space.parameter import Parameter
from automl.space.proposal import sampled
from automl.study.config import Objective
from automl.study.ranking import is_ranked

__all__ = ["ENOUGH", "Importance", "Share", "importance_of"]

_Floats: TypeAlias = NDArray[np.float64]

ENOUGH = 30
_LEVEL = 0.05
_FEWEST_SHUFFLES = 199
_SHUFFLES_A_PARAMETER = 40
_ROUNDS = 3
#: Parts of a numeric parameter's values over which its effect is taken to be constant.
_PARTS = 5
_BEST_SHARE = 0.25
#: A longer study is judged by as many of its trials, drawn at random.
_MOST_TRIALS = 1000


@dataclass(frozen=True, slots=True)
class Share:
    """How much one parameter mattered, as a share of all that were searched, in [0, 1].

    Attributes:
        key: The parameter.
        mdi: Share of the mean decrease of impurity: how much of the objective's variation the
            parameter's splits explain in randomised trees.
        fanova: Share of the variance of its marginal alone (fANOVA).
        ped: Share of PED-ANOVA: whether the best quarter of the trials has other values of it.
        p: How often shuffled values give as large a decrease of impurity.
    """

    key: str
    mdi: float
    fanova: float
    ped: float
    p: float


@dataclass(frozen=True, slots=True)
class Importance:
    """Shares by parameter, or none and the reason.

    Attributes:
        shares: Of each parameter that is separable from chance, in the order of the space.
        note: How many trials stand behind them and what chance gives too, or why there are none.
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
    n = len(trials)
    rng = np.random.default_rng(n)  # a fixed stream makes a report repeatable
    if n > _MOST_TRIALS:
        trials = [trials[i] for i in sorted(rng.choice(n, _MOST_TRIALS, replace=False))]
    shares = _shares(trials, parameters, summary.objective, rng)
    return Importance(shares, _note(n, [p.key for p in parameters], shares))


def _note(n: int, keys: Sequence[str], shares: Sequence[Share]) -> str:
    test = f"{_n_shuffles(len(keys))} shuffles of the values among the trials, 5 %, Holm"
    if not shares:
        return f"Not shown: no parameter is separable from chance (n = {n}; {test})."
    shown = {share.key for share in shares}
    rest = ", ".join(key for key in keys if key not in shown)
    left_out = f" Not separable from chance: {rest}." if rest else ""
    return f"n = {n} usable trials; shown is what chance does not give ({test}).{left_out}"


def _is_measurable(parameter: Parameter, trials: Sequence[TrialReport]) -> bool:
    values = [setting(trial.record.params, parameter.key) for trial in trials]
    if parameter.has_order:
        fits = all(is_number(value) for value in values)
    else:
        fits = all(value is not None and not isinstance(value, list) for value in values)
    return fits and len({repr(value) for value in values}) > 1


def _n_shuffles(n_parameters: int) -> int:
    """Enough for the smallest p-value that Holm's method asks for."""
    return max(_FEWEST_SHUFFLES, _SHUFFLES_A_PARAMETER * n_parameters - 1)


def _shares(
    trials: Sequence[TrialReport],
    parameters: Sequence[Parameter],
    objective: Objective,
    rng: np.random.Generator,
) -> tuple[Share, ...]:
    """The shares of the parameters that are separable from chance."""
    held = {p.key: _held(p, trials) for p in parameters}
    columns = [_column(key, distribution, trials) for key, distribution in held.items()]
    values = np.array([trial.record.best_value for trial in trials], dtype=float)
    forest = Forest.grown(columns, rng)
    passed = _separable(forest, columns, values, rng)
    if not passed:
        return ()
    impurity = forest.impurity_shares(values[:, None])[:, 0]
    variance = forest.variance_shares(values)
    ped = _ped_anova(trials, held, objective)
    return tuple(
        Share(key, float(impurity[i]), float(variance[i]), ped[key], passed[i])
        for i, key in enumerate(held)
        if i in passed
    )


def _separable(
    forest: Forest, columns: Sequence[Column], values: _Floats, rng: np.random.Generator
) -> dict[int, float]:
    """The columns that chance does not give, and how often it gives as much."""
    passed: dict[int, float] = {}
    for _ in range(_ROUNDS):
        rest = values - _effect([columns[i] for i in passed], values)
        shuffled = [rng.permutation(rest) for _ in range(_n_shuffles(len(columns)))]
        shares = forest.impurity_shares(np.column_stack([rest, *shuffled]))
        n_reached = (shares[:, 1:] >= shares[:, :1]).sum(axis=1)
        p = {i: float(1 + n) / (1 + len(shuffled)) for i, n in enumerate(n_reached)}
        found = _by_holm({i: p[i] for i in p if i not in passed})
        if not found:
            break
        passed |= found
    return passed


def _by_holm(p: Mapping[int, float]) -> dict[int, float]:
    """Those of the p-values that stand when there are so many of them (Holm 1979)."""
    passed = {}
    for i, (name, value) in enumerate(sorted(p.items(), key=lambda item: item[1])):
        if value > _LEVEL / (len(p) - i):
            break
        passed[name] = value
    return passed


def _effect(columns: Sequence[Column], values: _Floats) -> _Floats:
    """What the columns explain of the values, each by steps, together by least squares."""
    design = [np.ones((len(values), 1))]
    for column in columns:
        ends = np.quantile(column.values, np.linspace(0, 1, _PARTS + 1)[1:-1])
        part = column.values if column.options else np.searchsorted(ends, column.values)
        design.append((part[:, None] == np.unique(part)).astype(float))
    matrix = np.hstack(design)
    fitted: _Floats = matrix @ np.linalg.lstsq(matrix, values)[0]
    return fitted


def _held(parameter: Parameter, trials: Sequence[TrialReport]) -> Distribution:
    """The parameter's range, widened to hold what was tried: trial 0 may lie outside it."""
    tried = [setting(trial.record.params, parameter.key) for trial in trials]
    return parameter.distribution.holding(tried)


def _column(key: str, distribution: Distribution, trials: Sequence[TrialReport]) -> Column:
    tried = [setting(trial.record.params, key) for trial in trials]
    if distribution.ends is None:
        numbers = {repr(option): i for i, option in enumerate(distribution.options)}
        return Column(np.array([numbers[repr(value)] for value in tried]), len(numbers))
    scaled = np.array([value for value in (*tried, *distribution.ends) if is_number(value)])
    if distribution.log:
        scaled = np.log(scaled)
    return Column(_in_unit(scaled[: len(tried)], scaled.min(), scaled.max()))


def _in_unit(values: _Floats, low: float, high: float) -> _Floats:
    # The upper end is open: a box of a tree holds its lower corner alone.
    return np.clip((values - low) / ((high - low) or 1.0), 0.0, 1.0 - 1e-9)


def _ped_anova(
    trials: Sequence[TrialReport], held: dict[str, Distribution], objective: Objective
) -> dict[str, float]:
    """The shares of PED-ANOVA (Watanabe, Bansal and Hutter, IJCAI 2023)."""
    study = optuna.create_study(direction=StudyDirection[objective.direction.name])
    distributions: dict[str, Any] = {key: range_.as_optuna() for key, range_ in held.items()}
    study.add_trials(
        optuna.trial.create_trial(
            params={key: setting(trial.record.params, key) for key in held},
            distributions=distributions,
            value=trial.record.best_value,
        )
        for trial in trials
    )
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=_BEST_SHARE)
    with warnings.catch_warnings():
        # Many equal values leave no best quarter; its share then says nothing, and warns so.
        warnings.simplefilter("ignore", UserWarning)
        return optuna.importance.get_param_importances(study, evaluator=evaluator)
