"""What a trial will end with, from what it has shown so far, and how sure that is.

Three steps, each with few numbers to learn, since few trials of a study run to their end:

1. *Reliability.* How well does each signal rank the trials at this epoch? Its rank correlation
   with the final objective among the trials that went on, corrected for having been selected by
   rank themselves, and shrunk on Fisher's scale towards a prior that counts as six trials. The
   prior trusts the declared signals, the training loss among them, because a loss that falls fast
   foretells the end better than early scores do (Ru et al., NeurIPS 2021). It trusts the objective
   unless a third of the trials are still tied in it, as an average precision is that has not left
   zero. A signal that compares only within equal settings counts across them after evidence alone.
2. *Score.* The signals are taken as independent readings of one quantity, normal in their ranks
   (a Gaussian copula, as in Salinas et al., ICML 2020), and are weighted by their precision.
3. *Value.* A line from score to final objective, Bayesian, its slope never negative, through the
   trials that have ended (Baker et al., 2018, predict ends by regression in the same way).

Decisions go by the score, which knows ranks alone; values are for people and for the sampler.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from optuna.trial import FrozenTrial

from automl.search.method import SearchView
from automl.search.observations import Prediction
from automl.search.ranks import (
    Array,
    IntArray,
    best_first,
    correlation,
    tied_share,
    unrestricted,
)
from automl.search.regression import Line, fit_line
from automl.search.rung_table import Cohort, rung_table
from automl.search.shown import SignalReader
from automl.search.signals import Scored, signals_of
from automl.skill.signals import Signal
from automl.study import attributes
from automl.study.config import Objective

__all__ = ["Forecast", "Weighted", "forecast", "predictor"]

# Rank correlation with the end that a signal is credited with before this study has shown any: the
# middle of what is seen at a ninth to a third of trainings of many kinds, where 0.6 to 0.95 occur.
_PRIOR = 0.7
_PRIOR_TRIALS = 6
_MOST = 0.95
#: Share of tied trials from which on the objective says too little.
_FLAT = 1 / 3


@dataclass(frozen=True, slots=True, eq=False)
class Weighted:
    """A signal and what it is worth.

    Attributes:
        scored: The signal.
        reliability: Rank correlation with the final objective, in [0, 0.95].
    """

    scored: Scored
    reliability: float

    @property
    def precision(self) -> float:
        """Of one reading, in units of what it reads."""
        return self.reliability**2 / (1.0 - self.reliability**2)

    @property
    def information(self) -> float:
        """How much it tells about the trials as they are."""
        return self.precision * self.scored.energy


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """What the trials that reached an epoch are expected to end with; arrays by trial number.

    Attributes:
        rung: The epoch, counted from 1.
        is_in: Which trials these are, shape (trials,).
        scores: Expected normal score of the final value, shape (trials,); more is better.
        finals: The merit that a trial ended with, shape (trials,); NaN before its end.
        ranking: Their numbers from the best to the worst; of tied ones the earlier first.
        signals: What the scores were made of, the most telling first.
        so_far: The objective so far.
        objective: Which way is better.
        is_blind: Whether most trials are tied, so that ranking them would be a lottery.
        refuted_by: How many ended trials have shown that nothing reported ranks them; 0 while
            something does, and where there is nothing to rank by.
    """

    rung: int
    is_in: NDArray[np.bool_]
    scores: Array
    finals: Array
    ranking: IntArray
    signals: tuple[Weighted, ...]
    so_far: Scored
    objective: Objective
    is_blind: bool
    refuted_by: int = 0
    _fitted: list[Line | None] = field(default_factory=list, init=False, repr=False)

    @property
    def line(self) -> Line | None:
        """From score to final value; None before a trial has ended.

        Fitted when it is asked for, since who goes on is decided without it.
        """
        if not self._fitted:
            self._fitted.append(_line(self.scores, self.finals, self.so_far, self.signals))
        return self._fitted[0]

    def order(self, numbers: Sequence[int]) -> list[int]:
        """Some of the trials from the best to the worst; of tied ones the earlier first."""
        return sorted(numbers, key=lambda number: (-self.scores[number], number))

    def predict(self, number: int) -> Prediction | None:
        """The final value of a trial; None before there is anything to tell it by."""
        line = self.line
        if line is None or not self._holds(number):
            return None
        merit, sd = line.at(float(self.scores[number]))
        # The final value is that of the best epoch, so it is no worse than what was seen already.
        seen = float(self.so_far.merits[number])
        return Prediction(
            self.objective.loss(-(merit if math.isnan(seen) else max(merit, seen))), sd
        )

    def words(self, number: int) -> str:
        """What a trial has shown, for a reader: the metrics that count, with their values."""
        shown = [
            f"{one.scored.metric} {one.scored.values[number]:.4g}"
            for one in self.signals
            if self._holds(number) and not math.isnan(one.scored.values[number])
        ]
        return " and ".join(shown[:2]) or "nothing reported"

    def _holds(self, number: int) -> bool:
        return number < len(self.is_in) and bool(self.is_in[number])


def forecast(view: SearchView, rung: int) -> Forecast:
    """The forecast for every trial of the search that has trained for ``rung`` epochs."""
    return rung_table(view, rung).work_out(
        _Forecaster(rung, view.config.objective, signals_of(view.config))
    )


@dataclass(frozen=True, slots=True)
class _Forecaster:
    """Makes the forecast of a rung from its cohort.

    Attributes:
        rung: The epoch, counted from 1.
        objective: What the study improves.
        signals: What it may be judged by, the objective first.
    """

    rung: int
    objective: Objective
    signals: tuple[Signal, ...]

    def __call__(self, cohort: Cohort) -> Forecast:
        known = self._weighted(cohort)
        so_far, n_ended = known[0].scored, int((~np.isnan(cohort.finals)).sum())
        signals = tuple(sorted(filter(_tells, known), key=lambda one: -one.information))
        scores = _scores(cohort.is_in, signals)
        numbers = np.flatnonzero(cohort.is_in)
        order = best_first(scores[numbers])
        is_refuted = not signals and any(one.scored.energy for one in known)
        return Forecast(
            rung=self.rung,
            is_in=cohort.is_in,
            scores=scores,
            finals=cohort.finals,
            ranking=numbers[order],
            signals=signals,
            so_far=so_far,
            objective=self.objective,
            is_blind=tied_share(scores[numbers], order) > 1 - _FLAT,
            refuted_by=n_ended if is_refuted else 0,
        )

    def _weighted(self, cohort: Cohort) -> list[Weighted]:
        """The objective and each further signal, with what they are worth."""
        shown = cohort.shown(SignalReader(self.objective, self.signals))
        others = [_better_variant(*each, cohort.finals) for each in shown.others]
        has_others = any(one.information > 0 for one in others)
        is_flat = shown.tied_share >= _FLAT
        prior = 0.0 if is_flat and has_others else _PRIOR
        return [
            Weighted(shown.so_far, _reliability(shown.so_far, cohort.finals, prior)),
            *others,
        ]


def predictor(view: SearchView) -> Callable[[FrozenTrial], Prediction | None]:
    """For the sampler: what a trial that has not run to its end would end with."""
    return _Predictor(view).predict


@dataclass(frozen=True, slots=True)
class _Predictor:
    """Predicts trials; each epoch is looked at once."""

    view: SearchView
    known: dict[int, Forecast] = field(default_factory=dict)

    def predict(self, trial: FrozenTrial) -> Prediction | None:
        known = self.view.by_number.get(trial.user_attrs.get(attributes.NUMBER, -1))
        if known is None or known.epoch < 0 or known.record.confirms is not None:
            return None
        rung = known.epoch + 1
        if rung not in self.known:
            self.known[rung] = forecast(self.view, rung)
        return self.known[rung].predict(known.number)


def _tells(one: Weighted) -> bool:
    return one.information > 0


def _better_variant(within: Scored, across: Scored, finals: Array) -> Weighted:
    """A signal within what it compares in, or across it where that has shown to tell more."""
    first = Weighted(within, _reliability(within, finals, _PRIOR if within.is_trusted else 0.0))
    if not within.is_split:
        return first
    second = Weighted(across, _reliability(across, finals, 0.0))
    return max(first, second, key=lambda one: one.information)


def _reliability(scored: Scored, finals: Array, prior: float) -> float:
    """Rank correlation of a signal with the end: what was seen, shrunk towards the prior."""
    has_ended = scored.is_known & ~np.isnan(finals)
    n_free = max(0, int(has_ended.sum()) - 3)
    seen = _seen(scored.scores[has_ended], finals[has_ended], scored) if n_free else 0.0
    z = _PRIOR_TRIALS * math.atanh(prior) + n_free * math.atanh(max(-_MOST, min(_MOST, seen)))
    return max(0.0, min(_MOST, math.tanh(z / (_PRIOR_TRIALS + n_free))))


def _seen(scores: Array, ends: Array, among: Scored) -> float:
    """The rank correlation of those that ended, as it would be among all."""
    variance = float(scores @ scores) / len(scores) - float(scores.mean()) ** 2
    if variance <= 0.0:
        return 0.0
    return unrestricted(correlation(scores, ends), math.sqrt(among.energy / variance))


def _scores(is_in: NDArray[np.bool_], signals: Sequence[Weighted]) -> Array:
    """Each trial's expected normal score, given all its readings; 0 of trials not there."""
    total, precision = np.zeros(len(is_in)), np.ones(len(is_in))
    for one in signals:
        # The scores of trials without a reading are 0.
        total += one.precision / one.reliability * one.scored.scores
        precision += one.precision * one.scored.is_known
    scores: Array = total / precision
    return scores


def _line(
    scores: Array, finals: Array, so_far: Scored, signals: Sequence[Weighted]
) -> Line | None:
    has_ended = ~np.isnan(finals)
    if not has_ended.any():
        return None
    precision = sum(one.precision for one in signals)
    merits = np.where(has_ended, finals, so_far.merits)
    known = merits[~np.isnan(merits)]
    return fit_line(scores[has_ended], finals[has_ended], known, 1.0 / (1.0 + precision))
