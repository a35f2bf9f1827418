"""Metrics in a JSON file: one object, a list of them, or one a line.

An object that names its epoch is one of several; one without is the training's only measurement,
read at its end, since a program may write it anew until then. Lists of numbers are one value an
epoch.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from automl.jsontext import parse_json
from automl.skill.metric_source import MetricSource
from automl.trainers.metrics.growing import FileSearch, GrowingLines, whole_text
from automl.trainers.metrics.reader import AttemptPlaces, Epochs, numbers_in
from automl.trainers.metrics.reading import EpochReading, Said

__all__ = ["JsonReader", "readings_of"]

_USUAL = ("metrics.json", "metrics.jsonl", "**/metrics.json", "**/metrics.jsonl")
_LINES = (".jsonl", ".ndjson")
_EPOCH = "epoch"


class JsonReader:
    """Reads metrics from a JSON file."""

    def __init__(self, source: MetricSource, places: AttemptPlaces) -> None:
        self._source = source
        self._search = FileSearch(places.results, (source.file,) if source.file else _USUAL)
        self._epochs = Epochs(places.metric, source.first_epoch)
        self._lines = GrowingLines()
        self._count = 0
        self._seen: tuple[int, int] | None = None
        self._waits = False

    def read(self, *, final: bool = False) -> list[EpochReading]:
        """The epochs that became known."""
        path = self._search.path(now=final)
        if path is None:
            return []
        if path.suffix in _LINES:
            return list(self._of_lines(path, final))
        return list(self._of_whole(path, final))

    def said(self) -> Said:
        """The metrics, and the file that they are from."""
        path = self._search.path()
        return self._epochs.said("" if path is None else path.name)

    def _of_lines(self, path: Path, final: bool) -> Iterator[EpochReading]:
        for text in self._lines.new(path, final=final):
            tree = _parsed(text)
            if isinstance(tree, Mapping):
                yield from self._row(tree, self._count)
                self._count += 1

    def _row(self, tree: Mapping[str, Any], count: int) -> Iterator[EpochReading]:
        reading = _row_of(tree, self._source, self._epochs, count)
        if reading is not None:
            yield reading

    def _of_whole(self, path: Path, final: bool) -> Iterator[EpochReading]:
        try:
            facts = path.stat()
        except OSError:
            return
        seen = (facts.st_mtime_ns, facts.st_size)
        if seen == self._seen and not (final and self._waits):
            return
        tree = _parsed(whole_text(path) or "")
        if tree is None:
            return  # still being written
        self._seen = seen
        readings = list(readings_of(tree, self._source, self._epochs, final=final))
        self._waits = not readings
        yield from readings


def readings_of(
    tree: Any, source: MetricSource, epochs: Epochs, *, final: bool
) -> Iterator[EpochReading]:
    """The epochs that a JSON value holds.

    Args:
        tree: The value.
        source: Says what is called how.
        epochs: What was read before.
        final: Whether the training has ended: only then an object without an epoch counts.
    """
    if isinstance(tree, list):
        rows = ((count, row) for count, row in enumerate(tree) if isinstance(row, Mapping))
        read = (_row_of(row, source, epochs, count) for count, row in rows)
        yield from (reading for reading in read if reading is not None)
    elif isinstance(tree, Mapping):
        series = _series(tree)
        if series:
            yield from readings_of(series, source, epochs, final=final)
        elif (source.epoch or _EPOCH) in tree:
            reading = _row_of(tree, source, epochs, 0)
            yield from (reading,) if reading is not None else ()
        elif final:
            yield epochs.at_end(numbers_in(tree, source.keys))


def _row_of(
    row: Mapping[str, Any], source: MetricSource, epochs: Epochs, count: int
) -> EpochReading | None:
    name = source.epoch or _EPOCH
    numbers = numbers_in({key: value for key, value in row.items() if key != name}, source.keys)
    if name in row:
        return epochs.add(row[name], numbers)
    epochs.first = 0
    return epochs.add(count, numbers)


def _series(tree: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One mapping an epoch where the values are lists of numbers; empty where they are not."""
    lists = {name: value for name, value in tree.items() if isinstance(value, list) and value}
    if not lists or not all(isinstance(v, int | float) for held in lists.values() for v in held):
        return []
    longest = max(len(held) for held in lists.values())
    return [
        {name: held[place] for name, held in lists.items() if place < len(held)}
        for place in range(longest)
    ]


def _parsed(text: str) -> Any:
    try:
        return parse_json(text)
    except ValueError:
        return None
