"""Metrics in a table with a heading, an epoch in one row or in several.

Lightning's ``metrics.csv`` and Ultralytics' ``results.csv`` are such tables. Cells may be empty
(Lightning writes training and validation in rows of their own) and headings may be padded with
blanks (Ultralytics).
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from automl.skill.metric_source import MetricSource
from automl.trainers.metrics.growing import FileSearch, GrowingLines
from automl.trainers.metrics.reader import AttemptPlaces, Epochs, numbers_in
from automl.trainers.metrics.reading import EpochReading, Said

__all__ = ["CsvReader"]

_USUAL = ("metrics.csv", "results.csv", "**/metrics.csv", "**/results.csv")
_EPOCH = "epoch"


class CsvReader:
    """Reads metrics from a table."""

    def __init__(self, source: MetricSource, places: AttemptPlaces) -> None:
        self._source = source
        self._search = FileSearch(places.results, (source.file,) if source.file else _USUAL)
        self._epochs = Epochs(places.metric, source.first_epoch)
        self._lines = GrowingLines()
        self._heading: list[str] = []
        self._count = 0

    def read(self, *, final: bool = False) -> list[EpochReading]:
        """The rows that became whole, those of one epoch added up."""
        path = self._search.path(now=final)
        return [] if path is None else list(self._rows(path, final))

    def said(self) -> Said:
        """The metrics, and the file that they are from."""
        path = self._search.path()
        return self._epochs.said("" if path is None else path.name)

    def _rows(self, path: Path, final: bool) -> Iterator[EpochReading]:
        for cells in csv.reader(self._lines.new(path, final=final)):
            texts = [cell.strip() for cell in cells]
            if not any(texts):
                continue
            if not self._heading:
                self._heading = texts
                continue
            row = {name: text for name, text in zip(self._heading, texts, strict=False) if text}
            counted = row.pop(self._source.epoch or _EPOCH, None)
            if counted is None:
                self._epochs.first, counted = 0, str(self._count)
            self._count += 1
            reading = self._epochs.add(counted, numbers_in(row, self._source.keys))
            if reading is not None:
                yield reading
