"""Asking one running attempt to stop as pruned, by a file in its folder."""

from pathlib import Path

from automl.files import write_text
from automl.inside import read_file
from automl.study.layout import AttemptPaths

__all__ = ["reason_in", "request_stop"]

#: Bytes of a stop file that are read.
_LONGEST_REASON = 4096


def request_stop(paths: AttemptPaths, reason: str) -> None:
    """Asks a running attempt to stop as pruned, from any process."""
    write_text(paths.stop, reason)


def reason_in(path: Path) -> str:
    """What a stop file says; a trainer may have put anything there."""
    try:
        with read_file(path) as file:
            return file.read(_LONGEST_REASON).decode(errors="replace")
    except OSError:
        return "stopped by something that is no file"
