"""The live table on the terminal of whoever drives a study: one picture, redrawn in place."""

import sys
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.live import Live

from automl.app.screen import Sight
from automl.cli.attention import Attention
from automl.cli.paths import shown
from automl.cli.picture import DRIVER_KEYS, render
from automl.cli.progress import Progress, n_validation_of
from automl.cli.terminal import beneath
from automl.execution.driver import Event
from automl.study.config import StudyConfig
from automl.study.folder import epochs_of
from automl.study.layout import StudyPaths
from automl.visible import visible

__all__ = ["LiveScreen", "wants_live"]


def wants_live(stream: TextIO, environment: Mapping[str, str], *, plain: bool = False) -> bool:
    """Whether the table can be drawn: a terminal that moves its cursor, and nobody objects.

    Args:
        stream: Where it would be drawn.
        environment: The process's variables; ``CI`` and ``TERM=dumb`` mean no.
        plain: The user asked for plain lines.
    """
    is_dumb = environment.get("TERM", "") in ("dumb", "unknown")
    return stream.isatty() and not plain and not is_dumb and not environment.get("CI")


class LiveScreen:
    """Draws a driven study in place on standard error; a context manager that tidies up.

    Args:
        console: Where to draw; a console on standard error by default.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(
            file=beneath(sys.stderr), markup=False, highlight=False, emoji=False
        )
        self._attention = Attention(self._console)
        self._progress: Progress | None = None
        self._live: Live | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def opened(self, paths: StudyPaths, config: StudyConfig) -> None:
        """Begins to draw."""
        place = visible(f"study folder {shown(paths.folder)}", keep="")
        self._console.print(place, soft_wrap=True)
        self._progress = Progress(
            config,
            epochs=epochs_of(paths, config.keys.epochs),
            n_validation=n_validation_of(paths),
        )
        self._live = Live(console=self._console, auto_refresh=False)
        self._live.start()
        self._draw()

    def event(self, event: Event) -> None:
        """Draws what has changed."""
        if self._progress is not None:
            self._progress.event(event)
            self._draw()

    def look(self, sight: Sight) -> None:
        """Draws how the trials stand, and the time that has passed."""
        if self._progress is not None:
            self._progress.look(sight)
            self._draw()

    def close(self) -> None:
        """Leaves the last picture on the terminal and gives the terminal back."""
        if self._live is not None:
            self._draw(is_last=True)
        if self._live is not None:
            self._live.stop()
            self._live = None
            with suppress(OSError):
                self._attention.close(rings=True)

    def _draw(self, *, is_last: bool = False) -> None:
        if self._live is not None and self._progress is not None:
            width = self._console.width
            snapshot = self._progress.snapshot(is_last=is_last)
            picture = render(snapshot, width, "" if is_last else DRIVER_KEYS)
            try:
                self._live.update(picture, refresh=True)
                self._attention.show(snapshot)
            except OSError:
                self._live = None  # the terminal has gone, which is no reason to end a search
