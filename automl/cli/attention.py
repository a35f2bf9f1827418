"""The terminal's title and its bell: how a study stands when its window is not looked at.

The title that was there before is put aside by the terminal itself (xterm's stack of titles) and
comes back at the end; a terminal without such a stack keeps the last one.
"""

from rich.console import Console

from automl.cli.progress import Snapshot
from automl.reports import words
from automl.visible import visible

__all__ = ["Attention"]

_KEEP, _BRING_BACK = "\x1b[22;0t", "\x1b[23;0t"


class Attention:
    """Says in the title how a study stands, and rings once at its end.

    Args:
        console: The terminal; what is no terminal is left alone.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._title = ""

    def show(self, snapshot: Snapshot) -> None:
        """The title of this moment; written where it is another one than before."""
        title = visible(title_of(snapshot), keep="")
        is_deaf = not self._console.is_terminal or self._console.is_dumb_terminal
        if is_deaf or title == self._title:
            return
        if not self._title:
            self._write(_KEEP)
        self._title = title
        self._console.set_window_title(title)

    def close(self, *, rings: bool) -> None:
        """Brings the title back.

        Args:
            rings: Whether the bell rings: something has ended.
        """
        if self._title:
            self._title = ""
            self._write(_BRING_BACK)
            if rings:
                self._console.bell()

    def _write(self, text: str) -> None:
        self._console.file.write(text)
        self._console.file.flush()


def title_of(snapshot: Snapshot) -> str:
    """``bike-fan 19/36, best 0.7431``."""
    best = snapshot.best
    value = None if best is None else best.best_value
    said = "" if value is None else f", best {words.value(value)}"
    return f"{snapshot.config.name} {snapshot.at_rest}/{snapshot.asked}{said}"
