"""Metrics that a command of the user's prints as JSON, asked once, when the training has ended."""

import shlex
import subprocess

from automl.errors import FixInput
from automl.jsontext import parse_json
from automl.skill.metric_source import MetricSource
from automl.trainers.metrics.json_file import readings_of
from automl.trainers.metrics.reader import AttemptPlaces, Epochs
from automl.trainers.metrics.reading import EpochReading, Said

__all__ = ["CommandReader", "command_words"]

_LIMIT_S = 600.0
_MOST_BYTES = 16 << 20
_LONGEST_QUOTE = 200


def command_words(command: str) -> list[str]:
    """Program and arguments of a command; no shell reads it.

    Raises:
        FixInput: It is empty, or a quote in it is not closed.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise FixInput(
            "a metric command must be words as a shell reads them", got=f"{command!r}: {error}"
        ) from error
    if not words:
        raise FixInput("a metric command must name a program", got=repr(command))
    return words


class CommandReader:
    """Asks a command for the metrics of a training that has ended."""

    def __init__(self, source: MetricSource, places: AttemptPlaces) -> None:
        self._source = source
        self._places = places
        self._epochs = Epochs(places.metric, source.first_epoch)
        self._failure = ""
        self._is_asked = False

    def read(self, *, final: bool = False) -> list[EpochReading]:
        """What the command prints; nothing before the end, and nothing after that."""
        if not final or self._is_asked:
            return []
        self._is_asked = True
        text = self._printed()
        if text is None:
            return []
        try:
            tree = parse_json(text)
        except ValueError:
            self._failure = f"the metric command must print JSON, but printed {_quoted(text)}"
            return []
        return list(readings_of(tree, self._source, self._epochs, final=True))

    def said(self) -> Said:
        """The metrics, or why there are none."""
        said = self._epochs.said("what the metric command printed")
        return Said(said.metrics, note=self._failure or said.note, where=said.where)

    def _printed(self) -> str | None:
        filled = {"results_dir": str(self._places.results), "log": str(self._places.log)}
        words = command_words(self._source.command)
        for name, place in filled.items():
            words = [word.replace(f"{{{name}}}", place) for word in words]
        try:
            ended = subprocess.run(
                words,
                cwd=self._places.results,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_LIMIT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            self._failure = f"the metric command could not be run: {error}"
            return None
        if ended.returncode:
            last = _quoted(ended.stderr.decode(errors="replace"))
            self._failure = f"the metric command ended with exit code {ended.returncode}: {last}"
            return None
        return ended.stdout[:_MOST_BYTES].decode(errors="replace")


def _quoted(text: str) -> str:
    return " ".join(text.split())[-_LONGEST_QUOTE:] or "nothing"
