"""Whether a trainer ended because everything was being ended."""

from pathlib import Path

from automl.processes import started_at
from automl.trainers.timing import Timing

__all__ = ["DriverWatch"]

#: Seconds after a kill within which the request to stop the study may follow.
_STOP_FOLLOWS_S = 1.0


class DriverWatch:
    """Watches the driver for an attempt that may outlive it by a moment.

    Args:
        pid: The driver; None for none.
        stop: The file that asks every trial of the study to stop.
        timing: Time.
    """

    def __init__(self, pid: int | None, stop: Path, timing: Timing) -> None:
        self._pid = pid
        self._started = started_at(pid) if pid else ""
        self._stop = stop
        self._timing = timing

    def is_gone(self) -> bool:
        """Whether the driver has died, which ends every trainer and says nothing of the trial.

        A worker outlives its driver by a second or two, long enough to see the trainer's end.
        """
        return self._pid is not None and started_at(self._pid) != self._started

    def stop_follows(self) -> bool:
        """Whether a trainer was killed because everything is being stopped.

        A batch system ends all processes of a job at once: the trainer may be gone a moment
        before the driver has said that the study stops.
        """
        if not self._stop.exists():
            self._timing.sleep(_STOP_FOLLOWS_S)
        return self._stop.exists()
