"""The driver's side of glances: what it knows of its study in memory, kept for readers."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from automl.app.glances import write_glance
from automl.app.sparing import Sparing
from automl.errors import AutomlError
from automl.reports.commands import commands_for
from automl.reports.glancing import glance_of
from automl.reports.model import TrialReport
from automl.reports.sources import Sources
from automl.reports.summary import summarise
from automl.study.clock import utc_now
from automl.study.config import StudyConfig
from automl.study.folder import epochs_of
from automl.study.layout import StudyPaths
from automl.study.lock import read_owner
from automl.study.records import TrialRecord
from automl.study.state import StudyState, StudyStatus

__all__ = ["GlanceKeeper"]

#: The most of the driver's time that glances take; readers believe one for longer than it lasts.
_SHARE = 0.02


class GlanceKeeper:
    """Keeps the glance of a driven study current; a trial's folder is read when it has changed.

    Args:
        paths: The study, which this process drives.
        config: What was asked.
    """

    def __init__(self, paths: StudyPaths, config: StudyConfig) -> None:
        self._paths, self._config = paths, config
        self._epochs = epochs_of(paths, config.keys.epochs)
        self._trials: dict[int, TrialReport] = {}
        self._sparing = Sparing(_SHARE)

    def keep(self, records: Sequence[TrialRecord], state: StudyState, n_refused: int) -> None:
        """Writes the glance, if it is time; a reader that finds none reads the study itself.

        Args:
            records: Every trial, by number.
            state: The snapshot that was just written.
            n_refused: Proposals that were refused.
        """
        is_driven = state.status is StudyStatus.RUNNING
        if is_driven and not self._sparing.is_due:
            return
        with self._sparing.look(), suppress(OSError, AutomlError):
            self._keep(records, state, n_refused)

    def _keep(self, records: Sequence[TrialRecord], state: StudyState, n_refused: int) -> None:
        sources, now = Sources(self._paths), utc_now()
        trials = tuple(self._trial(record, sources) for record in records)
        is_driven = state.status is StudyStatus.RUNNING
        moment = now if is_driven else None
        summary = summarise(sources, self._config, trials, state, moment)
        if sources.notes:
            # What they tell of may be put right at any time.
            self._paths.glance.unlink(missing_ok=True)
            return
        summary = replace(summary, n_refused=n_refused)
        summary = replace(summary, commands=commands_for(summary))
        glance = glance_of(summary, state, now, self._epochs)
        write_glance(self._paths, glance, now, read_owner(self._paths) if is_driven else None)

    def _trial(self, record: TrialRecord, sources: Sources) -> TrialReport:
        """A trial without its measurements, which no glance shows."""
        known = self._trials.get(record.number)
        if known is not None and known.record is record:
            return known
        read = sources.trial(record, self._config, None)
        attempts = tuple(replace(each, measurements=()) for each in read.attempts)
        light = replace(read, measurements=(), attempts=attempts)
        self._trials[record.number] = light
        return light
