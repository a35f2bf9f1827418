"""Which GPUs an attempt holds, written down for whoever follows it."""

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
            write_json(attempt.gpus, list(gpus), attempt.folder)


def noted_gpus(attempt: AttemptPaths) -> tuple[str, ...]:
    """The GPUs that it wrote down; empty before, and without any."""
    try:
        names = read_json(attempt.gpus, follow=False)
    except (OSError, ValueError):
        return ()
    return tuple(map(str, names)) if isinstance(names, list) else ()
