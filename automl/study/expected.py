"""What each trial would give with another seed, and which is then the best.

``ranking`` says which trial had the highest value; the highest of many is the luckiest of many.
Here each value is weighed by what the trials beside it gave (``posterior``), so that the best is
chosen for its settings and not for its seed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from automl.skill.tree import ParamValue
from automl.study import attributes
from automl.study.config import Objective
from automl.study.posterior import Column, Observed, Posterior, posterior
from automl.study.ranking import is_ranked
from automl.study.records import TrialRecord

__all__ = ["FEWEST", "Expectations", "Expected", "columns_of", "expectations", "is_race"]

#: Trials with a value below which there is nothing to learn the noise from.
FEWEST = 5
#: How far behind the best value, in standard deviations of the noise, a trial may have ended and
#: still be the best. Beyond that no luck of a seed is a likely reason, whatever its neighbours
#: gave: with few trials it is the model that errs, and what is taken home is a checkpoint.
_MOST_BEHIND = 2.0


@dataclass(frozen=True, slots=True)
class Expected:
    """What a trial's settings are worth, as all trials together show it.

    Attributes:
        number: The trial.
        value: Its objective with a seed of no special luck, in the metric's own direction.
        sd: Standard deviation of what is believed; None where too few trials have a value, and
            ``value`` is what was measured.
    """

    number: int
    value: float
    sd: float | None = None


@dataclass(frozen=True, slots=True)
class Expectations:
    """The trials by what they would give with another seed.

    Attributes:
        ranked: The best first; of equal ones the lowest number. Those that ended too far behind
            the best value for a matter of luck come last.
        noise: Standard deviation of one training's value over seeds; None where not known.
        n_trials: How many trials it rests on.
        posterior: What the values rest on; None where they are as measured.
    """

    ranked: tuple[Expected, ...] = ()
    noise: float | None = None
    n_trials: int = 0
    posterior: Posterior | None = None
    numbers: tuple[int, ...] = ()

    @property
    def best(self) -> Expected | None:
        """The best; None where no trial has a value."""
        return self.ranked[0] if self.ranked else None

    def of(self, number: int) -> Expected | None:
        """What is expected of a trial; None where nothing is."""
        return next((each for each in self.ranked if each.number == number), None)

    def sd_between(self, one: int, other: int) -> float | None:
        """Standard deviation of the difference of two trials; None where not known."""
        if self.posterior is None or not {one, other} <= set(self.numbers):
            return None
        return self.posterior.sd_between(self.numbers.index(one), self.numbers.index(other))


def expectations(records: Sequence[TrialRecord], objective: Objective) -> Expectations:
    """What every usable trial of the search is worth.

    Values of fresh seeds that were trained to choose the winner count as further values of their
    settings. Those that judge the winner do not: they must have no part in choosing it.

    Args:
        records: Every trial of the study.
        objective: Which way is better.
    """
    trials = sorted((each for each in records if is_ranked(each)), key=lambda each: each.number)
    measured = [(each.number, _loss(each, objective)) for each in trials]
    chosen_by = [each for each in records if is_race(each) and each.is_usable]
    measured += [(each.confirms or 0, _loss(each, objective)) for each in chosen_by]
    place = {each.number: i for i, each in enumerate(trials)}
    known = [(place[number], loss) for number, loss in measured if number in place]
    found = None
    if len(trials) >= FEWEST:
        of, losses = zip(*known, strict=True)
        found = posterior(Observed(len(trials), columns_of(trials), losses, of))
    if found is None:
        return _as_measured(trials, known, objective)
    numbers = tuple(trials[point].number for point in found.points)
    own = _means(len(trials), known)
    limit = min(own) + _MOST_BEHIND * found.noise
    ranked = [
        (
            own[point] > limit,
            loss,
            Expected(trials[point].number, objective.loss(loss), found.sd(i)),
        )
        for i, (point, loss) in enumerate(zip(found.points, found.losses, strict=True))
    ]
    return Expectations(_sorted(ranked), found.noise, len(trials), found, numbers)


def is_race(record: TrialRecord) -> bool:
    """Whether it is a training with a fresh seed that helps to choose the winner."""
    return record.confirms is not None and record.source == attributes.SOURCE_RACE


def _loss(record: TrialRecord, objective: Objective) -> float:
    return objective.loss(record.best_value or 0.0)


def _as_measured(
    trials: Sequence[TrialRecord], known: Sequence[tuple[int, float]], objective: Objective
) -> Expectations:
    """Means of what was measured, where no model can be made."""
    ranked = [
        (False, loss, Expected(trial.number, objective.loss(loss)))
        for trial, loss in zip(trials, _means(len(trials), known), strict=True)
    ]
    return Expectations(_sorted(ranked), n_trials=len(trials))


def _means(n_trials: int, known: Sequence[tuple[int, float]]) -> list[float]:
    """The mean loss of each trial, of its place and each of its losses."""
    losses: list[list[float]] = [[] for _ in range(n_trials)]
    for place, loss in known:
        losses[place].append(loss)
    return [sum(each) / len(each) for each in losses]


def _sorted(ranked: Sequence[tuple[bool, float, Expected]]) -> tuple[Expected, ...]:
    ordered = sorted(ranked, key=lambda each: (*each[:2], each[2].number))
    return tuple(expected for *_, expected in ordered)


def columns_of(trials: Sequence[TrialRecord]) -> tuple[Column, ...]:
    """One column a setting, one for each entry of a list."""
    flat = [dict(_flat(trial)) for trial in trials]
    keys = sorted({key for each in flat for key in each})
    return tuple(tuple(each.get(key) for each in flat) for key in keys)


def _flat(trial: TrialRecord) -> list[tuple[str, ParamValue]]:
    found: list[tuple[str, ParamValue]] = []
    for key, value in trial.params.items():
        if isinstance(value, list):
            found += [(f"{key}[{i}]", _plain(entry)) for i, entry in enumerate(value)]
        else:
            found.append((key, value))
    return found


def _plain(entry: ParamValue) -> ParamValue:
    return repr(entry) if isinstance(entry, list) else entry
