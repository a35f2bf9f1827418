"""The studies of a shared database, whoever drives them and wherever their folders are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from optuna.storages import BaseStorage
from optuna.study._frozen import FrozenStudy

from automl.study.config import Direction, Objective
from automl.study.database import database_errors, open_database
from automl.study.ranking import best_trial
from automl.study.records import TrialState
from automl.study.state import counts_of
from automl.study.trials import by_number, record_of

__all__ = ["SharedStudy", "shared_studies"]


@dataclass(frozen=True, slots=True)
class SharedStudy:
    """One study of a database.

    Attributes:
        name: Its name.
        counts: Trial state to number of trials; states without a trial are left out.
        direction: Which way is better.
        best: The best value of one training at full length; None before there is one.
        best_trial: That trial's number.
        began: When its first trial began; None before it.
    """

    name: str
    counts: Mapping[str, int]
    direction: Direction
    best: float | None = None
    best_trial: int | None = None
    began: datetime | None = None

    @property
    def n_trials(self) -> int:
        """Trials that were begun."""
        return sum(self.counts.values())

    @property
    def n_ended(self) -> int:
        """Trials that no further attempt will be made of."""
        return sum(n for state, n in self.counts.items() if TrialState(state).is_finished)

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write."""
        return {
            "name": self.name,
            "counts": dict(self.counts),
            "direction": str(self.direction),
            "best": self.best,
            "best_trial": self.best_trial,
            "began": None if self.began is None else self.began.isoformat(),
        }


def shared_studies(url: str) -> Sequence[SharedStudy]:
    """Every study of a database, the one that began last first.

    Raises:
        FixInput: The database cannot be opened.
        PrepareMachine: It does not answer.
    """
    storage = open_database(url)
    with database_errors(url):
        found = [_read(storage, study) for study in storage.get_all_studies()]
    never = datetime.max.replace(tzinfo=UTC)
    return sorted(found, key=lambda each: (each.began or never, each.name), reverse=True)


def _read(storage: BaseStorage, study: FrozenStudy) -> SharedStudy:
    objective = Objective("objective", Direction(study.direction.name.lower()))
    trials = storage.get_all_trials(study._study_id, deepcopy=False)
    records = [record_of(group, objective) for _, group in sorted(by_number(trials).items())]
    best = best_trial(records, objective)
    begun = [trial.datetime_start for trial in trials if trial.datetime_start is not None]
    return SharedStudy(
        name=study.study_name,
        counts=counts_of(records),
        direction=objective.direction,
        best=None if best is None else best.best_value,
        best_trial=None if best is None else best.number,
        began=min(begun).astimezone(UTC) if begun else None,
    )
