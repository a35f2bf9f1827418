"""Mirrors a study while it runs: each tracker hears of every trial that ended, in the background.

One thread does it, so that no tracker is ever waited for by a trial; what comes while it writes is
written with the next. Nothing that goes wrong with a tracker harms the study: it is said once.
"""

import threading
from collections.abc import Callable, Sequence

from automl.app.screen import Ending, Screen, Sight
from automl.execution.driver import Event, TrialEnded
from automl.reports.mirrors.table import mirror_study
from automl.study.config import StudyConfig
from automl.study.layout import StudyPaths

__all__ = ["Mirroring", "mirrored"]

#: Seconds that the end of a study waits for its mirrors.
_PATIENCE_S = 120.0


def mirrored(
    names: Sequence[str],
    screen: Screen,
    drive: Callable[[Screen], Ending],
    tell: Callable[[str], None],
) -> Ending:
    """Drives a study and tells trackers of it.

    Args:
        names: The trackers; without any nothing is mirrored.
        screen: Who watches here.
        drive: Drives the study while a screen watches.
        tell: Called with a sentence, once a tracker, where it cannot be told.
    """
    if not names:
        return drive(screen)
    mirroring = Mirroring(screen, names, tell)
    try:
        return drive(mirroring)
    finally:
        mirroring.ended()


class Mirroring:
    """A screen that passes everything on, and tells trackers of it.

    Args:
        screen: Who watches here.
        names: The trackers.
        tell: Called with a sentence, once a tracker, where it cannot be told.
    """

    def __init__(self, screen: Screen, names: Sequence[str], tell: Callable[[str], None]) -> None:
        self._screen = screen
        self._names = tuple(dict.fromkeys(names))
        self._tell = tell
        self._paths: StudyPaths | None = None
        self._said: set[str] = set()
        self._news = threading.Event()
        self._is_over = False
        self._thread = threading.Thread(target=self._work, name="mirrors", daemon=True)

    def opened(self, paths: StudyPaths, config: StudyConfig) -> None:
        """Begins to mirror."""
        self._paths = paths
        if self._names and not self._thread.is_alive():
            self._thread.start()
        self._screen.opened(paths, config)

    def event(self, event: Event) -> None:
        """Has the trackers told where a trial ended; nothing is waited for."""
        self._screen.event(event)
        if isinstance(event, TrialEnded):
            self._news.set()

    def look(self, sight: Sight) -> None:
        """Passes it on."""
        self._screen.look(sight)

    def ended(self) -> None:
        """Has the trackers told of the end, and waits for them."""
        self._is_over = True
        self._news.set()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE_S)

    def _work(self) -> None:
        while True:
            self._news.wait()
            self._news.clear()
            is_over = self._is_over
            for name in self._names:
                self._mirror(name)
            if is_over:
                return

    def _mirror(self, name: str) -> None:
        if self._paths is None:
            return
        try:
            mirror_study(self._paths, name)
        except Exception as error:  # noqa: BLE001 -- a tracker's library may raise anything
            if name not in self._said:
                self._said.add(name)
                self._tell(f"{name} was not told: {error}; automl mirror {name} does it later")
