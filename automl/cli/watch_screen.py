"""``automl watch`` on a terminal: the picture of a study, redrawn each second, and its keys."""

from collections.abc import Callable

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from automl.app.stop import StopEffect, ask_to_stop
from automl.cli.attention import Attention
from automl.cli.followed import FollowedStudy
from automl.cli.keyboard import GONE
from automl.cli.picture import WATCHER_KEYS, render
from automl.cli.progress import Snapshot
from automl.cli.watch_keys import HELP, Mode, View, Wish, pressed
from automl.visible import visible

__all__ = ["WatchScreen"]

_EVERY_S = 1.0
_FEWEST_LINES = 5
#: Lines of the terminal that a log leaves free: its title, and the line of the cursor.
_BESIDE_LOG = 3


class WatchScreen:
    """Shows a study until it ends or somebody leaves.

    Args:
        study: The study.
        console: Where to draw.
        key: Waits so many seconds for a key, and returns it.
    """

    def __init__(
        self, study: FollowedStudy, console: Console, key: Callable[[float], str]
    ) -> None:
        self._study, self._console, self._key = study, console, key
        self._mode = Mode()
        self._attention = Attention(console)

    def show(self) -> bool:
        """Draws until the study is no longer driven; False where somebody left before."""
        has_ended = False
        try:
            has_ended = self._shown()
        finally:
            self._attention.close(rings=has_ended)
        return has_ended

    def _shown(self) -> bool:
        with Live(console=self._console, auto_refresh=False) as live:
            while True:
                snapshot = self._study.snapshot()
                if not snapshot.is_driven:
                    live.update(render(snapshot, self._console.width, ""), refresh=True)
                    return True
                live.update(self._drawn(snapshot), refresh=True)
                self._attention.show(snapshot)
                if not self._goes_on(snapshot):
                    live.update(render(snapshot, self._console.width, ""), refresh=True)
                    return False

    def _goes_on(self, snapshot: Snapshot) -> bool:
        """Waits for a key and heeds it; False where somebody leaves."""
        key = self._key(_EVERY_S)
        if not key:
            return True
        if key == GONE:
            return False
        trials = [live.number for live in snapshot.running]
        self._mode, wish = pressed(self._mode, key, trials)
        if wish in (Wish.STOP_GENTLY, Wish.STOP_NOW):
            now = wish is Wish.STOP_NOW
            answer = ask_to_stop(self._study.paths, now=now, within_s=0.0).answer
            if answer is StopEffect.NOT_DRIVEN:
                self._mode = Mode(said="nobody drives it any more")
        return wish is not Wish.DETACH

    def _drawn(self, snapshot: Snapshot) -> Group:
        width = self._console.width
        if self._mode.view is View.LOG:
            return self._log(width)
        if self._mode.view is View.HELP:
            return Group(*(Text(line, no_wrap=True) for line in HELP))
        picture = render(snapshot, width, WATCHER_KEYS)
        said = self._mode.said
        return Group(picture, Text(said, "bold", no_wrap=True)) if said else picture

    def _log(self, width: int) -> Group:
        number = self._mode.trial
        room = max(_FEWEST_LINES, self._console.height - _BESIDE_LOG)
        lines = self._study.log_tail(number, room) or ["it has written nothing yet"]
        texts = [Text(visible(line, keep=""), no_wrap=True) for line in lines]
        for text in texts:
            text.truncate(width, overflow="ellipsis")
        title = Text(f"log of trial {number}; any key leads back", "bold")
        return Group(title, *texts)
