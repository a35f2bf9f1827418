"""``automl config``: every setting of a run or a study, and where it came from."""

import argparse
from typing import TYPE_CHECKING, Any

from automl.cli.carried import studies_dir
from automl.cli.json_out import print_json
from automl.cli.run_commands import request_of
from automl.cli.setting_flags import add_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from automl.app.effective import Effective
    from automl.cli.usage import Parser

    Commands = argparse._SubParsersAction[Parser]

__all__ = ["add_config", "config", "config_text"]

_WIDEST = 48


def add_config(commands: "Commands") -> None:
    """Declares the command."""
    from pathlib import Path

    text = "show every setting that a run would have, and where its value came from"
    command = commands.add_parser("config", help=text, description=f"{text.capitalize()}.")
    command.set_defaults(handler="automl.cli.config_commands:config")
    command.add_argument("study_file", nargs="?", type=Path, metavar="STUDY.yaml")
    command.add_argument("--demo", action="store_true", help="short for the packaged demo.yaml")
    command.add_argument("--study", metavar="STUDY", help="the settings of a study that there is")
    command.add_argument(
        "--origin",
        action="store_true",
        help="and from where: flag, variable (AUTOML_TRIALS for --trials), file, skill, default",
    )
    command.add_argument("--given", action="store_true", help="those alone that somebody gave")
    command.add_argument("--spec-keys", action="store_true", help="every key of the spec too")
    command.add_argument(
        "--studies-dir", type=Path, metavar="DIR", help="folder of studies (default: studies)"
    )
    add_settings(command)
    command.add_argument("--json", action="store_true", help="strict JSON on standard output")


def config(arguments: argparse.Namespace) -> int:
    """Shows the settings; trains nothing and looks at no data."""
    rows = _rows(arguments)
    if arguments.given:
        rows = [row for row in rows if row.is_given]
    if arguments.json:
        settings = [
            {"group": row.group, "name": row.name, "value": row.value, "origin": row.origin}
            for row in rows
        ]
        print_json("automl.config/1", {"settings": settings})
    else:
        print(config_text(rows, origin=arguments.origin))
    return 0


def _rows(arguments: argparse.Namespace) -> "list[Effective]":
    from automl.app.effective import effective_of_request, effective_of_study

    if arguments.study is not None:
        from automl.study.choice import find_study
        from automl.study.folder import read_config

        paths = find_study(studies_dir(arguments), arguments.study)
        return list(effective_of_study(read_config(paths)))
    return list(effective_of_request(request_of(arguments), spec=arguments.spec_keys))


def config_text(rows: "Sequence[Effective]", *, origin: bool) -> str:
    """The settings for a reader, those of a group under its heading."""
    if not rows:
        return "no setting was given"
    width = max(len(row.name) for row in rows)
    lines: list[str] = []
    group = ""
    for row in rows:
        if row.group != group:
            group = row.group
            lines += [*([""] if lines else []), group]
        value = _value(row.value)
        line = f"  {row.name:<{width}}  {value}"
        lines.append(f"{line:<{width + _WIDEST // 2 + 4}}  {row.origin}" if origin else line)
    return "\n".join(line.rstrip() for line in lines)


def _value(value: Any) -> str:
    from automl.reports import words

    if value is None or value == "" or value == [] or value == {}:
        return "-"
    if isinstance(value, dict):
        return words.one_line(", ".join(f"{k}={v}" for k, v in value.items()), _WIDEST)
    return words.one_line(words.param(value), _WIDEST)
