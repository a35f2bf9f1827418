"""What ``automl watch`` and ``automl status`` show of one study in the middle of its search."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from automl.cli.followed import FollowedStudy
from automl.cli.picture import WATCHER_KEYS, render
from automl.reports.glancing import glance_of
from automl.reports.status import status_text
from automl.reports.summary import read_summary
from automl.study.folder import epochs_of
from automl.study.state import read_state
from tests.unit.cli_live.watched_study import NOW, watched_study

Golden = Callable[[str, str], None]


@pytest.mark.parametrize("width", [80, 140])
def test_watch(golden: Golden, tmp_path: Path, width: int) -> None:
    study = FollowedStudy(watched_study(tmp_path).paths, lambda: NOW)
    stream = io.StringIO()
    console = Console(file=stream, width=width, markup=False, highlight=False, emoji=False)
    console.print(render(study.snapshot(), width, WATCHER_KEYS))
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    golden(f"cli/watch-{width}.txt", "\n".join(lines) + "\n")


def test_status(golden: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = watched_study(tmp_path / "studies").paths
    monkeypatch.chdir(tmp_path)
    summary = read_summary(Path("studies/bike-fan"), lambda: NOW)
    epochs = epochs_of(paths, summary.config.keys.epochs)
    state = read_state(paths)
    glance = glance_of(summary, state, NOW, epochs)
    text = status_text(glance, summary.folder, state, NOW)
    golden("cli/status-running.txt", text + "\n")
