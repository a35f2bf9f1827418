"""A word now and then while something long is under way."""

import io
import threading
from pathlib import Path

from automl.app.screen import Sight
from automl.cli.events import EventScreen
from automl.cli.quiet import Quiet
from automl.cli.waiting import PatientScreen, quiet_on, waiting
from automl.execution.driver import Note
from automl.study.config import StudyConfig
from automl.study.layout import StudyPaths


class Heard(io.StringIO):
    """Says when something was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def write(self, text: str) -> int:
        self.written.set()
        return super().write(text)


class AtTerminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Second:
    """A clock that goes on by a second whenever it is looked at."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def due_of(quiet: Quiet, looks: int) -> list[int]:
    return [look for look in range(1, looks + 1) if quiet.is_due()]


def test_a_log_hears_ever_more_rarely_and_never_less_than_once_a_minute() -> None:
    assert due_of(Quiet(Second()), 200) == [10, 30, 70, 130, 190]


def test_a_person_hears_every_ten_seconds() -> None:
    assert due_of(Quiet(Second(), most_s=10.0), 45) == [10, 20, 30, 40]
    assert quiet_on(AtTerminal()).most_s == 10.0
    assert quiet_on(io.StringIO()).most_s == 60.0


def test_what_is_said_otherwise_counts() -> None:
    clock = Second()
    quiet = Quiet(clock)
    assert due_of(quiet, 35) == [10, 30]
    quiet.spoke()
    assert due_of(quiet, 12) == [10]


def test_what_takes_long_is_named() -> None:
    stream = Heard()
    with waiting("the data are being read", Quiet(first_s=0.0), stream, look_s=0.001):
        assert stream.written.wait(5.0)
    assert stream.getvalue().startswith("note: the data are being read (")


def test_what_is_quick_is_not_mentioned() -> None:
    stream = Heard()
    with waiting("the data are being read", Quiet(), stream, look_s=0.001):
        pass
    assert stream.getvalue() == ""


def test_a_screen_that_is_open_speaks_for_itself(config: StudyConfig) -> None:
    early, late = Heard(), io.StringIO()
    screen = PatientScreen(EventScreen(late), Quiet(first_s=0.0, most_s=0.0), early)
    with screen:
        assert early.written.wait(5.0)
        screen.opened(StudyPaths(Path("/studies/bikes")), config)
        said = early.getvalue()
        screen.event(Note("it goes on"))
        screen.look(Sight((), 0.0))
    assert "machine and trainer are being checked" in said
    assert early.getvalue() == said
    assert "it goes on" in late.getvalue()
