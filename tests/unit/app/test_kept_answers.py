"""Answers about a study: kept while nothing that they rest on was written to, and never after."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from automl.app.kept_answers import KeptAnswer, kept_answer
from automl.cli.main import main
from automl.reports import summary as summaries
from automl.study.layout import StudyPaths
from automl.study.lock import StudyLock
from tests.bench.scale_folder import make_study


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyPaths:
    """A study that has ended, with the files that an answer names."""
    monkeypatch.setenv("AUTOML_CACHE_DIR", str(tmp_path / "cache"))
    paths = make_study(tmp_path / "studies", "bikes", 3)
    (paths.folder / "weights.pth").write_text("whole")
    (paths.actions / "evaluate-1").mkdir(parents=True)
    return paths


def refused() -> KeptAnswer:
    raise AssertionError("what was kept still holds")


def ask(
    study: StudyPaths, make: Callable[[], KeptAnswer], question: str = "what"
) -> tuple[str, int]:
    return kept_answer(study, "best", question, make)


def answered() -> KeptAnswer:
    return KeptAnswer("trial 2 ü", 4, ("weights.pth",))


def test_a_study_that_has_ended_is_read_once(study: StudyPaths) -> None:
    assert ask(study, answered) == ("trial 2 ü", 4)
    assert ask(study, refused) == ("trial 2 ü", 4)
    assert ask(study, lambda: KeptAnswer("another"), "how") == ("another", 0)
    assert kept_answer(study, "status", "what", lambda: KeptAnswer("third")) == ("third", 0)


@pytest.mark.parametrize(
    "name",
    [
        "study.journal",
        "state.json",
        "resolved.json",
        "weights.pth",
        "actions/evaluate-1/outcome.json",
    ],
)
def test_what_was_written_to_is_read_again(study: StudyPaths, name: str) -> None:
    ask(study, answered)
    path = study.folder / name
    path.write_bytes(path.read_bytes() + b"\n" if path.exists() else b"{}")
    assert ask(study, lambda: KeptAnswer("now")) == ("now", 0)


def test_a_file_that_has_gone_is_not_named_again(study: StudyPaths) -> None:
    ask(study, answered)
    (study.folder / "weights.pth").unlink()
    assert ask(study, lambda: KeptAnswer("now")) == ("now", 0)


def test_what_would_not_last_and_what_is_driven_is_not_kept(study: StudyPaths) -> None:
    ask(study, lambda: KeptAnswer("notes", is_lasting=False))
    assert ask(study, answered) == ("trial 2 ü", 4)
    with StudyLock(study):
        assert ask(study, lambda: KeptAnswer("driven")) == ("driven", 0)
        assert ask(study, lambda: KeptAnswer("later")) == ("later", 0)


def test_what_is_written_while_it_is_read_is_not_kept(study: StudyPaths) -> None:
    def _meanwhile() -> KeptAnswer:
        os.utime(study.journal)
        return answered()

    ask(study, _meanwhile)
    assert ask(study, lambda: KeptAnswer("now")) == ("now", 0)


@pytest.mark.parametrize("words", [["best"], ["best", "--json"], ["status", "--json"]])
def test_commands_say_the_same_again(
    study: StudyPaths,
    words: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = [*words, "--studies-dir", str(study.folder.parent)]
    assert main(asked) == 0
    said = capsys.readouterr().out
    with monkeypatch.context() as patched:
        patched.setattr(summaries, "read_study", lambda *_: pytest.fail("it was read again"))
        assert main(asked) == 0
        assert capsys.readouterr().out == said
    os.utime(study.journal)
    assert main(asked) == 0
    assert capsys.readouterr().out == said
