"""Training the winner and the default once more, with other seeds, when the search is over.

The winner of a search is the luckiest of many: its value is the highest of its seeds and of its
settings at once. Trained again with seeds that had no part in choosing it, it shows what the
settings are worth; the default, trained with the same seeds, shows the noise to hold it against.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from automl.study import attributes
from automl.study.config import StudyConfig
from automl.study.ranking import best_trial
from automl.study.records import TrialRecord
from automl.study.seeds import derive_seed

__all__ = ["Confirmation", "n_asked", "next_confirmation", "searched"]

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
    """What to train again next; None if nothing is left, or a trial of the search still runs.

    The settings take turns, so that an early end leaves about as many seeds of each. A seed
    depends on its place alone: both settings are trained with the same ones. A training that
    failed is not repeated with another seed: that it failed is part of what the seeds show.
    """
    if any(not record.state.is_finished for record in searched(records)):
        return None
    begun = _begun(records, _targets(records, config))
    left = [number for number, n in begun.items() if n < config.limits.confirm]
    if not left:
        return None
    number = min(left, key=begun.__getitem__)
    seed = derive_seed(config.search.seed, "confirm", begun[number]) % _SEEDS
    return Confirmation(number, seed)


def _begun(records: Sequence[TrialRecord], targets: Sequence[int]) -> dict[int, int]:
    """How many trainings with fresh seeds each target has had."""
    return {number: sum(record.confirms == number for record in records) for number in targets}


def _targets(records: Sequence[TrialRecord], config: StudyConfig) -> tuple[int, ...]:
    """Trial 0 and the winner; none where they are one, as then nothing was won."""
    best = best_trial(records, config.objective)
    if best is None or best.number == 0:
        return ()
    default_is_usable = any(record.number == 0 and record.is_usable for record in records)
    return (0, best.number) if default_is_usable else (best.number,)


def n_asked(records: Sequence[TrialRecord], config: StudyConfig) -> int:
    """Trials that the study is to run, the trainings that confirm its winner among them.

    While the search goes on its winner is taken to be another trial than the default; where the
    default stays the best nothing is trained again, and the number falls.
    """
    if not config.is_search:
        return 1
    search, limits = searched(records), config.limits
    n_search = max(limits.trials, len(search))
    if len(search) == n_search and all(record.state.is_finished for record in search):
        begun = _begun(records, _targets(records, config))
        return len(records) + sum(max(0, limits.confirm - n) for n in begun.values())
    n_confirming = len(records) - len(search)
    return n_search + max(n_confirming, limits.confirm * _n_expected(search, n_search))


def _n_expected(search: Sequence[TrialRecord], n_search: int) -> int:
    """How many settings will be trained again if the winner is not the default."""
    if n_search < 2:
        return 0
    first = next((record for record in search if record.number == 0), None)
    return 1 if first is not None and first.state.is_finished and not first.is_usable else 2
