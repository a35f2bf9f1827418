"""Which parameters mattered, shown only where chance does not give as much.

A sampler that learns tries good values more often, and other parameters along with them; at the
usual size of a study a parameter that changes nothing then looks as important as one that does.
The measure that decides is therefore compared with what it says of the same trials when their
values are shuffled among them. What was found is then taken out of the values, and the rest is
asked again (the residuals under the smaller model are shuffled: Freedman and Lane 1983), or the
largest effect would hide the others. Two more measures stand beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from automl.reports.derive import is_number, setting
from automl.reports.forest import Column, Forest
from automl.reports.holm import by_holm
from automl.reports.interactions import PairTests, interactions_of, sentences
from automl.reports.model import Summary, TrialReport
from automl.reports.ped import ped_anova
from automl.reports.steps import additive_design
from automl.reports.words import short_names
from automl.skill.tree import ParamValue
from automl.space.distributions import Distribution
from automl.space.parameter import Parameter
from automl.space.proposal import sampled
from automl.study.config import Objective
from automl.study.ranking import is_ranked

__all__ = ["ENOUGH", "Importance", "Share", "importance_of"]

_Floats: TypeAlias = NDArray[np.float64]

ENOUGH = 30
_FEWEST_SHUFFLES = 199
_SHUFFLES_A_PARAMETER = 40
_ROUNDS = 3
#: The part of the best trials within which what makes the very best is asked again.
_TOP = 0.5
#: Draws of a bootstrap, of the forest's measures and of PED-ANOVA, which takes far longer.
_DRAWS, _DRAWS_PED = 100, 20
_MOST_FOR_PED = 100
_ENDS = (0.05, 0.95)
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
        ped_top: The same within the better half of the trials: what makes the very best of them.
        p: How often shuffled values give as large a decrease of impurity.
        intervals: Measure to the ends of its 90 % interval by a bootstrap over trials, percentiles
            with the same trees; a measure without one is left out.
    """

    key: str
    mdi: float
    fanova: float
    ped: float
    ped_top: float
    p: float
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Importance:
    """Shares by parameter, or none and the reason.

    Attributes:
        shares: Of each parameter that is separable from chance, in the order of the space.
        note: How many trials stand behind them and what chance gives too, or why there are none.
        pairs: The pairs of parameters that were looked at.
    """

    shares: tuple[Share, ...]
    note: str
    pairs: PairTests = field(default_factory=PairTests)


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
    shares, pairs = _shares(trials, parameters, summary.objective, rng)
    keys = [p.key for p in parameters]
    return Importance(shares, _note(n, keys, shares, pairs), pairs)


def _note(n: int, keys: Sequence[str], shares: Sequence[Share], pairs: PairTests) -> str:
    test = f"{_n_shuffles(len(keys))} shuffles of the values among the trials, 5 %, Holm"
    if not shares:
        return f"Not shown: no parameter is separable from chance (n = {n}; {test})."
    shown = {share.key for share in shares}
    rest = ", ".join(key for key in keys if key not in shown)
    left_out = f" Not separable from chance: {rest}." if rest else ""
    said = "".join(
        f" {text[0].upper()}{text[1:]}." for text in sentences(pairs, short_names(keys))
    )
    return (
        f"n = {n} usable trials; shown is what chance does not give ({test}); bars: 90 % by a "
        f"bootstrap over trials.{said}{left_out}"
    )


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
) -> tuple[tuple[Share, ...], PairTests]:
    """The shares of the parameters that are separable from chance, and what they do in pairs."""
    held = {p.key: _held(p, trials) for p in parameters}
    columns = [_column(key, distribution, trials) for key, distribution in held.items()]
    values = np.array([trial.record.best_value for trial in trials], dtype=float)
    forest = Forest.grown(columns, rng)
    passed = _separable(forest, columns, values, rng)
    if not passed:
        return (), PairTests()
    impurity = forest.impurity_shares(values[:, None])[:, 0]
    variance = forest.variance_shares(values)
    tried = [_tried(trial, held) for trial in trials]
    ped, top = ped_anova(tried, held, objective, (1.0, _TOP))
    bars = _bars(forest, values, rng)
    bars["ped"] = _ped_bars(tried, held, objective, rng)
    shares = tuple(
        Share(key, float(impurity[i]), float(variance[i]), ped[key], top[key], passed[i],
              {name: ends[i] for name, ends in bars.items() if ends})
        for i, key in enumerate(held)
        if i in passed
    )  # fmt: skip
    mattering = {share.key for share in shares}
    return shares, interactions_of([*zip(held, columns, strict=True)], values, mattering, rng)


def _tried(
    trial: TrialReport, held: Mapping[str, Distribution]
) -> tuple[dict[str, ParamValue], float]:
    params = {key: setting(trial.record.params, key) for key in held}
    return params, trial.record.best_value or 0.0


_Ends: TypeAlias = list[tuple[float, float]]


def _bars(forest: Forest, values: _Floats, rng: np.random.Generator) -> dict[str, _Ends]:
    """Measure to the ends of its interval for each parameter, by trials drawn with replacement."""
    n = len(values)
    weights = rng.multinomial(n, np.full(n, 1.0 / n), size=_DRAWS).T.astype(float)
    return {
        name: _ends(draws)
        for name, draws in zip(("mdi", "fanova"), forest.resampled(values, weights), strict=True)
    }


def _ped_bars(
    tried: Sequence[tuple[dict[str, ParamValue], float]],
    held: Mapping[str, Distribution],
    objective: Objective,
    rng: np.random.Generator,
) -> _Ends:
    """The same of PED-ANOVA; empty for many trials, where it takes too long."""
    if len(tried) > _MOST_FOR_PED:
        return []
    draws = [rng.integers(len(tried), size=len(tried)) for _ in range(_DRAWS_PED)]
    found = [ped_anova([tried[i] for i in rows], held, objective)[0] for rows in draws]
    return _ends(np.array([[each[key] for each in found] for key in held]))


def _ends(draws: _Floats) -> _Ends:
    low, high = np.quantile(draws, _ENDS, axis=1)
    return [(float(a), float(b)) for a, b in zip(low, high, strict=True)]


def _separable(
    forest: Forest, columns: Sequence[Column], values: _Floats, rng: np.random.Generator
) -> dict[int, float]:
    """The columns that chance does not give, and how often it gives as much."""
    passed: dict[int, float] = {}
    for _ in range(_ROUNDS):
        design = additive_design([columns[i] for i in passed], len(values))
        rest = values - design @ np.linalg.lstsq(design, values)[0]
        shuffled = [rng.permutation(rest) for _ in range(_n_shuffles(len(columns)))]
        shares = forest.impurity_shares(np.column_stack([rest, *shuffled]))
        n_reached = (shares[:, 1:] >= shares[:, :1]).sum(axis=1)
        p = {i: float(1 + n) / (1 + len(shuffled)) for i, n in enumerate(n_reached)}
        found = by_holm({i: p[i] for i in p if i not in passed})
        if not found:
            break
        passed |= found
    return passed


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
