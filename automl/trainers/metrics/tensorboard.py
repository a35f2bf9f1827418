"""Metrics in TensorBoard's event files, read without TensorFlow.

A file is a row of records, each with its length and two checksums round a protocol buffer. Scalars
are read, in both of the forms that writers use. Lightning writes the scalar ``epoch`` beside
others of the same step; without it the steps at which the metric was written are its epochs.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from automl.inside import read_file
from automl.skill.metric_source import MetricSource
from automl.trainers.metrics.growing import FileSearch
from automl.trainers.metrics.reader import AttemptPlaces, Epochs, numbers_in
from automl.trainers.metrics.reading import EpochReading, Said

__all__ = ["TensorboardReader"]

_USUAL = ("events.out.tfevents.*", "**/events.out.tfevents.*")
_HEAD = struct.Struct("<QI")
_FOOT = 4
#: Bytes of a record; a picture's may be larger, and holds no scalar.
_MOST_BYTES = 64 << 20
_EPOCH = "epoch"


class TensorboardReader:
    """Reads metrics from the newest event file."""

    def __init__(self, source: MetricSource, places: AttemptPlaces) -> None:
        self._source = source
        self._metric = places.metric
        self._search = FileSearch(places.results, (source.file,) if source.file else _USUAL)
        self._epochs = Epochs(places.metric, source.first_epoch)
        self._offset = 0
        self._steps: list[int] = []
        self._epoch_at: dict[int, float] = {}
        self._held: dict[int, dict[str, float]] = {}

    def read(self, *, final: bool = False) -> list[EpochReading]:
        """The steps that are whole: those below the newest, and that one at the end."""
        path = self._search.path(now=final)
        if path is None:
            return []
        for record in self._records(path):
            self._take(record)
        whole = sorted(self._held)
        whole = whole if final else whole[:-1]
        readings = (self._reading(step, self._held.pop(step)) for step in whole)
        return [reading for reading in readings if reading is not None]

    def said(self) -> Said:
        """The metrics, and the file that they are from."""
        path = self._search.path()
        return self._epochs.said("" if path is None else path.name)

    def _reading(self, step: int, row: dict[str, float]) -> EpochReading | None:
        numbers = numbers_in(row, self._source.keys)
        counted = row.get(self._source.epoch or _EPOCH)
        if counted is None:
            if self._metric not in numbers:
                return None
            self._epochs.first, counted = 0, len(self._steps)
            self._steps.append(step)
        return self._epochs.add(counted, numbers)

    def _take(self, record: bytes) -> None:
        from google.protobuf.message import DecodeError
        from tensorboardX.proto.event_pb2 import Event

        try:
            event = Event.FromString(record)
        except DecodeError:
            return
        for value in event.summary.value:
            number = _scalar(value)
            if number is not None:
                self._held.setdefault(int(event.step), {})[value.tag] = number

    def _records(self, path: Path) -> Iterator[bytes]:
        """The records that are whole by now."""
        try:
            with read_file(path) as file:
                file.seek(self._offset)
                while len(head := file.read(_HEAD.size)) == _HEAD.size:
                    length, _ = _HEAD.unpack(head)
                    if length > _MOST_BYTES:
                        return  # no event file: its lengths mean nothing
                    content = file.read(length + _FOOT)
                    if len(content) < length + _FOOT:
                        return
                    self._offset += _HEAD.size + length + _FOOT
                    yield content[:length]
        except OSError:
            return


def _scalar(value: Any) -> float | None:
    """The number of a summary's value; None for pictures, texts and histograms."""
    if value.HasField("simple_value"):
        return float(value.simple_value)
    if not value.HasField("tensor") or value.tensor.tensor_shape.dim:
        return None
    held = [*value.tensor.float_val, *value.tensor.double_val]
    return float(held[0]) if len(held) == 1 else None
