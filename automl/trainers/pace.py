"""How fast a training was: its start, and each of its epochs, as the trainer itself timed them."""

import re
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from automl.trainers.contract import STATUS_NAME, StatusLine

__all__ = ["Pace", "pace_of"]

_DURATION = re.compile(r"(?:(\d{1,6}) days?, )?(\d{1,2}):(\d{2}):(\d{2}(?:\.\d{1,6})?)")
_MOST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a training was.

    Attributes:
        start_s: Seconds outside the epochs: start, data, and the end.
        epoch_s: Seconds of an epoch with its validation, the median of all.
        n_epochs: How many were timed.
    """

    start_s: float
    epoch_s: float
    n_epochs: int


def pace_of(folder: Path, seconds: float) -> Pace | None:
    """The pace of an attempt that has ended; None where its status file times no epoch.

    Args:
        folder: The attempt's folder.
        seconds: Wall time of the whole attempt.
    """
    try:
        with (folder / STATUS_NAME).open("rb") as file:
            text = file.read(_MOST_BYTES).decode(errors="replace")
    except OSError:
        return None
    lines = (StatusLine.parse(line) for line in text.splitlines())
    times = [_seconds(line.fields.get("time_per_epoch")) for line in lines if line is not None]
    epochs = [time for time in times if time is not None]
    if not epochs:
        return None
    return Pace(max(0.0, seconds - sum(epochs)), median(epochs), len(epochs))


def _seconds(text: object) -> float | None:
    """Seconds of a duration as Python writes it: ``0:03:07.004202``; None if it is none."""
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return 86400 * days + 3600 * hours + 60 * minutes + seconds
