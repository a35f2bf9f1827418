"""Training the best and the default once more, with other seeds, when the search is over.

The best of a search is the luckiest of many: its value is the highest of its seeds and of its
settings at once. First the few that may be the best race for it with fresh seeds (``race``). Then
winner and default are trained with seeds that had no part in choosing either: so many as were
asked for, or (``auto``) until the answer is known (``sequential``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from automl.study import attributes
from automl.study.config import StudyConfig
from automl.study.expected import is_race
from automl.study.race import Race, n_of_race, race
from automl.study.records import TrialRecord, TrialState
from automl.study.seeds import derive_seed
from automl.study.sequential import FEWEST_PAIRS, MOST_PAIRS, Answer, decide, pairs_likely

__all__ = [
    "Confirmation",
    "answer_of",
    "differences",
    "most_of_race",
    "n_asked",
    "n_planned",
    "n_to_confirm",
    "next_confirmation",
    "searched",
]

_SEEDS = 1 << 31  # every seeded library takes a positive number of 31 bits


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A trial to train again.

    Attributes:
        confirms: The trial whose settings are trained.
        seed: What the training is seeded with, in [0, 2**31).
        source: ``race`` where it helps to choose the winner, ``confirm`` where it only judges it.
    """

    confirms: int
    seed: int
    source: str = attributes.SOURCE_CONFIRM


def searched(records: Sequence[TrialRecord]) -> tuple[TrialRecord, ...]:
    """The trials of the search itself."""
    return tuple(record for record in records if record.confirms is None)


def next_confirmation(records: Sequence[TrialRecord], config: StudyConfig) -> Confirmation | None:
    """What to train again next; None if nothing is left, or may be before a training has ended.

    A seed depends on its place alone: all settings are trained with the same ones. A training that
    failed is not repeated with another seed: that it failed is part of what the seeds show. While
    a round of the race runs out, a free place trains the default, whose seeds are needed whoever
    wins.
    """
    if not config.limits.confirms or not _is_searched(records):
        return None
    standing = race(records, config)
    if not standing.left:
        return None
    if standing.missing:
        number = standing.missing[0]
        place = sum(each.confirms == number and is_race(each) for each in records)
        return _fresh(number, place, attributes.SOURCE_RACE, config)
    wanted = _wanted(records, standing, config)
    begun = {number: len(_judging(records, number)) for number in wanted}
    left = [number for number in wanted if begun[number] < wanted[number]]
    if not left:
        return None
    number = min(left, key=begun.__getitem__)
    return _fresh(number, begun[number], attributes.SOURCE_CONFIRM, config)


def _fresh(number: int, place: int, source: str, config: StudyConfig) -> Confirmation:
    return Confirmation(number, derive_seed(config.search.seed, source, place) % _SEEDS, source)


def _is_searched(records: Sequence[TrialRecord]) -> bool:
    open_states = (TrialState.WAITING, TrialState.RUNNING)
    return not any(record.state in open_states for record in searched(records))


def _wanted(records: Sequence[TrialRecord], standing: Race, config: StudyConfig) -> dict[int, int]:
    """How many trainings each of the pair is to have had; the winner's once it is known."""
    settings = [0] if any(r.number == 0 and r.is_usable for r in records) else []
    n = config.limits.most_seeds
    if config.limits.is_auto:
        n = _pairs_wanted(records, standing, config) if settings else FEWEST_PAIRS
    if standing.is_decided:
        settings.append(standing.left[0])
    elif config.limits.is_auto:
        n = min(n, FEWEST_PAIRS)
    return dict.fromkeys(settings, n)


def _pairs_wanted(records: Sequence[TrialRecord], standing: Race, config: StudyConfig) -> int:
    """Pairs that may be begun by now: none beyond what will probably be needed."""
    if not standing.is_decided:
        return FEWEST_PAIRS
    number = standing.left[0]
    if answer_of(records, number, config) is not Answer.OPEN:
        return 0
    known, n_ended = differences(records, number, config)
    n_lost = n_ended - len(known)  # a pair without a value is made up for, as far as there is room
    return min(MOST_PAIRS, pairs_likely(known) + n_lost)


def answer_of(records: Sequence[TrialRecord], number: int, config: StudyConfig) -> Answer:
    """What the pairs of a trial and the default say when they are looked at one after the other.

    Settings that broke more of their trainings than the default's are never better, so that more
    pairs are hopeless.
    """
    known, n_ended = differences(records, number, config)
    answer = decide(known)
    if answer is not Answer.OPEN:
        return answer
    if n_ended >= MOST_PAIRS:
        return Answer.HOPELESS
    broken = [_n_broken(records, each) for each in (number, 0)]
    is_breaking = n_ended >= FEWEST_PAIRS and broken[0] > broken[1]
    return Answer.HOPELESS if is_breaking else Answer.OPEN


def differences(
    records: Sequence[TrialRecord], number: int, config: StudyConfig
) -> tuple[list[float], int]:
    """Trial minus default for every seed that both were trained with, more being better.

    Returns:
        The differences in the order of the seeds, up to the first that is still open, whatever
        ended earlier; and the pairs that have ended, those without a value included.
    """
    known, n_ended = [], 0
    for ours, base in zip(_judging(records, number), _judging(records, 0), strict=False):
        if not (ours.state.is_finished and base.state.is_finished):
            break
        n_ended += 1
        if ours.is_usable and base.is_usable:
            loss = config.objective.loss
            known.append(loss(base.best_value or 0.0) - loss(ours.best_value or 0.0))
    return known, n_ended


def _judging(records: Sequence[TrialRecord], number: int) -> list[TrialRecord]:
    """Trainings of a trial that had no part in choosing it, in the order of their seeds."""
    return [each for each in records if each.confirms == number and not is_race(each)]


def _n_broken(records: Sequence[TrialRecord], number: int) -> int:
    failures = (each.failure for each in _judging(records, number))
    return sum(failure is not None and failure.is_configs_fault for failure in failures)


def n_to_confirm(records: Sequence[TrialRecord], config: StudyConfig) -> int:
    """Trainings that the race and the final pair still take, by what is known now."""
    if not config.limits.confirms:
        return 0
    standing = race(records, config)
    if not standing.left:
        return 0
    wanted = _wanted(records, standing, config)
    n_pair = sum(max(0, n - len(_judging(records, number))) for number, n in wanted.items())
    n_winner = 0 if standing.is_decided else _n_least(config)
    return standing.n_missing + n_pair + n_winner


def _n_least(config: StudyConfig) -> int:
    """Seeds that each of the final pair has at least."""
    return FEWEST_PAIRS if config.limits.is_auto else config.limits.most_seeds


def n_asked(records: Sequence[TrialRecord], config: StudyConfig) -> int:
    """Trials that the study is to run, the race and the trainings of the final pair among them.

    While the search goes on its winner is taken to be another trial than the default; where the
    default stays the best nothing is trained again, and the number falls. With ``auto`` it is what
    is expected by now.
    """
    if not config.is_search:
        return 1
    search, limits = searched(records), config.limits
    n_search = max(limits.trials, len(search))
    if len(search) == n_search and all(record.state.is_finished for record in search):
        return len(records) + n_to_confirm(records, config)
    n_confirming = len(records) - len(search)
    return n_search + max(n_confirming, _n_expected(search, n_search, config))


def _n_expected(search: Sequence[TrialRecord], n_search: int, config: StudyConfig) -> int:
    """Trainings after the search if the winner is not the default."""
    first = next((record for record in search if record.number == 0), None)
    is_lost = first is not None and first.state.is_finished and not first.is_usable
    return n_planned(config, n_search) - (_n_least(config) if is_lost and n_search > 1 else 0)


def n_planned(config: StudyConfig, n_search: int | None = None) -> int:
    """Trainings after a search of so many trials, if another than the default is the best.

    With ``auto`` the fewest.
    """
    n_search = config.limits.trials if n_search is None else n_search
    if n_search < 2 or not config.limits.confirms:
        return 0
    return most_of_race(config, n_search) + 2 * _n_least(config)


def most_of_race(config: StudyConfig, n_search: int | None = None) -> int:
    """Trainings of the race, where all that may be are in it, the default too."""
    n_search = config.limits.trials if n_search is None else n_search
    top = min(config.limits.confirm_top, n_search - 1)
    return n_of_race(top + 1) if config.limits.confirm_top > 1 and top > 0 else 0
