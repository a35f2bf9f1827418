"""One broken study beside a whole one: no command without a name is held up by it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from automl.cli.main import main
from automl.study.layout import StudyPaths
from automl.study.state import StudyState, StudyStatus, write_state
from tests.unit.reports.study_builder import StudyBuilder, config, fill


def _lost_journal(paths: StudyPaths) -> None:
    paths.journal.unlink()


def _odd_line(paths: StudyPaths) -> None:
    with paths.journal.open("a") as file:
        file.write("{}\n{}\n")


def _no_configuration(paths: StudyPaths) -> None:
    paths.resolved.write_text("[]")


@pytest.fixture
def studies_dir(tmp_path: Path) -> Path:
    """Two ended studies; ``broken`` is the newer one."""
    for age, name in enumerate(("whole", "broken")):
        builder = StudyBuilder(tmp_path, config(name))
        fill(builder)
        os.utime(builder.paths.resolved, ns=(0, age))
        ended = StudyState(name, StudyStatus.FINISHED, "2026-11-29T10:00:00+00:00", 8)
        write_state(builder.paths, ended)
    return tmp_path


@pytest.mark.parametrize("spoil", [_lost_journal, _odd_line, _no_configuration])
@pytest.mark.parametrize("command", ["status", "best", "report", "explain"])
def test_the_next_study_is_shown_and_the_broken_one_named(
    studies_dir: Path,
    capsys: pytest.CaptureFixture[str],
    command: str,
    spoil: Callable[[StudyPaths], None],
) -> None:
    spoil(StudyPaths(studies_dir / "broken"))
    words = [command, "best"] if command == "explain" else [command]
    assert main([*words, "--studies-dir", str(studies_dir)]) == 0
    shown = capsys.readouterr()
    assert "note: broken is passed over: " in shown.err
    assert "Traceback" not in shown.err
    assert not (studies_dir / "broken" / "report").exists()


@pytest.mark.parametrize("spoil", [_lost_journal, _odd_line, _no_configuration])
@pytest.mark.parametrize("command", ["status", "best", "report", "resume"])
def test_a_broken_study_that_is_named_is_an_error_of_its_own(
    studies_dir: Path,
    capsys: pytest.CaptureFixture[str],
    command: str,
    spoil: Callable[[StudyPaths], None],
) -> None:
    spoil(StudyPaths(studies_dir / "broken"))
    assert main([command, "broken", "--studies-dir", str(studies_dir)]) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("error: ")
    assert str(studies_dir / "broken") in shown.err or command == "resume"


@pytest.mark.parametrize("spoil", [_lost_journal, _odd_line, _no_configuration])
def test_lists_show_both(
    studies_dir: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[StudyPaths], None]
) -> None:
    spoil(StudyPaths(studies_dir / "broken"))
    assert main(["list", "--studies-dir", str(studies_dir)]) == 0
    listed = capsys.readouterr().out
    assert "unreadable" in listed
    assert "whole" in listed
    assert main(["clean", "--studies-dir", str(studies_dir)]) == 0
    assert "broken: checkpoints not looked at: " in capsys.readouterr().err


def test_a_bare_resume_leaves_ended_studies_alone(
    studies_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in studies_dir.rglob("*"))
    assert main(["resume", "--studies-dir", str(studies_dir)]) == 2
    assert "nothing to resume" in capsys.readouterr().err
    assert before == sorted((path, path.stat().st_mtime_ns) for path in studies_dir.rglob("*"))
