"""What a mistyped command line is answered with: one line, the nearest word, exit code 2."""

import pytest

from automl.cli.main import main


def error_of(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert main(argv) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("error: ")
    assert output.err.count("\n") == 1
    return output.err


@pytest.mark.parametrize(
    ("argv", "given", "meant"),
    [
        (("rnu",), "rnu", "run"),
        (("run", "--polcy", "off"), "--polcy", "--policy"),
        (("plan", "--trails=3"), "--trails", "--trials"),
        (("report", "--jsn"), "--jsn", "--json"),
        (("data", "synht"), "synht", "synth"),
        (("space", "--format", "jsn"), "jsn", "json"),
    ],
)
def test_a_mistyped_word_is_answered_with_the_nearest(
    capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], given: str, meant: str
) -> None:
    error = error_of(capsys, *argv)
    assert given in error
    assert f"did you mean {meant}?" in error


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        (("data",), "automl data"),
        (("plan", "--qqqq"), "automl plan"),
        (("report", "one", "two"), "automl report"),
        (("data", "synth"), "automl data synth"),
        (("run", "--name"), "automl run"),
    ],
)
def test_without_a_near_word_the_commands_help_is_named(
    capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], command: str
) -> None:
    assert f"{command} --help" in error_of(capsys, *argv)


def test_a_flag_cannot_be_shortened(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--tria" in error_of(capsys, "run", "--tria", "3")


@pytest.mark.parametrize("text", ["-1", "x", "1.5", "²", ""])
def test_counts_are_whole_numbers_from_zero(capsys: pytest.CaptureFixture[str], text: str) -> None:
    error = error_of(capsys, "plan", "--demo", f"--first={text}")
    assert "--first" in error
    assert "whole number from 0" in error
    assert repr(text) in error


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        (("plan", "--train-data", ""), "--train-data"),
        (("plan", "--spec="), "--spec"),
        (("run", "--name", "  "), "--name"),
        (("plan", "--set", ""), "--set"),
        (("list", "--studies-dir", ""), "--studies-dir"),
        (("data", "synth", "--out", ""), "--out"),
    ],
)
def test_an_empty_word_is_no_value(
    capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], named: str
) -> None:
    """What comes of an unset variable must not mean the current folder."""
    assert f"{named} needs a value" in error_of(capsys, *argv)


def test_a_person_may_have_no_words(capsys: pytest.CaptureFixture[str]) -> None:
    error = error_of(capsys, "plan", "--request", "", "--trials", "many")
    assert "trials must be a whole number" in error
