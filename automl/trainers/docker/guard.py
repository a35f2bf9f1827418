"""Ends the container of an attempt with the worker that follows it.

On the driver's machine a container outlives its driver, and the next driver goes on with it. On
another node of a cluster nobody would look for it there: the trial goes on wherever there is room,
so its container must end with the worker. A process that no signal to the worker reaches waits for
the other end of a pipe to close::

    python -m automl.trainers.docker.guard FOLDER
"""

import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from automl.trainers.docker.engine import EngineAway, connect
from automl.trainers.docker.leftovers import containers_below

__all__ = ["ContainerGuard", "main"]

_DONE = b"done\n"
#: In the background of a shell, which ends at once: what Ray ends with a worker are its children.
_APART = '"$@" <&3 3<&- &'
#: Seconds between the looks after a worker's end: a container may just have been asked for.
_LOOKS_S = (0.0, 1.0, 3.0)
_AGAIN_S = 2.0
_TRIES = 30


@dataclass(frozen=True, slots=True)
class ContainerGuard:
    """The guard of one attempt's container, as the worker holds it.

    Attributes:
        pipe: Its end is what the guard waits for.
    """

    pipe: "subprocess.Popen[bytes]"

    @classmethod
    def over(cls, folder: Path) -> Self:
        """Starts a guard.

        Args:
            folder: The attempt's folder, by which its container is known.

        Raises:
            OSError: No process can be started.
        """
        program = [sys.executable, "-P", "-m", __name__, str(folder)]
        process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec 3<&0; {_APART}", "sh", *program],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        process.wait()
        return cls(process)

    def dismiss(self) -> None:
        """Lets it end: the container is gone."""
        assert self.pipe.stdin is not None  # noqa: S101 -- opened above
        with suppress(OSError):
            self.pipe.stdin.write(_DONE)
            self.pipe.stdin.close()


def main(folder: Path) -> int:
    """Waits for the worker's end, and leaves no container of the attempt."""
    if sys.stdin.buffer.read() == _DONE:
        return 0
    for wait_s in _LOOKS_S:
        time.sleep(wait_s)
        _end(folder)
    return 0


def _end(folder: Path) -> None:
    for _ in range(_TRIES):
        try:
            engine = connect()
            for container in containers_below(engine, folder):
                engine.remove(container.id)
        except EngineAway:
            time.sleep(_AGAIN_S)
        else:
            return


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
