"""``automl watch``: a study as it goes, from any process, driven or not."""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from automl.cli.carried import studies_dir
from automl.cli.read_commands import note, study_named

if TYPE_CHECKING:
    from automl.cli.followed import FollowedStudy
    from automl.cli.progress import Snapshot
    from automl.cli.usage import Parser

    Commands = argparse._SubParsersAction[Parser]

__all__ = ["add_watch", "print_lines", "watch"]

_LOOK_S = 1.0
_PLAIN_WIDTH = 140


def add_watch(commands: "Commands") -> None:
    """Declares the command."""
    text = "show a study as it goes, from any terminal, with keys to stop it"
    command = commands.add_parser("watch", help=text, description=f"{text.capitalize()}.")
    command.epilog = "keys: q detach, l log of a trial, s stop after running, k stop now, ? keys"
    command.set_defaults(handler="automl.cli.watch_commands:watch")
    command.add_argument("study", nargs="?", help="name of the study (default: the running one)")
    command.add_argument("--name", help="the same, as a flag")
    command.add_argument("--studies-dir", type=Path, metavar="DIR", help="folder of studies")
    command.add_argument("--plain", action="store_true", help="lines, even on a terminal")


def watch(arguments: argparse.Namespace) -> int:
    """Shows the study until it is no longer driven, or somebody leaves."""
    from automl.cli.followed import FollowedStudy
    from automl.cli.live import wants_live
    from automl.study.choice import find_study

    paths = find_study(studies_dir(arguments), study_named(arguments), tell=note)
    study = FollowedStudy(paths)
    live = wants_live(sys.stdout, os.environ, plain=arguments.plain) and sys.stdin.isatty()
    try:
        has_ended = _draw(study) if live else print_lines(study)
    except KeyboardInterrupt as error:
        from automl.signals import EndedBySignal

        if isinstance(error, EndedBySignal):
            raise
        has_ended = False
    if not has_ended:
        name = paths.folder.name
        print(f"{name} goes on; automl watch {name} shows it again, automl stop {name} ends it")
    return 0


def _draw(study: "FollowedStudy") -> bool:
    from rich.console import Console

    from automl.cli.keyboard import keyboard
    from automl.cli.terminal import beneath
    from automl.cli.watch_screen import WatchScreen

    console = Console(file=beneath(sys.stdout), markup=False, highlight=False, emoji=False)
    with keyboard() as key:
        return WatchScreen(study, console, key).show()


def print_lines(study: "FollowedStudy", look_s: float = _LOOK_S) -> bool:
    """The picture at the beginning and at the end, and a line a change in between.

    Args:
        study: The study.
        look_s: Seconds between two looks.
    """
    from automl.cli.events import heartbeat_line
    from automl.cli.quiet import Quiet
    from automl.study.clock import utc_now

    snapshot = study.snapshot()
    print(_picture(snapshot))
    quiet, told = Quiet(), _told(snapshot)
    while snapshot.is_driven:
        time.sleep(look_s)
        snapshot = study.snapshot()
        is_new = _told(snapshot) != told
        if is_new:
            quiet.spoke()
            told = _told(snapshot)
        if is_new or quiet.is_due():
            print(f"{utc_now():%Y-%m-%dT%H:%M:%SZ} {heartbeat_line(snapshot)}", flush=True)
        if not snapshot.is_driven:
            print(_picture(snapshot))
    return True


def _told(snapshot: "Snapshot") -> tuple[object, ...]:
    """What makes a new line where it is no longer what it was."""
    epochs = tuple((live.number, live.epoch) for live in snapshot.running)
    return (snapshot.counts, snapshot.ended, epochs, snapshot.notes, snapshot.is_driven)


def _picture(snapshot: "Snapshot") -> str:
    """The table as plain text."""
    import io

    from rich.console import Console

    from automl.cli.picture import render

    stream = io.StringIO()
    console = Console(file=stream, width=_PLAIN_WIDTH, markup=False, highlight=False, emoji=False)
    console.print(render(snapshot, _PLAIN_WIDTH, ""))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())
