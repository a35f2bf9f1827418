"""Metrics in a training's output, found by a regular expression.

A pattern of the user's is run by RE2, which takes time in proportion to the text whatever the
pattern is; our own looks for the metric's name with a number behind it. A value belongs to the
epoch of its own line, else of the last line that named one; without any epoch the last value is
the training's only measurement.
"""

import re
from collections.abc import Iterator
from typing import Any

from automl.errors import FixInput, InstallExtra
from automl.extras import how_to_get
from automl.skill.metric_source import MetricSource
from automl.trainers.metrics.growing import GrowingLines
from automl.trainers.metrics.reader import AttemptPlaces, Epochs, numbers_in
from automl.trainers.metrics.reading import EpochReading, Said

__all__ = ["LogReader", "compiled"]

#: The part of a line that is looked at.
_MOST = 4096
_NUMBER = r"[-+]?(?:\d{1,20}\.?\d{0,20}|\.\d{1,20})(?:[eE][-+]?\d{1,3})?|[-+]?(?:nan|inf)"
_EPOCH = re.compile(r"\bepoch\b[ \t]{0,4}[:=#\[]?[ \t]{0,4}(\d{1,9})", re.IGNORECASE)
_GROUPS = ("value", "epoch", "metric")
EXTRA = "patterns"


def compiled(pattern: str) -> Any:
    """A user's pattern, ready to search with.

    Raises:
        FixInput: It is none that RE2 reads, or it has no group ``value``.
        InstallExtra: RE2 is not installed.
    """
    try:
        import re2
    except ModuleNotFoundError as error:
        raise InstallExtra(
            "a pattern over the log needs RE2, which no pattern can keep busy for ever",
            fix=how_to_get(EXTRA),
        ) from error
    options = re2.Options()
    options.log_errors = False
    try:
        found = re2.compile(pattern, options)
    except re2.error as error:
        text = error.args[0] if error.args else ""
        said = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
        raise FixInput(
            "metrics.pattern must be a regular expression of RE2", got=said, where=pattern[:80]
        ) from error
    unknown = [name for name in found.groupindex if name not in _GROUPS]
    if "value" not in found.groupindex or unknown:
        raise FixInput(
            f"metrics.pattern must name the group value, and may name {', '.join(_GROUPS[1:])}",
            got=", ".join(found.groupindex) or "no named group",
            where=pattern[:80],
            fix="write (?P<value>...) round the number",
        )
    return found


class LogReader:
    """Reads metrics from a training's output."""

    def __init__(self, source: MetricSource, places: AttemptPlaces) -> None:
        self._log = places.log
        self._metric = source.metric or places.metric
        self._pattern = compiled(source.pattern) if source.pattern else _usual(self._metric)
        self._epochs = Epochs(places.metric, source.first_epoch)
        self._lines = GrowingLines()
        self._epoch: str | None = None
        self._last: dict[str, float] = {}

    def read(self, *, final: bool = False) -> list[EpochReading]:
        """The values of the new lines; the only one of a training without epochs at its end."""
        readings = list(self._new(final))
        if final and self._epoch is None and self._last:
            readings.append(self._epochs.at_end(self._last))
        return readings

    def said(self) -> Said:
        """The metrics that were found in the log."""
        return self._epochs.said(self._log.name)

    def _new(self, final: bool) -> Iterator[EpochReading]:
        for line in self._lines.new(self._log, final=final):
            text = line[:_MOST]
            for match in self._pattern.finditer(text):
                groups = match.groupdict()
                name = groups.get("metric") or self._metric
                numbers = numbers_in({name: groups["value"]}, {})
                self._epoch = groups.get("epoch") or self._epoch_in(text) or self._epoch
                self._last |= numbers
                reading = self._epochs.add(self._epoch, numbers) if self._epoch else None
                if reading is not None and numbers:
                    yield reading
            self._epoch = self._epoch_in(text) or self._epoch

    def _epoch_in(self, text: str) -> str | None:
        """The epoch that a line names by that very word, where the pattern has no group for it."""
        if "epoch" in self._pattern.groupindex:
            return None
        found = _EPOCH.search(text)
        return found[1] if found else None


def _usual(metric: str) -> re.Pattern[str]:
    """The metric's name, a sign or a few blanks, and a number; bounded in every part."""
    name = re.escape(metric)
    between = r"[\"']?[ \t]{0,8}[:=][ \t]{0,8}"
    return re.compile(rf"(?<![\w./-]){name}{between}(?P<value>{_NUMBER})(?![\w.])", re.IGNORECASE)
