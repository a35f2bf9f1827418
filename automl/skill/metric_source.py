"""Where a training's metrics are read: the block ``metrics`` of a search profile.

::

    metrics: {from: status}                                  # TAO's status.json, the default
    metrics: {from: json, file: metrics.json, keys: {accuracy: test.accuracy}, epoch: epoch}
    metrics: {from: csv, file: "**/metrics.csv", epoch: epoch}
    metrics: {from: tensorboard, file: "**/events.out.tfevents.*"}
    metrics: {from: log, pattern: 'epoch (?P<epoch>[0-9]+) acc (?P<value>[0-9.]+)', metric: acc}
    metrics: {from: command, command: "python score.py {results_dir}"}
    metrics: {from: auto}             # the first of these, but the command, that has the metric

Files are named below the results folder; ``*`` and ``**`` stand for any names and folders.
``first_epoch`` says from which number a program counts its epochs; without it a first epoch of 0
means from 0, and any other from 1. A file that holds the newest epoch alone should have it said.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, Self

from automl.errors import FixInput
from automl.nearest import did_you_mean

__all__ = ["STATUS_FILE", "MetricSource", "SourceKind", "read_metric_source"]


class SourceKind(StrEnum):
    """What metrics are read from."""

    STATUS = "status"
    JSON = "json"
    CSV = "csv"
    TENSORBOARD = "tensorboard"
    LOG = "log"
    COMMAND = "command"
    AUTO = "auto"


_FROM = "from"
#: The words that each kind takes; the first line of those that it must have.
_WORDS: Mapping[SourceKind, tuple[str, ...]] = {
    SourceKind.STATUS: (),
    SourceKind.JSON: ("file", "keys", "epoch", "first_epoch"),
    SourceKind.CSV: ("file", "keys", "epoch", "first_epoch"),
    SourceKind.TENSORBOARD: ("file", "keys", "epoch", "first_epoch"),
    SourceKind.LOG: ("pattern", "metric", "first_epoch"),
    SourceKind.COMMAND: ("command", "keys", "epoch", "first_epoch"),
    SourceKind.AUTO: (),
}
_NEEDED: Mapping[SourceKind, str] = {SourceKind.LOG: "pattern", SourceKind.COMMAND: "command"}


@dataclass(frozen=True, slots=True)
class MetricSource:
    """Where a training's metrics are read.

    Attributes:
        kind: From what.
        file: The file, below the results folder; empty for the usual one of its kind.
        keys: Metric to its place in the file, where they are not called alike.
        epoch: What the file calls the epoch; empty for the usual.
        first_epoch: From which number epochs are counted; None to go by the first that is read.
        pattern: Regular expression with the groups ``value``, and where there are any ``epoch``
            and ``metric``.
        metric: What the group ``value`` is called; empty for the objective.
        command: Program and arguments, in which ``{results_dir}`` and ``{log}`` are filled in.
    """

    kind: SourceKind = SourceKind.STATUS
    file: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    epoch: str = ""
    first_epoch: int | None = None
    pattern: str = ""
    metric: str = ""
    command: str = ""

    @property
    def has_epochs(self) -> bool:
        """Whether metrics may come while a training runs; a command is asked once, at its end."""
        return self.kind is not SourceKind.COMMAND

    @property
    def words(self) -> str:
        """What it is, for a reader."""
        usual = {
            SourceKind.STATUS: "status.json",
            SourceKind.JSON: "metrics.json",
            SourceKind.CSV: "metrics.csv or results.csv",
            SourceKind.TENSORBOARD: "TensorBoard's event files",
            SourceKind.LOG: "the log",
            SourceKind.AUTO: "the first of status.json, metrics.json, CSV, TensorBoard's event"
            " files and the log that has it",
        }
        if self.kind is SourceKind.COMMAND:
            return f"what the command prints: {self.command}"
        return self.file or usual[self.kind]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The source that ``to_json`` wrote; of none the default."""
        given = {name: value[name] for name in cls.__slots__ if name in value}
        return cls(**given | {"kind": SourceKind(value.get("kind", SourceKind.STATUS))})

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write; what was not said is left out."""
        every = {name: getattr(self, name) for name in self.__slots__}
        said = {name: value for name, value in every.items() if value not in ("", {}, None)}
        return {**said, "kind": str(self.kind)}


#: TAO's own, which every TAO network writes.
STATUS_FILE = MetricSource()


def read_metric_source(block: Any, where: str) -> MetricSource:
    """The source that a profile's block names; the default for no block.

    Raises:
        FixInput: A word is unknown, missing, or has a value that it cannot have.
    """
    if block is None:
        return STATUS_FILE
    if not isinstance(block, Mapping):
        raise FixInput("metrics must be a mapping", got=repr(block)[:80], where=where)
    kind = _kind(block.get(_FROM), where)
    place = f"{where}: metrics"
    for name in block:
        known = (_FROM, *_WORDS[kind])
        if name not in known:
            raise FixInput(
                f"metrics from {kind} may hold {', '.join(known)}",
                got=str(name),
                where=place,
                fix=did_you_mean(str(name), known),
            )
    needed = _NEEDED.get(kind, "")
    if needed and not block.get(needed):
        raise FixInput(f"metrics from {kind} must have a {needed}", got="none", where=place)
    return MetricSource(kind, **_values(block, place))


def _kind(word: Any, where: str) -> SourceKind:
    kinds = [str(kind) for kind in SourceKind]
    if word not in kinds:
        raise FixInput(
            f"metrics must be read from one of {', '.join(kinds)}",
            got=repr(word),
            where=f"{where}: metrics.{_FROM}",
            fix=did_you_mean(str(word), kinds),
        )
    return SourceKind(word)


def _values(block: Mapping[str, Any], where: str) -> dict[str, Any]:
    values = {str(name): value for name, value in block.items() if name != _FROM}
    for name, value in values.items():
        if name == "keys":
            is_right = isinstance(value, Mapping) and all(
                isinstance(v, str) for v in value.values()
            )
            form = "a mapping of metrics to places in the file"
        elif name == "first_epoch":
            is_right = isinstance(value, int) and not isinstance(value, bool) and value >= 0
            form = "a whole number from 0"
        else:
            is_right, form = isinstance(value, str) and bool(value.strip()), "text"
        if not is_right:
            raise FixInput(f"{name} must be {form}", got=repr(value), where=where)
    path = PurePosixPath(values.get("file", "."))
    if path.is_absolute() or ".." in path.parts:
        raise FixInput("the file must lie below the results folder", got=str(path), where=where)
    return values
