"""``automl run``, ``plan`` and ``space``."""

import argparse
import json
import os
import sys
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from automl.cli.background import detach, is_detached
from automl.cli.carried import carrying, studies_dir
from automl.cli.database_flags import take_password
from automl.cli.json_out import print_json
from automl.cli.loudness import is_quiet
from automl.cli.paths import shown
from automl.cli.read_commands import note
from automl.cli.setting_flags import given
from automl.cli.terminal import beneath, screen_width, text_width
from automl.visible import visible

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from automl.app.plan import Plan
    from automl.app.request import PlanRequest
    from automl.app.screen import Ending, Screen
    from automl.cli.events import EventScreen
    from automl.cli.live import LiveScreen

__all__ = [
    "close",
    "notify_targets",
    "plan",
    "request_of",
    "run",
    "screen_of",
    "show_transfer",
    "space",
    "train_plan",
]


def show_transfer(done: int, total: int) -> None:
    """Shows on a terminal how far data is that comes from another machine."""
    if sys.stderr.isatty():
        end = "\n" if done >= total else ""
        bar = "#" * (30 * done // max(1, total))
        text = f"\r[{bar:<30}] {done / 1e6:,.0f} of {total / 1e6:,.0f} MB"
        print(text, end=end, file=beneath(sys.stderr), flush=True)


def _plan(arguments: argparse.Namespace) -> "Plan":
    from automl.app.plan import make_plan
    from automl.cli.waiting import quiet_on, waiting

    quiet = quiet_on(sys.stderr)

    def transfer(done: int, total: int) -> None:
        quiet.spoke()
        show_transfer(done, total)

    with waiting("skill and data are being read and checked", quiet):
        return make_plan(replace(request_of(arguments), transfer=transfer))


def request_of(arguments: argparse.Namespace) -> "PlanRequest":
    """The plan that the settings of a command line ask for."""
    from automl.app.request import PlanRequest

    command = take_password(arguments, sys.argv)
    return PlanRequest(
        flags=given(arguments),
        study_file=arguments.study_file,
        demo=arguments.demo,
        studies_dir=studies_dir(arguments),
        command=command,
        environment=os.environ,
        tell=note,
        transfer=show_transfer,
    )


def run(arguments: argparse.Namespace) -> int:
    """Searches, or trains once; ends with the report written and the winner named."""
    if arguments.detach and not is_detached():
        return detach(sys.argv[1:])
    return train_plan(_plan(arguments), arguments)


def train_plan(plan: "Plan", arguments: argparse.Namespace, *, reproduces: bool = False) -> int:
    """Carries a plan out with its notes and screen, or prints it where that alone is asked for."""
    from automl.app.forewarning import opening
    from automl.app.mirroring import mirrored
    from automl.app.notify import notified
    from automl.app.run import start
    from automl.app.startable import check_startable
    from automl.cli.plan_text import plan_json, plan_text

    as_json = bool(getattr(arguments, "json", False)) and not reproduces
    if arguments.dry_run:
        if as_json:
            _print_json(plan_json(plan, first=4))
        else:
            print(plan_text(plan, 4, screen_width()))
        check_startable(plan)
        return 0
    for line in (*opening(plan), *plan.notes):
        note(line)
    with screen_of(arguments) as screen:
        ending = notified(
            notify_targets(plan.notify),
            screen,
            lambda watched: mirrored(
                plan.config.mirrors, watched, lambda seen: start(plan, seen), note
            ),
            note,
        )
    return close(ending, as_json=as_json)


def notify_targets(given: tuple[str, ...]) -> tuple[str, ...]:
    """Who is told how a study goes: those of flags and study file, and ``AUTOML_NOTIFY``."""
    everywhere = os.environ.get("AUTOML_NOTIFY", "").strip()
    return (*given, everywhere) if everywhere else given


def screen_of(arguments: argparse.Namespace) -> "AbstractContextManager[Screen]":
    """Who watches a driven study: the screen that terminal and flags ask for."""
    from automl.app.screen import Silent
    from automl.cli.waiting import PatientScreen, quiet_on

    if is_quiet() and not is_detached():
        return nullcontext(Silent())
    return PatientScreen(_drawn(arguments), quiet_on(sys.stderr))


def _drawn(arguments: argparse.Namespace) -> "LiveScreen | EventScreen":
    from automl.cli.live import LiveScreen, wants_live

    if is_detached():
        from automl.cli.detached_screen import DetachedScreen

        return DetachedScreen()
    if wants_live(sys.stderr, os.environ, plain=arguments.plain):
        return LiveScreen()
    from automl.cli.events import EventScreen

    return EventScreen()


def close(ending: "Ending", *, as_json: bool) -> int:
    """Says how a driven study ended; returns the command's exit code."""
    from automl.errors import NoUsableTrial
    from automl.reports.summary import read_summary
    from automl.reports.text import run_footer

    if as_json:
        print_json("automl.run/1", _ending_json(ending))
    else:
        print(run_footer(read_summary(shown(ending.paths.folder)), text_width()))
    if ending.exit_code:
        error = "error: " if ending.exit_code == NoUsableTrial.exit_code else ""
        reason = carrying(ending.reason, ending.paths.folder.parent)
        print(f"{error}{visible(reason, keep='')}", file=sys.stderr)
    return ending.exit_code


def _ending_json(ending: "Ending") -> dict[str, Any]:
    from automl.reports.summary import read_summary

    value = read_summary(ending.paths.folder).to_json()
    parts = {name: value[name] for name in ("study", "folder", "fake", "status", "counts")}
    parts |= {name: value[name] for name in ("winner", "held_out", "cost")}
    return {"exit_code": ending.exit_code, "reason": ending.reason, **parts}


def plan(arguments: argparse.Namespace) -> int:
    """Shows what a run would do, and what would keep it from beginning; trains nothing."""
    from automl.app.startable import check_startable
    from automl.cli.plan_text import plan_json, plan_text

    made = _plan(arguments)
    if arguments.json:
        _print_json(plan_json(made, first=arguments.first))
    else:
        print(plan_text(made, arguments.first, screen_width()))
    check_startable(made)
    return 0


def space(arguments: argparse.Namespace) -> int:
    """Shows the search space, proposals drawn from it, a profile drafted from it, or a change."""
    from automl.app.space import diff_spaces, make_space

    if arguments.diff:
        old, new = arguments.diff
        print(diff_spaces(old, new, studies_dir(arguments)))
        return 0
    made = make_space(request_of(arguments), arguments.sample)
    if arguments.write_profile:
        return _write_profile(made.profile, arguments.write_profile)
    if arguments.json or arguments.format == "json":
        print_json("automl.space/1", made.to_json())
        return 0
    print(made.yaml if arguments.format == "yaml" else made.text)
    return 0


def _write_profile(text: str, target: str) -> int:
    if target == "-":
        print(text, end="")
        return 0
    from automl.app.space import save_profile

    print(f"wrote {shown(save_profile(text, target))}")
    return 0


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False))
