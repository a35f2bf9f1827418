"""Stopping on request: SIGTERM and SIGINT are noted, and obeyed where the state is whole."""

import signal
from types import FrameType

__all__ = ["Interrupt", "Interrupted"]


class Interrupted(Exception):
    """A signal asked for the end of the action.

    Attributes:
        signal: Its number.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.signal = number

    @property
    def exit_code(self) -> int:
        """128 plus the signal's number, as shells have it."""
        return 128 + self.signal


class Interrupt:
    """Remembers the first signal; a second of its kind acts at once, as it does by default.

    Attributes:
        requested: The signal that was noted; None as long as there was none.
        by_signal: Whether a signal asked, and not a message.
    """

    def __init__(self) -> None:
        self.by_signal = False
        self.requested: int | None = None

    def listen(self) -> None:
        """Takes over SIGTERM and SIGINT in this process."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.ask)

    def ask(self, number: int, frame: FrameType | None = None) -> None:
        """Asks for the end; the handler of the signals."""
        del frame
        self.by_signal = True
        self.request(number)
        default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        signal.signal(number, default)

    def request(self, number: int) -> None:
        """Asks for the end as that signal would; from any thread."""
        self.requested = number

    def check(self) -> None:
        """Ends the action here if it was asked to.

        Raises:
            Interrupted: It was.
        """
        if self.requested is not None:
            raise Interrupted(self.requested)
