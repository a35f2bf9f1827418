"""What the keys of ``automl watch`` mean: from a key to what is shown, and what is asked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

__all__ = ["HELP", "Mode", "View", "Wish", "pressed"]

HELP = (
    "q  detach: the study goes on; Ctrl-C does the same",
    "l  log of a trial; with several running its number and Enter; any key leads back",
    "s  stop after the running trials: no further one is started",
    "k  stop now: the running trials end, their checkpoints are kept; asks for k once more",
    "?  these keys; any key leads back",
)
_ENTER = ("\n", "\r")
_BACK = ("\x7f", "\b")
_LONGEST = 6


class View(Enum):
    """What is shown."""

    TABLE = auto()
    ASKING = auto()
    LOG = auto()
    HELP = auto()


class Wish(Enum):
    """What is to be done."""

    NOTHING = auto()
    DETACH = auto()
    STOP_GENTLY = auto()
    STOP_NOW = auto()


@dataclass(frozen=True, slots=True)
class Mode:
    """How the next key is taken.

    Attributes:
        view: What is shown.
        said: A line for the reader; often empty.
        typed: The number so far, while it is asked for.
        trial: Whose log is shown.
        is_armed: Whether a further ``k`` stops the running trials.
    """

    view: View = View.TABLE
    said: str = ""
    typed: str = ""
    trial: int = 0
    is_armed: bool = False


def pressed(mode: Mode, key: str, trials: Sequence[int]) -> tuple[Mode, Wish]:
    """What a key does.

    Args:
        mode: How things stand.
        key: The sign, or the signs of one key, as the terminal sends them.
        trials: Numbers of the running trials.
    """
    if mode.view is View.ASKING:
        return _typed(mode, key), Wish.NOTHING
    if key == "q":
        return Mode(), Wish.DETACH
    if mode.view is not View.TABLE:
        return Mode(), Wish.NOTHING
    if key == "k":
        return _KILL if mode.is_armed else (_ARMED, Wish.NOTHING)
    if key == "l":
        return _log(trials), Wish.NOTHING
    return _OTHERS.get(key, (replace(mode, is_armed=False), Wish.NOTHING))


_ARMED = Mode(
    said="k once more stops the running trials now; their checkpoints are kept", is_armed=True
)
_KILL = (Mode(said="asked to stop now; checkpoints are kept"), Wish.STOP_NOW)
_OTHERS = {
    "s": (Mode(said="asked to stop after the running trials"), Wish.STOP_GENTLY),
    "?": (Mode(View.HELP), Wish.NOTHING),
}


def _log(trials: Sequence[int]) -> Mode:
    if len(trials) == 1:
        return Mode(View.LOG, trial=trials[0])
    return _asking("")


def _asking(typed: str) -> Mode:
    return Mode(View.ASKING, said=f"number of a trial, then Enter: {typed}", typed=typed)


def _typed(mode: Mode, key: str) -> Mode:
    if key in _ENTER:
        return Mode(View.LOG, trial=int(mode.typed)) if mode.typed else Mode()
    if key in _BACK:
        return _asking(mode.typed[:-1])
    if key.isascii() and key.isdigit() and len(mode.typed + key) <= _LONGEST:
        return _asking(mode.typed + key)
    return Mode()
