"""Every command and flag, declared once; importing this imports little but argparse.

A flag that was not given is None, so that the study file and the defaults can speak. Each command
names its handler as ``module:function``; the module is imported when the command runs.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from automl import __version__
from automl.cli.action_flags import add_actions
from automl.cli.add_commands import add_add
from automl.cli.best_command import add_best_flags
from automl.cli.card_command import add_card
from automl.cli.clean_commands import add_clean
from automl.cli.compare_commands import add_compare
from automl.cli.completion_command import add_completion
from automl.cli.config_commands import add_config
from automl.cli.dashboard_command import add_dashboard
from automl.cli.data_flags import add_data, add_schema
from automl.cli.exit_codes import EXIT_CODES
from automl.cli.explain_commands import add_explain
from automl.cli.extending_flags import add_detach
from automl.cli.init_commands import add_init
from automl.cli.kuberay_commands import add_kuberay
from automl.cli.log_commands import add_logs
from automl.cli.mirror_command import add_mirror
from automl.cli.pose_commands import add_poses
from automl.cli.replay_commands import add_replay
from automl.cli.report_commands import add_report
from automl.cli.resume_commands import add_confirm, add_resume
from automl.cli.setting_flags import add_settings
from automl.cli.slurm_commands import add_slurm
from automl.cli.stop_commands import add_pause, add_stop
from automl.cli.tune_commands import add_tune_inference
from automl.cli.usage import Parser, count, take_usual
from automl.cli.watch_commands import add_watch
from automl.cli.weights_commands import add_weights

if TYPE_CHECKING:
    import argparse

    Commands = argparse._SubParsersAction[Parser]

__all__ = ["build_parser"]

_DESCRIPTION = """\
Find the training settings that give a 6-DoF pose model the highest val_3DIoU.

Reads a model skill (by default the CenterPose skill that ships with automl), turns its train
schema into a search space, and runs each trial as one training of one spec.
"""


def build_parser() -> Parser:
    """The whole command line."""
    parser = Parser(prog="automl", description=_DESCRIPTION, epilog=EXIT_CODES)
    parser.add_argument("--version", action="version", version=f"automl {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, title="commands")
    for add in _COMMANDS:
        add(commands)
    take_usual(parser)
    return parser


def _command(commands: "Commands", name: str, help_text: str) -> Parser:
    text = help_text[0].upper() + help_text[1:] + "."
    return commands.add_parser(name, help=help_text, description=text)


def _add_run(commands: "Commands") -> None:
    command = _command(commands, "run", "search (policy on) or train once (policy off)")
    command.epilog = EXIT_CODES
    command.set_defaults(handler="automl.cli.run_commands:run")
    _add_study_settings(command)
    add_detach(command)
    command.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    command.add_argument("--plain", action="store_true", help="event lines, even on a terminal")
    _add_json(command)


def _add_plan(commands: "Commands") -> None:
    command = _command(commands, "plan", "show what run would do, using no GPU")
    command.set_defaults(handler="automl.cli.run_commands:plan")
    _add_study_settings(command)
    command.add_argument("--first", type=count, default=4, metavar="N", help="specs to show")
    _add_json(command)


def _add_doctor(commands: "Commands") -> None:
    command = _command(commands, "doctor", "check machine and study before anything is spent")
    command.epilog = EXIT_CODES
    command.set_defaults(handler="automl.cli.doctor_commands:doctor")
    _add_study_settings(command, "STUDY.yaml|STUDY")
    command.add_argument("--study", metavar="FILE|STUDY", help="study file, or a study's name")
    command.add_argument("--deep", action="store_true", help="train one epoch too")
    command.add_argument(
        "--fix",
        action="store_true",
        help="put in order what is safe, each thing said before: folders that are missing or "
        "closed to their owner, locks of dead drivers, what they left running; asks, unless --yes",
    )
    _add_json(command)


def _add_space(commands: "Commands") -> None:
    command = _command(commands, "space", "show the search space and where each bound comes from")
    command.set_defaults(handler="automl.cli.run_commands:space")
    _add_study_settings(command)
    command.add_argument("--sample", type=count, default=0, metavar="N", help="proposals to draw")
    command.add_argument("--format", choices=("tree", "yaml", "json"), default="tree")
    command.add_argument(
        "--write-profile",
        metavar="FILE",
        help="draft a search profile from the space ('-' prints it)",
    )
    command.add_argument(
        "--diff",
        nargs=2,
        metavar=("A", "B"),
        help="what changed between two studies, skills or schemas",
    )
    _add_json(command)


def _add_skills(commands: "Commands") -> None:
    command = _command(commands, "skills", "list the model skills below a folder, broken ones too")
    command.set_defaults(handler="automl.cli.skill_commands:skills")
    command.add_argument(
        "folder", nargs="?", type=Path, default=Path(), metavar="DIR", help="default: this folder"
    )
    _add_json(command)


def _add_readers(commands: "Commands") -> None:
    for name, help_text in (
        ("status", "show where a study stands"),
        ("best", "show the winner, its gain over trial 0, and where its files are"),
    ):
        command = _command(commands, name, help_text)
        room = "best_command" if name == "best" else "read_commands"
        command.set_defaults(handler=f"automl.cli.{room}:{name}")
        _add_study_choice(command)
        if name == "best":
            add_best_flags(command)
        _add_json(command)
    command = add_report(commands)
    _add_study_choice(command)
    _add_json(command)
    command = _command(commands, "list", "list the studies of a folder, newest first")
    command.set_defaults(handler="automl.cli.read_commands:list_studies")
    _add_studies_dir(command)
    command.add_argument("--storage", metavar="URL", help="those of a shared database")
    _add_json(command)


def _add_json(command: Parser) -> None:
    command.add_argument("--json", action="store_true", help="strict JSON on standard output")


def _add_studies_dir(command: Parser) -> None:
    command.add_argument(
        "--studies-dir", type=Path, metavar="DIR", help="folder of studies (default: studies)"
    )


def _add_study_choice(command: Parser) -> None:
    command.add_argument("study", nargs="?", help="name of the study (default: the newest)")
    command.add_argument("--name", help="the same, as a flag")
    _add_studies_dir(command)


def _add_study_settings(command: Parser, metavar: str = "STUDY.yaml") -> None:
    command.add_argument("study_file", nargs="?", type=Path, metavar=metavar)
    command.add_argument("--demo", action="store_true", help="short for the packaged demo.yaml")
    _add_studies_dir(command)
    add_settings(command)


#: What declares the commands, in the order of ``--help``.
_COMMANDS: tuple[Callable[["Commands"], None], ...] = (
    add_init,
    _add_run,
    _add_plan,
    add_config,
    _add_space,
    _add_skills,
    add_resume,
    add_confirm,
    add_add,
    add_watch,
    add_slurm,
    add_kuberay,
    add_stop,
    add_pause,
    _add_readers,
    _add_doctor,
    add_poses,
    add_explain,
    add_logs,
    add_compare,
    add_card,
    add_dashboard,
    add_mirror,
    add_replay,
    add_clean,
    add_actions,
    add_tune_inference,
    add_weights,
    add_data,
    add_schema,
    add_completion,
)
