"""Appending to ``status.json``, the file that the caller of this program reads."""

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from automl.trainers.contract import STATUS_NAME, Status, StatusLine

__all__ = ["SilentLog", "StatusLog"]


def _now() -> datetime:
    return datetime.now().astimezone()


class StatusLog:
    """Writes whole lines at the end of a results folder's status file.

    A metric stands on its own line only; the container repeats the last one on every later line,
    which the contract leaves open.

    Args:
        folder: Results folder, made if needed.
        now: The local time.
    """

    def __init__(self, folder: Path, now: Callable[[], datetime] = _now) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / STATUS_NAME
        self._now = now
        self._mend()

    def started(self, message: str) -> None:
        """Notes that something begins."""
        self._append(StatusLine(Status.STARTED, message))

    def running(
        self,
        message: str,
        *,
        fields: Mapping[str, Any] | None = None,
        kpi: Mapping[str, Any] | None = None,
    ) -> None:
        """Notes progress; ``fields`` are written first, ``kpi`` last."""
        self._append(StatusLine(Status.RUNNING, message, fields=fields or {}, kpi=kpi or {}))

    def failed(self, message: str) -> None:
        """Notes why the action ends without success."""
        self._append(StatusLine(Status.FAILURE, message, verbosity="ERROR"))

    def _append(self, line: StatusLine) -> None:
        # One write on a descriptor opened for appending: a reader never sees two lines mixed.
        data = (line.to_json(self._now()) + "\n").encode()
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, data)
        finally:
            os.close(descriptor)

    def _mend(self) -> None:
        """Ends a line that a killed process left half written, so that ours starts on its own."""
        if not self.path.is_file():
            return
        with self.path.open("rb+") as file:
            if file.seek(0, os.SEEK_END) and file.seek(-1, os.SEEK_END) >= 0:
                torn = file.read(1) != b"\n"
                if torn:
                    file.write(b"\n")


class SilentLog(StatusLog):
    """Writes nothing: for the processes of a training that leave the talking to the first."""

    def __init__(self) -> None:
        """Opens no file."""

    def _append(self, line: StatusLine) -> None:
        del line
