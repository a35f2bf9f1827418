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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from optuna.trial import FrozenTrial

from automl.search.method import SearchView, TrialView
from automl.search.observations import Prediction
from automl.search.ranks import correlation, tied_share, unrestricted
from automl.search.regression import Line, fit_line
from automl.search.signals import Scored, cohort, objective_so_far, other_signals
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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the trials that reached an epoch are expected to end with.

    Attributes:
        rung: The epoch, counted from 1.
        scores: Trial to expected normal score of its final value; more is better.
        signals: What the scores were made of, the most telling first.
        so_far: The objective so far.
        line: From score to final value; None before a trial has ended.
        objective: Which way is better.
        refuted_by: How many ended trials have shown that nothing reported ranks them; 0 while
            something does, and where there is nothing to rank by.
    """

    rung: int
    scores: Mapping[int, float]
    signals: tuple[Weighted, ...]
    so_far: Scored
    line: Line | None
    objective: Objective
    refuted_by: int = 0

    @property
    def is_blind(self) -> bool:
        """Whether most trials are tied, so that ranking them would be a lottery."""
        return tied_share(list(self.scores.values())) > 1 - _FLAT

    def order(self, numbers: Sequence[int]) -> list[int]:
        """The trials from the best to the worst; of tied ones the earlier first."""
        return sorted(numbers, key=lambda number: (-self.scores[number], number))

    def predict(self, number: int) -> Prediction | None:
        """The final value of a trial; None before there is anything to tell it by."""
        if self.line is None or number not in self.scores:
            return None
        merit, sd = self.line.at(self.scores[number])
        # The final value is that of the best epoch, so it is no worse than what was seen already.
        merit = max(merit, self.so_far.merits.get(number, merit))
        return Prediction(self.objective.loss(-merit), sd)

    def words(self, number: int) -> str:
        """What a trial has shown, for a reader: the metrics that count, with their values."""
        shown = [
            f"{one.scored.metric} {one.scored.values[number]:.4g}"
            for one in self.signals
            if number in one.scored.values
        ]
        return " and ".join(shown[:2]) or "nothing reported"


def forecast(view: SearchView, rung: int) -> Forecast:
    """The forecast for every trial of the search that has trained for ``rung`` epochs."""
    trials = cohort(view, rung)
    objective = view.config.objective
    so_far = objective_so_far(trials, rung, objective)
    finals = _finals(trials, objective)
    pairs = other_signals(trials, rung, view.config)
    others = [_better_variant(within, across, finals) for within, across in pairs]
    has_others = any(one.information > 0 for one in others)
    is_flat = tied_share(list(so_far.merits.values())) >= _FLAT
    prior = 0.0 if is_flat and has_others else _PRIOR
    known = [Weighted(so_far, _reliability(so_far, finals, prior)), *others]
    signals = sorted(filter(_tells, known), key=lambda one: -one.information)
    scores = _scores([trial.number for trial in trials], signals)
    line = _line(scores, finals, so_far, signals)
    is_refuted = not signals and any(one.scored.energy for one in known)
    refuted_by = len(finals) if is_refuted else 0
    return Forecast(rung, scores, tuple(signals), so_far, line, objective, refuted_by)


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


def _finals(trials: Sequence[TrialView], objective: Objective) -> dict[int, float]:
    """The merit that each trial ended with, of those that ran to their end."""
    return {
        trial.number: -objective.loss(trial.record.best_value)
        for trial in trials
        if trial.record.is_usable and trial.record.best_value is not None
    }


def _better_variant(within: Scored, across: Scored, finals: Mapping[int, float]) -> Weighted:
    """A signal within what it compares in, or across it where that has shown to tell more."""
    variants = [
        Weighted(one, _reliability(one, finals, _PRIOR if one.is_trusted else 0.0))
        for one in (within, across)
    ]
    return max(variants, key=lambda one: one.information)


def _reliability(scored: Scored, finals: Mapping[int, float], prior: float) -> float:
    """Rank correlation of a signal with the end: what was seen, shrunk towards the prior."""
    ended = [number for number in scored.scores if number in finals]
    n_free = max(0, len(ended) - 3)
    seen = _seen([scored.scores[n] for n in ended], [finals[n] for n in ended], scored)
    z = _PRIOR_TRIALS * math.atanh(prior) + n_free * math.atanh(max(-_MOST, min(_MOST, seen)))
    return max(0.0, min(_MOST, math.tanh(z / (_PRIOR_TRIALS + n_free))))


def _seen(scores: Sequence[float], ends: Sequence[float], among: Scored) -> float:
    """The rank correlation of those that ended, as it would be among all."""
    energy = sum(score * score for score in scores) / len(scores) if scores else 0.0
    mean = sum(scores) / len(scores) if scores else 0.0
    variance = energy - mean * mean
    if variance <= 0.0:
        return 0.0
    return unrestricted(correlation(scores, ends), math.sqrt(among.energy / variance))


def _scores(numbers: Sequence[int], signals: Sequence[Weighted]) -> dict[int, float]:
    """Each trial's expected normal score, given all its readings."""
    scores = {}
    for number in numbers:
        read = [one for one in signals if number in one.scored.scores]
        total = sum(one.precision / one.reliability * one.scored.scores[number] for one in read)
        scores[number] = total / (1.0 + sum(one.precision for one in read))
    return scores


def _line(
    scores: Mapping[int, float],
    finals: Mapping[int, float],
    so_far: Scored,
    signals: Sequence[Weighted],
) -> Line | None:
    if not finals:
        return None
    precision = sum(one.precision for one in signals)
    points = [(scores[number], merit) for number, merit in finals.items()]
    merits = [finals.get(number, so_far.merits.get(number)) for number in scores]
    return fit_line(points, [m for m in merits if m is not None], 1.0 / (1.0 + precision))
