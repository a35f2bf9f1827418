"""Saying now and then that something long is still under way, before a study has a screen."""

import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from automl.app.screen import Sight
from automl.cli.quiet import Quiet
from automl.execution.driver import Event
from automl.reports import words
from automl.study.config import StudyConfig
from automl.study.layout import StudyPaths

if TYPE_CHECKING:
    from automl.cli.events import EventScreen
    from automl.cli.live import LiveScreen

__all__ = ["PatientScreen", "quiet_on", "waiting"]

_TERMINAL_S = 10.0
_LOOK_S = 0.5


def quiet_on(stream: TextIO) -> Quiet:
    """A person at a terminal hears something every ten seconds, a log ever more rarely."""
    return Quiet(most_s=_TERMINAL_S) if stream.isatty() else Quiet()


@contextmanager
def waiting(
    what: str, quiet: Quiet, stream: TextIO | None = None, look_s: float = _LOOK_S
) -> Iterator[None]:
    """Inside the block silence is broken by what is being done, and for how long.

    Args:
        what: In words: ``the data are being read``.
        quiet: Says when; whoever says something else meanwhile lets it know.
        stream: Where to; standard error by default.
        look_s: Seconds between two looks.
    """
    target = sys.stderr if stream is None else stream
    began, done = monotonic(), threading.Event()

    def say() -> None:
        while not done.wait(look_s):
            if quiet.is_due():
                # Whoever read it may have gone.
                with suppress(OSError):
                    for_s = words.duration(monotonic() - began)
                    print(f"note: {what} ({for_s})", file=target, flush=True)

    thread = threading.Thread(target=say, name="waiting", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


class PatientScreen:
    """Another screen, with a word now and then until that one is opened.

    Args:
        inner: The screen.
        quiet: Says when.
        stream: Where to; standard error by default.
    """

    def __init__(
        self, inner: "LiveScreen | EventScreen", quiet: Quiet, stream: TextIO | None = None
    ) -> None:
        self._inner = inner
        self._until_opened, self._all = ExitStack(), ExitStack()
        self._word = waiting("machine and trainer are being checked", quiet, stream)

    def __enter__(self) -> Self:
        self._all.enter_context(self._inner)
        self._until_opened.enter_context(self._word)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._until_opened.close()
        self._all.close()

    def opened(self, paths: StudyPaths, config: StudyConfig) -> None:
        """From now on the other screen breaks the silence."""
        self._until_opened.close()
        self._inner.opened(paths, config)

    def event(self, event: Event) -> None:
        """Passes it on."""
        self._inner.event(event)

    def look(self, sight: Sight) -> None:
        """Passes it on."""
        self._inner.look(sight)
