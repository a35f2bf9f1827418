"""Actions on a checkpoint (evaluate, export, ...): one folder each, and how each ended.

::

    <study>/actions/export-1/   spec.yaml  log.txt  status.json  outcome.json  what it made
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from automl.field_types import check_fields
from automl.files import write_json
from automl.jsontext import read_json
from automl.study.layout import AttemptPaths

__all__ = ["ActionRecord", "Made", "Origin", "new_folder", "read_actions", "write_action"]

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Origin:
    """What an action started from.

    Attributes:
        path: The file, absolute.
        sha256: Hash of its content; empty for a folder.
        root_sha256: Hash of the checkpoint that the file was made from, or its own.
        trial: The trial that trained it; None for a file from elsewhere.
        epoch: Zero-based epoch; None where the name tells none.
        said: How it was found, for a reader.
    """

    path: str
    sha256: str
    root_sha256: str
    trial: int | None = None
    epoch: int | None = None
    said: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """A file that an action was to make.

    Attributes:
        name: Relative to the action's folder.
        sha256: Hash of its content.
        size: Bytes.
    """

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """How one action ended; its ``outcome.json`` holds exactly this.

    Attributes:
        action: ``evaluate``, ``export``, ...
        deploy: Whether it ran the deploy container's form of the action.
        trainer: What ran it: ``process`` or ``docker``.
        ok: Whether it exited with 0 and made what it was to make.
        exit_code: The program's own exit code; None if it was not awaited.
        evidence: One line that shows why it failed; empty if it did not.
        origin: What it started from.
        command: The command as started.
        data: Dotted key to the data it read.
        metrics: Metric name to value, from the status file; values are finite.
        made: Dotted key to the file that it was to make.
        n_files: Files it left beside its own records.
        seconds: Wall time.
        started_at: ISO 8601, UTC.
        tuned: File of settings of decoding that it ran with; empty for none.
    """

    action: str
    deploy: bool
    trainer: str
    ok: bool
    exit_code: int | None
    evidence: str
    origin: Origin
    command: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    made: Mapping[str, Made] = field(default_factory=dict)
    n_files: int = 0
    seconds: float = 0.0
    started_at: str = ""
    tuned: str = ""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The record that ``to_json`` wrote.

        Raises:
            KeyError, ValueError, TypeError: The value is no such record.
        """
        if value["format"] != FORMAT:
            raise ValueError(f"the format must be {FORMAT}, but got {value['format']}")
        fields = {name: value[name] for name in cls.__slots__ if name in value}
        fields["origin"] = Origin(**value["origin"])
        fields["made"] = {key: Made(**made) for key, made in value["made"].items()}
        fields["command"] = tuple(value["command"])
        record = cls(**fields)
        check_fields(record)
        return record

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write, with its format number."""
        return {"format": FORMAT, **asdict(self)}


def write_action(folder: Path, record: ActionRecord) -> None:
    """Writes how an action ended, whole or not at all."""
    write_json(AttemptPaths(folder).outcome, record.to_json())


def read_actions(folder: Path) -> Iterator[tuple[Path, ActionRecord]]:
    """The folder and record of each action that has ended, oldest first; broken ones are left out.

    Args:
        folder: The ``actions`` folder of a study; it need not exist.
    """
    found = [entry for entry in folder.iterdir() if entry.is_dir()] if folder.is_dir() else []
    ended = []
    for entry in found:
        try:
            value = read_json(AttemptPaths(entry).outcome, follow=False)
            ended.append((entry, ActionRecord.from_json(value)))
        except (OSError, KeyError, TypeError, ValueError, AttributeError):
            continue
    yield from sorted(ended, key=lambda pair: (pair[1].started_at, pair[0].name))


def new_folder(folder: Path, word: str) -> Path:
    """Where the next action of a word goes: ``evaluate-1``, ``evaluate-2``, ...; not made yet."""
    number = 1
    while (folder / f"{word}-{number}").exists():
        number += 1
    return folder / f"{word}-{number}"
