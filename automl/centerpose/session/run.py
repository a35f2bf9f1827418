"""What every action of this program is given beside its spec."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from automl.centerpose.session.interrupt import Interrupt
from automl.centerpose.session.status import StatusLog

__all__ = ["Run"]


@dataclass(frozen=True, slots=True)
class Run:
    """The surroundings of one action.

    Attributes:
        folder: Where it writes.
        status: Its status file.
        interrupt: Asked at safe points whether to end.
        say: Prints a line on stdout.
    """

    folder: Path
    status: StatusLog
    interrupt: Interrupt
    say: Callable[[str], None]
