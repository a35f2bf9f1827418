"""The terminal's title while a study is watched, and the bell at its end."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from automl.cli.attention import Attention, title_of
from automl.cli.followed import FollowedStudy
from automl.cli.progress import Snapshot
from tests.unit.cli_live.watched_study import NOW, host_of, watched_study


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    return FollowedStudy(watched_study(tmp_path, host_of()).paths, lambda: NOW).snapshot()


def told(snapshot: Snapshot, *, is_terminal: bool, rings: bool) -> str:
    stream = io.StringIO()
    attention = Attention(Console(file=stream, force_terminal=is_terminal))
    attention.show(snapshot)
    attention.show(snapshot)
    attention.close(rings=rings)
    attention.close(rings=rings)
    return stream.getvalue()


def test_the_title_says_how_the_study_stands(snapshot: Snapshot) -> None:
    assert title_of(snapshot) == "bike-fan 16/50, best 0.7240"


def test_it_is_written_once_and_the_one_before_comes_back(
    snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    title = "\x1b[22;0t\x1b]0;bike-fan 16/50, best 0.7240\x07\x1b[23;0t"
    assert told(snapshot, is_terminal=True, rings=True) == f"{title}\x07"
    assert told(snapshot, is_terminal=True, rings=False) == title


def test_a_file_and_a_dumb_terminal_get_neither(
    snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told(snapshot, is_terminal=False, rings=True) == ""
    monkeypatch.setenv("TERM", "dumb")
    assert told(snapshot, is_terminal=True, rings=True) == ""
