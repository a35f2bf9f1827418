"""Reading a study folder for a report, whatever state a crash left it in.

The storage decides which trials there are and which epochs count; the attempts' ``outcome.json``
add the other metrics and the times. A file that is missing or torn costs its own part of the
report and a note, never the report.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from automl.errors import FixInput
from automl.reports.model import TrialReport
from automl.reports.saved import epoch_seconds
from automl.skill.tree import get
from automl.space.model import SearchSpace
from automl.study.best import read_best
from automl.study.config import StudyConfig
from automl.study.folder import read_base_spec, read_provenance, read_space
from automl.study.layout import StudyPaths
from automl.study.measured import judged_of
from automl.study.outcomes import read_outcome
from automl.study.records import Measurement, Outcome, TrialRecord

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

__all__ = ["Sources"]


@dataclass(slots=True)
class Sources:
    """The files of one study, read on demand; what cannot be read is noted.

    Attributes:
        paths: Where the files are.
        notes: One sentence for each file that could not be read.
    """

    paths: StudyPaths
    notes: list[str] = field(default_factory=list)

    def space(self) -> SearchSpace:
        """The search space; an empty one if its file cannot be read."""
        value = self._read(read_space, {})
        if not value:
            return SearchSpace()
        try:
            return SearchSpace.from_json(value)
        except FixInput as error:
            self.notes.append(f"{self.paths.space} could not be read: {error}")
            return SearchSpace()

    def provenance(self) -> dict[str, Any]:
        """Versions, hashes, host; empty if the file cannot be read."""
        return self._read(read_provenance, {})

    def best(self) -> dict[str, Any]:
        """What ``best/`` says it holds; empty while it holds nothing whole."""
        value, note = read_best(self.paths)
        self.notes += [note] if note else []
        return dict(value or {})

    def spec_seed(self, key: str) -> int | None:
        """The seed of the spec that every trial starts from; None where it has none.

        Args:
            key: The setting that takes the seed; empty where there is none.
        """
        seed = get(self._read(read_base_spec, {}), key, None) if key else None
        return seed if isinstance(seed, int) and not isinstance(seed, bool) else None

    def trial(
        self,
        record: TrialRecord,
        config: StudyConfig,
        spec_seed: int | None,
        stored: "FrozenTrial | None" = None,
    ) -> TrialReport:
        """A record of the storage with what the trial's folder adds to it.

        Args:
            record: The trial as the storage knows it.
            config: The metric that trials are ranked by, and which setting takes a seed.
            spec_seed: What a trial is seeded with that has no seed of its own.
            stored: Its newest attempt in the storage, for what its folder does not say.
        """
        outcomes = self._outcomes(record.number)
        measured = _in_folder(record, outcomes)
        if stored is not None and not record.values.keys() <= measured.keys():
            of_storage = {epoch: each.measurement for epoch, each in judged_of(stored).items()}
            measured = of_storage | measured
        measurements = _measurements(record, measured, config.objective.metric)
        return TrialReport(
            record=record,
            measurements=measurements,
            attempts=tuple(outcomes),
            folder=self.paths.relative(self.paths.trial(record.number)),
            seed=_seed(record, config.keys.seed, spec_seed),
            epoch_s=epoch_seconds(measurements),
        )

    def _read(
        self, reader: Callable[[StudyPaths], dict[str, Any]], otherwise: dict[str, Any]
    ) -> dict[str, Any]:
        try:
            return reader(self.paths)
        except FixInput as error:
            self.notes.append(str(error))
            return otherwise

    def _outcomes(self, number: int) -> list[Outcome]:
        outcomes = []
        for _, attempt in self.paths.attempts(number):
            outcome, note = read_outcome(attempt)
            if outcome is not None:
                outcomes.append(outcome)
            if note:
                self.notes.append(note)
        return outcomes


def _seed(record: TrialRecord, key: str, spec_seed: int | None) -> int | None:
    searched = record.params.get(key)
    own = record.seed if record.seed is not None else searched
    return own if isinstance(own, int) else spec_seed


def _in_folder(record: TrialRecord, outcomes: list[Outcome]) -> dict[int, Measurement]:
    """What the newest attempt inherited and what it measured, by epoch.

    An epoch that an earlier attempt measured after the checkpoint that is gone on from was trained
    anew.
    """
    measured = {entry.epoch: entry for entry in record.inherited}
    if record.state.is_at_rest:
        newest = (outcome for outcome in outcomes if outcome.attempt == record.attempts)
        measured |= {entry.epoch: entry for outcome in newest for entry in outcome.measurements}
    return measured


def _measurements(
    record: TrialRecord, known: Mapping[int, Measurement], metric: str
) -> tuple[Measurement, ...]:
    """All metrics of the training that counts, by epoch.

    The objective itself is always the storage's: the trials are ranked by it.
    """
    measured = dict(known)
    for epoch, value in record.values.items():
        entry = measured.get(epoch, Measurement(epoch, {}, math.nan))
        measured[epoch] = replace(entry, metrics={**entry.metrics, metric: value})
    return tuple(measured[epoch] for epoch in sorted(measured))
