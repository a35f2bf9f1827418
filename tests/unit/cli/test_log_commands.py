"""``automl logs``: the logs of a trial over its attempts, whole, at their end, or as they grow."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from automl.app.logs import LogLine, follow
from automl.cli.main import main
from automl.study.layout import StudyPaths
from automl.study.lock import StudyLock
from automl.study.outcomes import write_outcome
from automl.study.records import Outcome, OutcomeState
from tests.unit.reports.study_builder import StudyBuilder, Told, fill, params


@pytest.fixture
def study(studies_dir: Path) -> StudyBuilder:
    """A typical search: trial 2 ran out of memory, trial 6 has two attempts."""
    builder = StudyBuilder(studies_dir)
    fill(builder)
    oom = "RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB"
    builder.paths.attempt(2, 1).log.write_text(f"epoch 0\repoch 0 100%\n{oom}\nbye\n")
    builder.paths.attempt(6, 1).log.write_text("first\nattempt\n")
    builder.paths.attempt(6, 2).log.write_text("second\nattempt\n")
    return builder


def run(study: StudyBuilder, *words: str) -> int:
    return main(["logs", *words, "--studies-dir", str(study.folder.parent)])


def test_a_log_is_shown_as_it_is(study: StudyBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(study, "2") == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "epoch 0 100%"
    assert shown[-1] == "bye"


def test_attempts_follow_one_another(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(study, "6", "bike-fan", "--tail", "1") == 0
    assert capsys.readouterr().out.splitlines() == [
        "==> trial 6 attempt 1  interrupted  trials/0006/1/log.txt",
        "attempt",
        "==> trial 6 attempt 2  ok  trials/0006/2/log.txt",
        "attempt",
    ]


def test_errors_are_the_lines_that_show_why(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(study, "2", "--errors") == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head == "==> trial 2 attempt 1  failed  trials/0002/1/log.txt"
    assert len(lines) == 1
    assert lines[0].split(maxsplit=1)[0] == "2"
    assert "CUDA out of memory" in lines[0]


def test_a_log_without_an_error_says_so(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(study, "6", "--errors") == 0
    assert capsys.readouterr().out.count("no line of the log shows an error") == 2


def test_json_holds_every_attempt(study: StudyBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(study, "6", "--json") == 0
    value = json.loads(capsys.readouterr().out)
    assert value["schema"] == "automl.logs/1"
    assert value["trial"] == 6
    assert [each["state"] for each in value["attempts"]] == ["interrupted", "ok"]
    assert value["attempts"][1]["lines"][0] == {"line": 1, "text": "second"}


@pytest.mark.parametrize(
    ("word", "hint"), [("bast", "did you mean best?"), ("99", "shows the trials")]
)
def test_an_unknown_trial_is_named(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str], word: str, hint: str
) -> None:
    assert run(study, word) == 2
    said = capsys.readouterr().err
    assert "best, baseline, default, last or a number up to 7" in said
    assert hint in said


def test_what_is_followed_is_followed_whole(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(study, "6", "-f", "--json") == 2
    assert "a log is followed whole" in capsys.readouterr().err


def test_following_an_ended_trial_shows_it_and_ends(
    study: StudyBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(study, "6", "-f") == 0
    assert capsys.readouterr().out.splitlines() == [
        "first", "attempt", "==> trial 6 attempt 2", "second", "attempt",
    ]  # fmt: skip


def followed(paths: StudyPaths, number: int, steps: list[Callable[[], None]]) -> list[LogLine]:
    """What following sees while one step after the other is taken, each once it has to wait."""

    def wait() -> None:
        assert steps, "nothing more happens, and it still waits"
        steps.pop(0)()

    return list(follow(paths, number, wait))


def test_a_driven_trial_is_followed_into_its_next_attempt(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    builder.add(0, Told(params(), [0.1], None))
    paths = builder.paths
    first, second = paths.attempt(0, 1), paths.attempt(0, 2)

    def end(attempt: int, state: OutcomeState) -> None:
        write_outcome(paths.attempt(0, attempt), Outcome(0, attempt, state))

    def write(text: str) -> None:
        first.log.write_text(text)

    def begin_second() -> None:
        second.folder.mkdir(parents=True)
        second.log.write_text("again\n")

    with StudyLock(paths):
        seen = followed(
            paths,
            0,
            [
                lambda: first.folder.mkdir(parents=True, exist_ok=True),
                lambda: write("one\ntw"),
                lambda: write("one\ntwo\nlast"),
                lambda: end(1, OutcomeState.INTERRUPTED),
                begin_second,
                lambda: end(2, OutcomeState.OK),
            ],
        )
    assert [(line.attempt, line.text) for line in seen] == [
        (1, "one"), (1, "two"), (1, "last"), (2, "again"),
    ]  # fmt: skip


def test_following_ends_with_the_driver(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    builder.add(0, Told(params(), [0.1], None))
    at = builder.paths.attempt(0, 1)
    at.folder.mkdir(parents=True, exist_ok=True)
    at.log.write_text("cut sho")
    assert [line.text for line in followed(builder.paths, 0, [])] == ["cut sho"]
