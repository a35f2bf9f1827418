"""The sources of metrics, each by its kind; to add one: its module and a line of the table."""

from collections.abc import Callable, Mapping

from automl.skill.metric_source import MetricSource, SourceKind
from automl.study.layout import AttemptPaths
from automl.study.records import Measurement
from automl.trainers.contract import STATUS_NAME
from automl.trainers.metrics.command import CommandReader
from automl.trainers.metrics.csv_file import CsvReader
from automl.trainers.metrics.first_found import FirstFound
from automl.trainers.metrics.json_file import JsonReader
from automl.trainers.metrics.log import LogReader
from automl.trainers.metrics.reader import AttemptPlaces, MetricReader
from automl.trainers.metrics.tensorboard import TensorboardReader
from automl.trainers.status import StatusReader, history

__all__ = ["SOURCES", "history_of", "make_reader"]


def _status(_: MetricSource, places: AttemptPlaces) -> MetricReader:
    return StatusReader(places.results / STATUS_NAME)


def _first_found(source: MetricSource, places: AttemptPlaces) -> MetricReader:
    readers = {str(kind): SOURCES[kind](source, places) for kind in _LOOKED_FOR}
    return FirstFound(readers, places.metric)


#: Kind to what makes its reader for an attempt.
SOURCES: Mapping[SourceKind, Callable[[MetricSource, AttemptPlaces], MetricReader]] = {
    SourceKind.STATUS: _status,
    SourceKind.JSON: JsonReader,
    SourceKind.CSV: CsvReader,
    SourceKind.TENSORBOARD: TensorboardReader,
    SourceKind.LOG: LogReader,
    SourceKind.COMMAND: CommandReader,
    SourceKind.AUTO: _first_found,
}
#: Where metrics are looked for where nobody says where they are, best first.
_LOOKED_FOR = (
    SourceKind.STATUS,
    SourceKind.JSON,
    SourceKind.CSV,
    SourceKind.TENSORBOARD,
    SourceKind.LOG,
)


def make_reader(source: MetricSource, attempt: AttemptPaths, metric: str) -> MetricReader:
    """A reader of an attempt's metrics.

    Args:
        source: Where they are.
        attempt: Whose.
        metric: The metric that the study needs.

    Raises:
        FixInput: A pattern is none.
        InstallExtra: The source needs a package that is not installed.
    """
    return SOURCES[source.kind](source, AttemptPlaces(attempt.folder, attempt.log, metric))


def history_of(
    source: MetricSource, attempt: AttemptPaths, metric: str, elapsed_before_s: float = 0.0
) -> tuple[Measurement, ...]:
    """Every measurement that an attempt left, by epoch, for one that died without an outcome.

    Only a status file says when; elsewhere an epoch counts as having taken no time. A command is
    not asked about a training that came to no end.

    Args:
        source: Where the metrics are.
        attempt: Whose.
        metric: Only what gives this metric a finite value counts.
        elapsed_before_s: Seconds that the earlier attempts had trained when this one began.
    """
    if source.kind is SourceKind.STATUS:
        return history(attempt.folder, metric, elapsed_before_s)
    if not source.has_epochs:
        return ()
    found = {
        reading.epoch: Measurement(reading.epoch, reading.finite, elapsed_before_s)
        for reading in make_reader(source, attempt, metric).read()
        if reading.measures(metric)
    }
    return tuple(found[epoch] for epoch in sorted(found))
