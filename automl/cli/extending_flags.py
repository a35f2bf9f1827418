"""Flags that give a study that was begun more: time, and fresh seeds."""

from automl.cli.usage import (
    Parser,
    amount,
    deadline,
    positive,
    ray_address,
    requirement,
    target,
    wall_seconds,
)
from automl.study.records import FailureClass

__all__ = [
    "ALL_FAILED",
    "add_budget",
    "add_confirm_top",
    "add_detach",
    "add_notify",
    "add_ray_address",
    "add_require",
    "add_retry",
    "add_study_store",
]

#: What stands for the failed trials of every class.
ALL_FAILED = "all"


def add_confirm_top(command: Parser) -> None:
    """How many trials race for being the winner."""
    command.add_argument(
        "--confirm-top",
        type=positive,
        metavar="K",
        help="before that the best K race for being the winner",
    )


def add_ray_address(command: Parser) -> None:
    """The cluster that the study goes on on."""
    command.add_argument(
        "--ray-address",
        type=ray_address,
        metavar="auto|HOST:PORT|local",
        help="go on on this Ray cluster, or on this machine alone",
    )


def add_study_store(command: Parser) -> None:
    """Where the study is brought from, if its folder is not on this machine."""
    command.add_argument(
        "--study-store",
        metavar="URL",
        help="bring the study from this store where its folder is not here",
    )


def add_budget(command: Parser) -> None:
    """What the whole study may spend, in place of what it was begun with."""
    for flag, name, kind, metavar, help_text in (
        ("--max-wall", "max_wall_s", wall_seconds, "TIME", "new time of the whole study"),
        ("--gpu-hours", "gpu_hours", amount, "H", "new GPU hours of the whole study"),
        ("--deadline", "deadline", deadline, "TIME", "when it is to have ended"),
    ):
        command.add_argument(flag, dest=name, type=kind, metavar=metavar, help=help_text)
    command.add_argument(
        "--stop", choices=("never", "auto"), help="whether it ends where further gain is unlikely"
    )


def add_retry(command: Parser) -> None:
    """Failed trials that are trained once more, and the plan alone."""
    command.add_argument(
        "--retry-failed",
        nargs="?",
        const=ALL_FAILED,
        choices=(ALL_FAILED, *map(str, FailureClass)),
        metavar="CLASS",
        help="train those that failed again, with the same settings; of one class: oom, data, ...",
    )
    command.add_argument("--dry-run", action="store_true", help="say what would be done, and stop")


def add_notify(command: Parser) -> None:
    """Who is told how the study goes; no study keeps that."""
    command.add_argument(
        "--notify",
        action="append",
        type=target,
        metavar="TARGET",
        help="told at the end, at a stop, at the first failure: an address or a command",
    )


def add_require(command: Parser) -> None:
    """What the study must have reached at its end."""
    command.add_argument(
        "--require",
        type=requirement,
        metavar="EXPR",
        help="what must hold at the end, else exit 6",
    )


def add_detach(command: Parser) -> None:
    """Whether it is driven in the background."""
    command.add_argument(
        "--detach", action="store_true", help="in the background, with a log in the study's folder"
    )
