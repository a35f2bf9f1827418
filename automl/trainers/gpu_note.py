"""Which GPUs an attempt holds, written down for whoever follows it."""

import socket
from collections.abc import Sequence
from contextlib import suppress

from automl.errors import FixInput
from automl.files import write_json
from automl.jsontext import read_json
from automl.study.layout import AttemptPaths

__all__ = ["note_gpus", "noted_gpus"]


def note_gpus(attempt: AttemptPaths, gpus: Sequence[str]) -> None:
    """Writes them down; nothing on a CPU. What a reader is not shown keeps nothing from training.

    Args:
        attempt: The attempt.
        gpus: As the scheduler names them: by index, or by UUID.
    """
    if gpus:
        with suppress(OSError, FixInput):
            note = {"host": socket.gethostname(), "gpus": list(gpus)}
            write_json(attempt.gpus, note, attempt.folder)


def noted_gpus(attempt: AttemptPaths) -> tuple[str, tuple[str, ...]]:
    """The host that an attempt runs on, and its GPUs there; both empty before, and without any."""
    try:
        note = read_json(attempt.gpus, follow=False)
        return str(note["host"]), tuple(map(str, note["gpus"]))
    except (OSError, ValueError, KeyError, TypeError):
        return "", ()
