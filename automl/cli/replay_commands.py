"""``automl replay``: what another method would have cost on trainings that have taken place."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from automl.cli.paths import shown
from automl.cli.read_commands import of_study
from automl.cli.usage import positive
from automl.errors import FixInput

if TYPE_CHECKING:
    from automl.app.replay import Replay
    from automl.app.replay_source import ReplaySource
    from automl.cli.usage import Parser
    from automl.skill.model import Skill
    from automl.study.config import Objective

    Commands = argparse._SubParsersAction[Parser]

__all__ = ["add_replay", "replay"]

_CURVES = ".jsonl"


def add_replay(commands: "Commands") -> None:
    """Declares the command."""
    command = commands.add_parser(
        "replay",
        help="simulate another method on the trainings of a study, in seconds",
        description="Simulate another method on the trainings of a study, in seconds.",
    )
    command.set_defaults(handler="automl.cli.replay_commands:replay")
    command.add_argument(
        "study",
        nargs="?",
        metavar="STUDY|FILE",
        help="name of the study (default: the newest), or a *.jsonl of recorded trainings",
    )
    command.add_argument("--name", help="the study, as a flag")
    command.add_argument("--studies-dir", type=Path, metavar="DIR", help="folder of studies")
    for flag, what in (("sampler", "who proposes"), ("fidelity", "how far trials are trained"),
                       ("pruner", "who stops a trial early")):  # fmt: skip
        command.add_argument(f"--{flag}", metavar="NAME", help=f"{what} (default: as it was)")
    command.add_argument("--trials", type=positive, metavar="N", help="trials in total")
    command.add_argument("--places", type=positive, metavar="K", help="trials at the same time")
    command.add_argument(
        "--seeds", type=positive, default=5, metavar="N", help="simulations (default: 5)"
    )
    command.add_argument(
        "--resume-cost",
        type=_seconds,
        metavar="S",
        help="seconds that going on from a checkpoint takes (default: as a start did)",
    )
    command.add_argument("--metric", help="of a file: what is searched for (default: val_3DIoU)")
    command.add_argument(
        "--direction", choices=("maximize", "minimize"), help="of a file: which way is better"
    )
    command.add_argument("--json", action="store_true", help="strict JSON on standard output")


def _seconds(text: str) -> float:
    """The type of an argument that is a time: a number from 0."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0.0 <= number < 1e9:
        raise argparse.ArgumentTypeError(f"must be a number of seconds from 0, but got {text!r}")
    return number


def replay(arguments: argparse.Namespace) -> int:
    """Simulates, and says what it would have cost."""
    from automl.app.replay import ReplayAsked
    from automl.app.replay import replay as simulated

    asked = ReplayAsked(
        arguments.sampler,
        arguments.fidelity,
        arguments.pruner,
        arguments.trials,
        arguments.places,
        arguments.seeds,
        arguments.resume_cost,
    )
    done = simulated(_source(arguments), asked)
    if arguments.json:
        json.dump(done.to_json(), sys.stdout, indent=2, allow_nan=False, ensure_ascii=False)
        print()
    else:
        print(_text(done))
    return 0


def _source(arguments: argparse.Namespace) -> "ReplaySource":
    from automl.app.replay_source import source_of_file, source_of_study
    from automl.reports.summary import read_summary
    from automl.skill.read import own_skill_dir, read_profile_of, read_skill

    named = arguments.study or ""
    if named.endswith(_CURVES):
        skill = read_skill(own_skill_dir())
        objective = _objective(arguments, skill)
        return source_of_file(Path(named), objective, read_profile_of(skill).signals)
    if arguments.metric or arguments.direction:
        flag = "--metric" if arguments.metric else "--direction"
        raise FixInput(
            f"{flag} must go with a file of recorded trainings (*{_CURVES})",
            got=f"the study {named}" if named else "a study",
            where=flag,
            fix="leave it out: a study has an objective of its own",
        )
    return source_of_study(of_study(arguments, lambda folder: read_summary(shown(folder))))


def _objective(arguments: argparse.Namespace, skill: "Skill") -> "Objective":
    """The metric that was named, else this package's own."""
    from automl.study.config import Direction, Objective

    metric = arguments.metric or skill.metric
    is_skills = metric == skill.metric
    direction = arguments.direction or (skill.direction if is_skills else None)
    if direction is None:
        raise FixInput(
            f"it must be said which way {metric} is better",
            where="--direction",
            fix="give --direction maximize or minimize",
        )
    return Objective(metric, Direction(direction), skill.metric_worst if is_skills else None)


def _text(done: "Replay") -> str:
    from automl.cli.replay_text import replay_text

    return replay_text(done)
