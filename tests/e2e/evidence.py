"""What a study had to show at some moment, so that nothing of it is lost or changed later."""

from dataclasses import dataclass, field

import optuna

from automl.study.folder import read_config
from automl.study.layout import StudyPaths
from automl.study.records import TrialRecord, TrialState
from automl.study.storage import read_study
from automl.study.trials import read_records

__all__ = ["Evidence", "values_of"]


@dataclass
class Evidence:
    """What a study had to show at some moment, to be compared with later ones."""

    paths: StudyPaths
    outcomes: dict[str, bytes] = field(default_factory=dict)
    values: dict[int, float] = field(default_factory=dict)
    rested: dict[int, dict[int, float]] = field(default_factory=dict)

    def study(self) -> optuna.Study:
        found = read_study(self.paths, read_config(self.paths))
        assert found is not None
        return found

    def records(self) -> tuple[TrialRecord, ...]:
        return read_records(self.study(), read_config(self.paths).objective)

    def take(self) -> None:
        """Notes what has been finished, and that nothing noted before has changed."""
        found = {
            str(path.relative_to(self.paths.folder)): path.read_bytes()
            for path in self.paths.trials.glob("*/*/outcome.json")
        }
        assert self.outcomes.items() <= found.items()
        self.outcomes = found
        if self.paths.journal.is_file():
            records = self.records()
            assert self.values.items() <= values_of(records).items()
            self.values = values_of(records)
            self._take_paused(records)

    def _take_paused(self, records: tuple[TrialRecord, ...]) -> None:
        """What a paused trial had measured stays, and so does what it may go on from."""
        for record in records:
            rested = self.rested.get(record.number, {})
            assert rested.items() <= record.values.items(), record.number
            if record.state is TrialState.PAUSED:
                self.rested[record.number] = dict(record.values)
                assert record.checkpoint is not None
                assert (self.paths.folder / record.checkpoint).is_file()


def values_of(records: tuple[TrialRecord, ...]) -> dict[int, float]:
    usable = [each for each in records if each.is_usable]
    return {each.number: each.best_value for each in usable if each.best_value is not None}
