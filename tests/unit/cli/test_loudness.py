"""``-q``, ``-v`` and no words at all."""

from pathlib import Path

import pytest

from automl.cli.main import main
from tests.unit.reports.study_builder import StudyBuilder, config, fill


def test_without_words_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("usage: automl")
    assert shown.err == ""


@pytest.fixture
def studies(studies_dir: Path) -> Path:
    """A whole study beside a newer broken one, of which every reading command says something."""
    fill(StudyBuilder(studies_dir, config("whole")))
    broken = StudyBuilder(studies_dir, config("broken"))
    broken.paths.resolved.write_text("[]")
    return studies_dir


def test_quiet_says_results_alone(studies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["best", "--studies-dir", str(studies)]) == 0
    loud = capsys.readouterr()
    assert "note: " in loud.err
    assert main(["best", "-q", "--studies-dir", str(studies)]) == 0
    quiet = capsys.readouterr()
    assert quiet.err == ""
    assert quiet.out == loud.out


def test_quiet_does_not_hide_errors(studies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["best", "none", "-q", "--studies-dir", str(studies)]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_verbose_shows_where_an_error_came_from(
    studies: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["best", "none", "-v", "--studies-dir", str(studies)]) == 2
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.splitlines()[-1].startswith("error: ")
