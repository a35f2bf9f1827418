"""Metrics from wherever a training leaves them: the first source that has the needed one."""

from collections.abc import Mapping

from automl.trainers.metrics.reader import MetricReader
from automl.trainers.metrics.reading import EpochReading, Said

__all__ = ["FirstFound"]


class FirstFound:
    """Follows several sources until one of them has the metric, and that one from then on.

    Args:
        readers: Name to source, best first.
        metric: The metric that the study needs.
    """

    def __init__(self, readers: Mapping[str, MetricReader], metric: str) -> None:
        self._readers = dict(readers)
        self._metric = metric

    def read(self, *, final: bool = False) -> list[EpochReading]:
        """What the source hands out; before one has the metric, what shows a failure."""
        for name, reader in self._readers.items():
            readings = reader.read(final=final)
            if any(self._metric in reading.validation for reading in readings):
                self._readers = {name: reader}
                return readings
        return []

    def said(self) -> Said:
        """What all sources that are followed say, that of the best first."""
        every = [reader.said() for reader in self._readers.values()]
        return Said(
            frozenset().union(*(said.metrics for said in every)),
            tuple(text for said in every for text in said.failures),
            next((said.last for said in every if said.last), ""),
            next((said.note for said in every if said.note), ""),
            next((said.where for said in every if self._metric in said.metrics), ""),
        )
