"""A journal in memory that fails at a chosen write, in place of a power cut.

The write before it is on disk, the write after it is not.
"""

import json
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from optuna.storages.journal import BaseJournalBackend

__all__ = ["Disk", "DiskBackend", "PowerCutError"]


class PowerCutError(BaseException):
    """What a killed process looks like from inside: nothing catches it."""


@dataclass(slots=True)
class Disk:
    """The journal's lines, and after how many more writes the power is cut."""

    lines: list[str] = field(default_factory=list)
    writes_left: int | None = None


class DiskBackend(BaseJournalBackend):
    """The journal of a study on such a disk."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """What is on disk, from one record on."""
        for line in self._disk.lines[log_number_from:]:
            yield json.loads(line)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Writes records, or is cut off.

        Raises:
            PowerCutError: It was the write's turn.
        """
        for log in logs:
            if self._disk.writes_left == 0:
                self._disk.writes_left = None
                raise PowerCutError
            if self._disk.writes_left is not None:
                self._disk.writes_left -= 1
            self._disk.lines.append(json.dumps(log, allow_nan=False))
