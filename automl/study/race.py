"""The race for the winner: the best few of a search, trained with fresh seeds, half by half.

The values of a search rank by luck as much as by worth. The few that are expected to be the best
(``expected``), and the default where it is not far behind, are trained again, each with one fresh
seed; the better half goes on to two more, and so on until a single one is left (sequential
halving; Karnin, Koren and Somekh 2013). After each round every value counts: those of the search,
and those of all fresh seeds so far. Settings that broke more of their trainings stand behind those
that broke fewer.

Everything is a function of the records, so that a study that was interrupted goes on as it would
have.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from automl.study.config import StudyConfig
from automl.study.expected import Expectations, expectations, is_race
from automl.study.ranking import best_trial
from automl.study.records import TrialRecord

__all__ = ["Race", "n_of_race", "race", "winner"]

#: Standard deviations of the difference behind the best at which a trial is not worth a seed.
_OUT_OF_REACH = 2.0
_ALL = 1 << 30  # more seeds than there are


@dataclass(frozen=True, slots=True)
class Race:
    """How the race stands.

    Attributes:
        left: Trials that may still win, by what was expected of them before this round; empty
            where the default is expected to be better than all of them, one where the race is
            decided.
        seeds: Fresh seeds that each of them has at the end of this round.
        missing: Those of them that lack a training of this round, who has had fewest first.
        n_missing: Trainings that this round and those after it still take.
    """

    left: tuple[int, ...]
    seeds: int = 0
    missing: tuple[int, ...] = ()
    n_missing: int = 0

    @property
    def is_decided(self) -> bool:
        """Whether no further training decides who wins."""
        return len(self.left) < 2


def n_of_race(n_contestants: int, n_round: int = 1) -> int:
    """Trainings that a race takes: 7 of 3 contestants (3x1, 2x2), 18 of 6 (6x1, 3x2, 2x3).

    Args:
        n_contestants: How many are in it.
        n_round: The round that they begin with, from 1.
    """
    if n_contestants < 2:
        return 0
    return n_contestants * n_round + n_of_race(_better_half(n_contestants), n_round + 1)


def race(records: Sequence[TrialRecord], config: StudyConfig) -> Race:
    """How the race stands once every trial of the search has ended.

    Args:
        records: Every trial of the study.
        config: What is better, and how many trials may be in the race.
    """
    left, seeds, n_round = _contestants(records, config), 0, 0
    while len(left) > 1:
        n_round += 1
        seeds += n_round
        heats = {number: _heats(records, number)[:seeds] for number in left}
        lacking = [number for number in left if len(heats[number]) < seeds]
        missing = tuple(sorted(lacking, key=lambda number: len(heats[number])))
        is_running = any(not each.state.is_finished for heat in heats.values() for each in heat)
        if missing or is_running:
            n_missing = sum(seeds - len(heat) for heat in heats.values())
            after = n_of_race(_better_half(len(left)), n_round + 1)
            return Race(left, seeds, missing, n_missing + after)
        left = _ranked(records, left, seeds, config)[: _better_half(len(left))]
    return Race(() if left == (0,) else left, seeds)


def winner(records: Sequence[TrialRecord], config: StudyConfig) -> TrialRecord | None:
    """The trial that a study names as its best; None before there is one.

    The one that won the race, or leads it; without a race the one that is expected to be the best.
    """
    if not config.limits.confirm_top:
        return best_trial(records, config.objective)
    if not config.is_search:
        return best_trial(records, config.objective)
    best = expectations(records, config.objective).best
    number = None if best is None else best.number
    if any(map(is_race, records)):
        left = race(records, config).left
        left = _ranked(records, left, _ALL, config) if len(left) > 1 else left
        number = left[0] if left else 0
    return next((each for each in records if each.number == number), None)


def _better_half(n: int) -> int:
    return (n + 1) // 2


def _contestants(records: Sequence[TrialRecord], config: StudyConfig) -> tuple[int, ...]:
    """The trials expected to be ahead of the default, and itself; none that is out of reach."""
    limits, objective = config.limits, config.objective
    if not limits.confirm_top:  # a study of an older version, which took the best value as it was
        best = best_trial(records, objective)
        return () if best is None or best.number == 0 else (best.number,)
    found = expectations([each for each in records if each.confirms is None], objective)
    ahead: list[int] = []
    for expected in found.ranked:
        if expected.number == 0 or len(ahead) == limits.confirm_top:
            break
        if not ahead or _is_in_reach(found, ahead[0], expected.number, config):
            ahead.append(expected.number)
    can_race = limits.confirm_top > 1 and bool(ahead) and found.noise is not None
    return (*ahead, 0) if can_race and _is_in_reach(found, ahead[0], 0, config) else tuple(ahead)


def _is_in_reach(found: Expectations, best: int, number: int, config: StudyConfig) -> bool:
    sd, first, other = found.sd_between(best, number), found.of(best), found.of(number)
    if first is None or other is None:
        return False
    if sd is None:
        return True
    loss = config.objective.loss
    return loss(other.value) - loss(first.value) <= _OUT_OF_REACH * sd


def _heats(records: Sequence[TrialRecord], number: int) -> list[TrialRecord]:
    """The trainings of a contestant in the race, in the order of their seeds."""
    return [each for each in records if each.confirms == number and is_race(each)]


def _ranked(
    records: Sequence[TrialRecord], left: Sequence[int], seeds: int, config: StudyConfig
) -> tuple[int, ...]:
    """The contestants after so many seeds each, best first; none that the default is ahead of."""
    heats = {number: _heats(records, number)[:seeds] for number in left}
    n_broken = {
        number: sum(each.failure is not None and each.failure.is_configs_fault for each in heat)
        for number, heat in heats.items()
    }
    search = [each for each in records if each.confirms is None]
    # What losers of earlier rounds gave still tells of their neighbours and of the noise.
    others = [each for each in records if is_race(each) and each.confirms not in heats]
    seen = [*search, *others, *(each for heat in heats.values() for each in heat)]
    found = expectations(seen, config.objective)
    place = {expected.number: i for i, expected in enumerate(found.ranked)}
    last = len(found.ranked)
    ahead = [number for number in left if place.get(number, last) <= place.get(0, last)]
    return tuple(sorted(ahead, key=lambda number: (n_broken[number], place.get(number, last))))
