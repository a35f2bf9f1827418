"""``automl explain``: why a trial failed, or what a class of failure is."""

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from automl.cli.carried import carrying, studies_dir
from automl.cli.paths import shown
from automl.cli.read_commands import of_study, study_named
from automl.cli.study_flags import add_study
from automl.errors import FixInput

if TYPE_CHECKING:
    from automl.app.explain import ClassAccount, TrialAccount
    from automl.cli.usage import Parser
    from automl.reports.model import Summary

    Commands = argparse._SubParsersAction[Parser]

__all__ = ["add_explain", "class_text", "explain", "trial_text"]

_LABEL, _WIDTH = 11, 100


def add_explain(commands: "Commands") -> None:
    """Declares the command."""
    command = commands.add_parser(
        "explain",
        help="say why a trial failed and what to do about it",
        description="Say why a trial failed and what to do about it.",
    )
    command.set_defaults(handler="automl.cli.explain_commands:explain")
    command.add_argument(
        "what", metavar="TRIAL|CLASS", help="a number, best, baseline, last; or a class: oom, ..."
    )
    add_study(command)
    command.add_argument("--json", action="store_true", help="strict JSON on standard output")


def explain(arguments: argparse.Namespace) -> int:
    """Explains a trial of a study, or a class of failures, for which no study is needed."""
    from automl.app.explain import explain_class, explain_trial, trial_number
    from automl.study.records import FailureClass

    word = str(arguments.what)
    if word in tuple(FailureClass):
        account = explain_class(FailureClass(word), _summary_if_any(arguments))
        _say(arguments, {"class": account.to_json()}, class_text(account))
        return 0
    summary = _summary(arguments)
    trial = explain_trial(summary, trial_number(word, summary))
    folder = summary.folder.absolute()
    value = {"study": summary.name, "folder": str(folder), "trial": trial.to_json()}
    _say(arguments, value, f"study      {summary.folder}\n{trial_text(trial)}")
    return 0


def _summary(arguments: argparse.Namespace) -> "Summary":
    from automl.reports.summary import read_summary

    return of_study(arguments, lambda folder: read_summary(shown(folder)))


def _summary_if_any(arguments: argparse.Namespace) -> "Summary | None":
    """The study that was named, or the newest; None where there is none and none was named."""
    if study_named(arguments):
        return _summary(arguments)
    try:
        return _summary(arguments)
    except FixInput:
        return None


def _say(arguments: argparse.Namespace, value: dict[str, Any], text: str) -> None:
    if arguments.json:
        plain = {"schema": "automl.explain/1", **value}
        json.dump(plain, sys.stdout, indent=2, allow_nan=False, ensure_ascii=False)
        print()
        return
    print(carrying(text, studies_dir(arguments)))


def class_text(account: "ClassAccount") -> str:
    """A class of failures for a reader."""
    lines = [f"class {account.failure}: {account.told}", *_row("hint", account.hint)]
    for error in account.known:
        lines += ["", error.name, *_row("cause", error.cause), *_row("fix", error.fix)]
    if account.trials:
        lines += ["", "trials that it ended"]
        lines += [line for n, text in account.trials.items() for line in _row(f"  {n}", text)]
    return "\n".join(lines)


def trial_text(account: "TrialAccount") -> str:
    """How one trial ended, for a reader."""
    from automl.reports.calling import wrapped

    failure = f", class {account.failure}" if account.failure else ""
    known = f" ({account.known})" if account.known else ""
    lines = [f"trial {account.number}: {account.state}{failure}{known}"]
    for label in ("score", "evidence", "cause", "hint", "told"):
        lines += _row(label, str(getattr(account, label)))
    lines += _difference(account)
    for label, command in (("retry", account.retry), ("again", account.reproduce)):
        rows = wrapped(command, _WIDTH - _LABEL) if command else []
        lines += [row for i, text in enumerate(rows) for row in _row("" if i else label, text)]
    if account.tail:
        lines += ["", f"last {len(account.tail)} lines of {account.log}"]
        lines += [f"  {line}" for line in account.tail]
    return "\n".join(lines)


def _difference(account: "TrialAccount") -> Iterator[str]:
    from automl.reports import words

    if account.nearest is None:
        yield from _row("differs", "no other trial is usable, so there is none to compare with")
        return
    if not account.changes:
        yield from _row("differs", f"in nothing from trial {account.nearest}, which is usable")
        return
    yield from _row("differs", f"from trial {account.nearest}, the nearest usable one, in")
    width = max(len(change.key) for change in account.changes)
    for change in account.changes:
        pair = f"{words.param(change.base)} -> {words.param(change.value)}"
        yield from _row("", f"{change.key:<{width}}  {pair}")


def _row(label: str, text: str) -> list[str]:
    return [f"{label:<{_LABEL}}{text}"] if text else []
