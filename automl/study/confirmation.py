"""Training the winner and the default once more, with other seeds, when the search is over.

The winner of a search is the luckiest of many: its value is the highest of its seeds and of its
settings at once. Trained again with seeds that had no part in choosing it, it shows what the
settings are worth; the default, trained with the same seeds, shows the noise to hold it against.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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
    """

    confirms: int
    seed: int


def searched(records: Sequence[TrialRecord]) -> tuple[TrialRecord, ...]:
    """The trials of the search itself."""
    return tuple(record for record in records if record.confirms is None)


def next_confirmation(records: Sequence[TrialRecord], config: StudyConfig) -> Confirmation | None:
    """What to train again next; None if nothing is left, or a trial of the search still runs.

    The settings take turns, so that an early end leaves about as many seeds of each. A seed
    depends on its place alone: both settings are trained with the same ones.
    """
    if any(not record.state.is_finished for record in searched(records)):
        return None
    targets = _targets(records, config)
    begun = {number: sum(record.confirms == number for record in records) for number in targets}
    left = [number for number in targets if begun[number] < config.limits.confirm]
    if not left:
        return None
    number = min(left, key=lambda target: begun[target])
    seed = derive_seed(config.search.seed, "confirm", begun[number]) % _SEEDS
    return Confirmation(number, seed)


def _targets(records: Sequence[TrialRecord], config: StudyConfig) -> tuple[int, ...]:
    """Trial 0 and the winner; none where they are one, as then nothing was won."""
    best = best_trial(records, config.objective)
    if best is None or best.number == 0:
        return ()
    default_is_usable = any(record.number == 0 and record.is_usable for record in records)
    return (0, best.number) if default_is_usable else (best.number,)


def n_asked(records: Sequence[TrialRecord], config: StudyConfig) -> int:
    """Trials that the study is to run, as far as is known by now.

    Those of the search, and once it is over the trainings that confirm it; one where nothing is
    searched.
    """
    if not config.is_search:
        return 1
    search = searched(records)
    confirming = len(records) - len(search)
    over = [record for record in search if record.state.is_finished]
    if len(over) < config.limits.trials:
        return config.limits.trials + confirming
    left = sum(
        max(0, config.limits.confirm - sum(record.confirms == number for record in records))
        for number in _targets(records, config)
    )
    return len(search) + confirming + left
