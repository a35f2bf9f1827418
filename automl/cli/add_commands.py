"""``automl add``: a trial of a person's own for a study, whoever drives it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from automl.cli.carried import carrying, studies_dir
from automl.cli.json_out import print_json
from automl.cli.read_commands import note
from automl.errors import FixInput

if TYPE_CHECKING:
    from automl.app.add import Added
    from automl.cli.usage import Parser
    from automl.study.layout import StudyPaths

    Commands = argparse._SubParsersAction[Parser]

__all__ = ["add", "add_add"]


def add_add(commands: "Commands") -> None:
    """Declares the command."""
    text = "put a trial of your own into a study, driven or not"
    command = commands.add_parser(
        "add",
        help=text,
        description=f"{text.capitalize()}.\n\nIt is trained next, beside what the search proposes "
        "and beyond --trials if need be.\nSettings that are not given are the default's, or those "
        "of --base.",
    )
    command.set_defaults(handler="automl.cli.add_commands:add")
    command.add_argument(
        "settings", nargs="+", metavar="KEY=VALUE", help="searched settings; a word without = is "
        "the study's name (default: the newest)",
    )  # fmt: skip
    command.add_argument(
        "--base",
        default="default",
        metavar="TRIAL",
        help="whose values the other settings have: default, best or a number",
    )
    command.add_argument("--study", dest="name", metavar="STUDY", help="the study, as a flag")
    command.add_argument(
        "--studies-dir", type=Path, metavar="DIR", help="folder of studies (default: studies)"
    )
    command.add_argument("--json", action="store_true", help="strict JSON on standard output")


def add(arguments: argparse.Namespace) -> int:
    """Puts a trial into the queue and says who takes it."""
    from automl.app.add import add_trial
    from automl.study.choice import find_study

    names = [word for word in arguments.settings if "=" not in word]
    settings = [word for word in arguments.settings if "=" in word]
    named = list(dict.fromkeys([*names, *([arguments.name] if arguments.name else [])]))
    if len(named) > 1:
        raise FixInput("a study must be named once", got=" and ".join(named))
    if not settings:
        raise FixInput(
            "a trial of your own needs a setting",
            got=named[0],
            fix="write KEY=VALUE; automl space shows what is searched",
        )
    paths = find_study(studies_dir(arguments), named[0] if named else None, tell=note)
    added = add_trial(paths, settings, arguments.base)
    if arguments.json:
        print_json("automl.add/1", {"study": paths.folder.name, **added.to_json()})
        return 0
    if added.outside:
        note(f"{added.outside}: it is trained all the same, and no sampler learns from it")
    if added.same_as is not None:
        note(f"trial {added.same_as} has the same settings; they are trained again")
    print(carrying(_text(paths, added), studies_dir(arguments)))
    return 0


def _text(paths: "StudyPaths", added: "Added") -> str:
    from automl.reports import words

    name = paths.folder.name
    others = len(added.params) - len(added.given)
    rest = f"  {words.count(others, 'other setting')} as in trial {added.base}" if others else ""
    pairs = "  ".join(f"{key}={words.param(value)}" for key, value in added.given.items())
    if added.driver:
        taken = f"{name} takes it as soon as a place is free ({added.driver})"
    else:
        taken = f"nobody drives {name}: automl resume {name} takes it"
    return f"queued     {pairs}{rest}\ntaken by   {taken}"
