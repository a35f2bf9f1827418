"""``automl resume`` and ``confirm``: a study that was begun goes on."""

import argparse
import sys
from typing import TYPE_CHECKING

from automl.cli.background import detach, is_detached
from automl.cli.carried import studies_dir
from automl.cli.exit_codes import EXIT_CODES
from automl.cli.extending_flags import (
    ALL_FAILED,
    add_budget,
    add_confirm_top,
    add_detach,
    add_notify,
    add_ray_address,
    add_require,
    add_retry,
    add_study_store,
)
from automl.cli.json_out import print_json
from automl.cli.read_commands import note, study_named
from automl.cli.study_flags import add_study
from automl.cli.usage import Parser, count, seeds, some_seeds

if TYPE_CHECKING:
    from automl.app.going_on import GoingOn
    from automl.app.screen import Ending, Screen
    from automl.study.layout import StudyPaths

    Commands = argparse._SubParsersAction[Parser]

__all__ = ["add_confirm", "add_resume", "confirm", "resume"]

#: The limits of a study that may be changed when it goes on.
_EXTENDED = (
    *("trials", "confirm", "confirm_top", "max_wall_s", "gpu_hours", "deadline", "stop"),
    "require",
)


def add_resume(commands: "Commands") -> None:
    """Declares the command."""
    text = "go on with a study that was interrupted"
    command = commands.add_parser("resume", help=text, description=f"{text.capitalize()}.")
    command.epilog = EXIT_CODES
    command.set_defaults(handler="automl.cli.resume_commands:resume")
    add_study(command, "--name")
    command.add_argument("--trials", type=count, metavar="N", help="new total number of trials")
    command.add_argument(
        "--confirm",
        type=seeds,
        metavar="N|auto",
        help="then winner and default again, N fresh seeds each; auto: until it is clear",
    )
    add_confirm_top(command)
    add_budget(command)
    add_ray_address(command)
    add_require(command)
    add_notify(command)
    add_retry(command)
    add_study_store(command)
    command.add_argument(
        "--accept-drift",
        action="store_true",
        help="keep the study's space although its skill gives another one now; go on with "
        "data that was changed",
    )
    command.add_argument(
        "--accept-image",
        action="store_true",
        help="go on although the image's name stands for another image now",
    )
    command.add_argument("--plain", action="store_true", help="event lines, even on a terminal")
    command.add_argument("--json", action="store_true", help="strict JSON on standard output")
    add_detach(command)


def add_confirm(commands: "Commands") -> None:
    """Declares the command."""
    text = "train the winner and the default of a study again, with fresh seeds"
    command = commands.add_parser("confirm", help=text, description=f"{text.capitalize()}.")
    command.epilog = EXIT_CODES
    command.set_defaults(
        handler="automl.cli.resume_commands:confirm",
        trials=None,
        detach=False,
        retry_failed=None,
        dry_run=False,
        accept_drift=False,
        accept_image=False,
        ray_address=None,
        study_store=None,
    )
    add_study(command, "--name")
    command.add_argument(
        "--seeds",
        type=some_seeds,
        default=3,
        metavar="N|auto",
        dest="confirm",
        help="trainings of each (default: 3); auto: until it is clear which is better",
    )
    add_budget(command)
    add_confirm_top(command)
    add_require(command)
    add_notify(command)
    command.add_argument("--plain", action="store_true", help="event lines, even on a terminal")
    command.add_argument("--json", action="store_true", help="strict JSON on standard output")


def resume(arguments: argparse.Namespace) -> int:
    """Recovers what a driver left behind, then goes on to the study's limits."""
    from automl.app.mirroring import mirrored
    from automl.app.notify import notified
    from automl.app.run import go_on
    from automl.cli.run_commands import close, notify_targets, screen_of
    from automl.study.choice import Wanted, find_study
    from automl.study.folder import read_config

    if arguments.detach and not is_detached():
        return detach(sys.argv[1:])
    if getattr(arguments, "study_store", None):
        _bring(arguments)
    asked = _going_on(arguments)
    extends = asked.retry is not None or any(
        getattr(arguments, name) is not None for name in _EXTENDED
    )
    wanted = Wanted.READ if extends else Wanted.RESUME
    paths = find_study(studies_dir(arguments), study_named(arguments), wanted, note)
    if arguments.dry_run:
        return _show_resume(paths, asked, as_json=arguments.json)

    def go_on_seen(seen: "Screen") -> "Ending":
        return go_on(paths, seen, asked)

    def drive(watched: "Screen") -> "Ending":
        return mirrored(read_config(paths).mirrors, watched, go_on_seen, note)

    with screen_of(arguments) as screen:
        ending = notified(notify_targets(tuple(arguments.notify or ())), screen, drive, note)
    return close(ending, as_json=arguments.json)


def _going_on(arguments: argparse.Namespace) -> "GoingOn":
    from automl.app.going_on import GoingOn
    from automl.search.retrying import Retry
    from automl.study.records import FailureClass

    limits = {name: getattr(arguments, name) for name in (*_EXTENDED, "ray_address")}
    word, retry = arguments.retry_failed, None
    if word is not None:
        retry = Retry(None if word == ALL_FAILED else FailureClass(word))
    return GoingOn(limits, arguments.accept_drift, arguments.accept_image, retry)


def _show_resume(paths: "StudyPaths", asked: "GoingOn", *, as_json: bool) -> int:
    from automl.app.resume_plan import plan_resume

    made = plan_resume(paths, asked)
    if as_json:
        print_json("automl.resume/1", made.to_json())
    else:
        print("\n".join((f"study {made.study}", *made.lines())))
    return 0


def _bring(arguments: argparse.Namespace) -> None:
    from automl.app.from_store import bring_study
    from automl.errors import FixInput

    name = study_named(arguments)
    if name is None:
        raise FixInput("--study-store needs the name of the study", fix="automl resume NAME")
    brought = bring_study(arguments.study_store, name, studies_dir(arguments))
    if brought:
        note(brought)


def confirm(arguments: argparse.Namespace) -> int:
    """Adds a confirmation to a study; trials that it still lacks are run first."""
    return resume(arguments)
