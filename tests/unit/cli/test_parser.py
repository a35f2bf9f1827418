"""The command line itself: every command has help and a handler, exit codes are said."""

import argparse
import importlib
from collections.abc import Iterator

import pytest

from automl.cli.exit_codes import EXIT_CODES
from automl.cli.main import main
from automl.cli.parser import build_parser
from automl.errors import FixInput


def commands(
    parser: argparse.ArgumentParser, prefix: str = ""
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                yield f"{prefix}{name}", command
                yield from commands(command, f"{prefix}{name} ")


LEAVES = [
    (name, command)
    for name, command in commands(build_parser())
    if command.get_default("handler") is not None
]


@pytest.mark.parametrize(("name", "command"), LEAVES, ids=[name for name, _ in LEAVES])
def test_every_command_has_a_handler_that_exists(
    name: str, command: argparse.ArgumentParser
) -> None:
    module, function = command.get_default("handler").split(":")
    assert callable(getattr(importlib.import_module(module), function))
    assert command.description


def test_every_promised_command_is_there() -> None:
    promised = {
        "run", "plan", "space", "status", "report", "best", "resume", "confirm", "list",
        "data synth", "data check", "schema generate",
    }  # fmt: skip
    assert promised <= {name for name, _ in LEAVES}


@pytest.mark.parametrize("name", ["plan", "space", "status", "report", "best", "list"])
def test_reading_commands_speak_json(name: str) -> None:
    flags = dict(LEAVES)[name]._option_string_actions
    assert "--json" in flags
    assert "--studies-dir" in flags


@pytest.mark.parametrize(("name", "command"), LEAVES, ids=[name for name, _ in LEAVES])
def test_every_command_takes_yes(name: str, command: argparse.ArgumentParser) -> None:
    assert "--yes" in command._option_string_actions, name


def test_help_tells_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", "--help"])
    assert ended.value.code == 0
    assert EXIT_CODES.strip() in capsys.readouterr().out


def test_a_users_mistake_is_one_line_without_a_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["plan", "no-such-file.yaml"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert "no-such-file.yaml" in error
    assert "Traceback" not in error


def test_a_confirmation_is_asked_for_by_a_command_of_its_own() -> None:
    arguments = build_parser().parse_args(["confirm", "bikes", "--seeds", "2"])
    assert (arguments.study, arguments.confirm, arguments.trials) == ("bikes", 2, None)
    assert build_parser().parse_args(["confirm"]).confirm == 3
    with pytest.raises(FixInput, match="from 1"):
        build_parser().parse_args(["confirm", "bikes", "--seeds", "0"])


def test_a_confirmation_has_all_that_going_on_asks_for() -> None:
    parse = build_parser().parse_args
    asked = vars(parse(["confirm", "bike"])).keys()
    assert vars(parse(["resume", "bike"])).keys() - asked == set()
