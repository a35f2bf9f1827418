"""Every command and flag, declared once; importing this imports little but argparse.

A flag that was not given is None, so that the study file and the defaults can speak. Each command
names its handler as ``module:function``; the module is imported when the command runs.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from automl import __version__
from automl.cli.action_flags import add_actions
from automl.cli.clean_commands import add_clean
from automl.cli.container_flags import add_container_flags
from automl.cli.explain_commands import add_explain
from automl.cli.usage import Parser, count

if TYPE_CHECKING:
    import argparse

    Commands = argparse._SubParsersAction[Parser]
    Group = argparse._ArgumentGroup

__all__ = ["EXIT_CODES", "build_parser"]

EXIT_CODES = """\
exit codes:
  0    finished with a usable trial (policy off: the training succeeded)
  1    an error inside automl itself
  2    a flag, study file, spec, skill or data set breaks a rule
  3    the machine lacks something the study needs
  4    finished, but no trial is usable (policy off: the training failed)
  5    stopped itself: one cause ended trial after trial
  7    the study is in use, or is not what it was
  75   stopped early, can be resumed
  130  stopped by Ctrl-C, can be resumed (143: by SIGTERM)
"""

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
    _add_run(commands)
    _add_plan(commands)
    _add_space(commands)
    _add_skills(commands)
    _add_resume(commands)
    _add_readers(commands)
    _add_doctor(commands)
    add_explain(commands)
    add_clean(commands)
    add_actions(commands)
    _add_data(commands)
    _add_schema(commands)
    return parser


def _command(commands: "Commands", name: str, help_text: str) -> Parser:
    return commands.add_parser(
        name, help=help_text, description=help_text[0].upper() + help_text[1:] + "."
    )


def _add_run(commands: "Commands") -> None:
    command = _command(commands, "run", "search (policy on) or train once (policy off)")
    command.epilog = EXIT_CODES
    command.set_defaults(handler="automl.cli.run_commands:run")
    _add_study_settings(command)
    command.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    command.add_argument("--plain", action="store_true", help="event lines, even on a terminal")


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
    _add_study_settings(command)
    command.add_argument("--study", metavar="FILE|STUDY", help="study file, or a study's name")
    command.add_argument("--deep", action="store_true", help="train one epoch too")
    _add_json(command)


def _add_space(commands: "Commands") -> None:
    command = _command(commands, "space", "show the search space and where each bound comes from")
    command.set_defaults(handler="automl.cli.run_commands:space")
    _add_study_settings(command)
    command.add_argument("--sample", type=count, default=0, metavar="N", help="proposals to draw")
    command.add_argument("--format", choices=("tree", "json"), default="tree")
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


def _add_resume(commands: "Commands") -> None:
    command = _command(commands, "resume", "go on with a study that was interrupted")
    command.epilog = EXIT_CODES
    command.set_defaults(handler="automl.cli.run_commands:resume")
    _add_study_choice(command)
    command.add_argument("--trials", type=count, metavar="N", help="new total number of trials")
    command.add_argument(
        "--confirm", type=count, metavar="N", help="then winner and default again, N seeds each"
    )
    command.add_argument(
        "--accept-drift",
        action="store_true",
        help="keep the study's space although its skill gives another one now",
    )
    command.add_argument(
        "--accept-image",
        action="store_true",
        help="go on although the image's name stands for another image now",
    )
    command.add_argument("--plain", action="store_true", help="event lines, even on a terminal")


def _add_readers(commands: "Commands") -> None:
    for name, help_text in (
        ("status", "show where a study stands"),
        ("best", "show the winner, its gain over trial 0, and where its files are"),
        ("report", "write a study's report: html, markdown, csv, parquet, json"),
    ):
        command = _command(commands, name, help_text)
        command.set_defaults(handler=f"automl.cli.read_commands:{name}")
        _add_study_choice(command)
        _add_json(command)
    command = _command(commands, "list", "list the studies of a folder, newest first")
    command.set_defaults(handler="automl.cli.read_commands:list_studies")
    _add_studies_dir(command)
    _add_json(command)


def _add_data(commands: "Commands") -> None:
    group = _command(commands, "data", "make and check data sets")
    verbs = group.add_subparsers(metavar="VERB", required=True, title="verbs")
    synth = _command(verbs, "synth", "render a synthetic data set in the Objectron layout")
    synth.set_defaults(handler="automl.cli.data_commands:synth")
    synth.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to make")
    synth.add_argument("--category", default="cereal_box", help="class name of the objects")
    for split, images in (("train", 256), ("val", 64), ("test", 64)):
        synth.add_argument(f"--{split}", type=count, default=images, metavar="N", help="images")
    synth.add_argument("--seed", type=count, default=0, help="same seed, same bytes")
    synth.add_argument("--difficulty", choices=("easy", "moderate"), default="easy")
    synth.add_argument("--image-format", choices=("jpg", "png"), default="jpg")
    synth.add_argument("--yes", action="store_true", help="never ask")
    check = _command(verbs, "check", "check the layout of a data set folder or tarball")
    check.set_defaults(handler="automl.cli.data_commands:check")
    check.add_argument("source", help="folder or tarball of one split")
    check.add_argument("--category", default="", help="class name that must be present")
    _add_json(check)


def _add_schema(commands: "Commands") -> None:
    group = _command(commands, "schema", "maintain the CenterPose skill's generated files")
    verbs = group.add_subparsers(metavar="VERB", required=True, title="verbs")
    generate = _command(verbs, "generate", "write schemas and templates from the typed settings")
    generate.set_defaults(handler="automl.cli.data_commands:generate_schema")
    generate.add_argument("--out", type=Path, metavar="DIR", help="skill folder to write")
    generate.add_argument("--check", action="store_true", help="only compare; differences exit 2")


def _add_json(command: Parser) -> None:
    command.add_argument("--json", action="store_true", help="strict JSON on standard output")


def _add_studies_dir(command: Parser) -> None:
    command.add_argument(
        "--studies-dir", type=Path, metavar="DIR", help="folder of studies (default: studies)"
    )
    command.add_argument("--yes", action="store_true", help="never ask")


def _add_study_choice(command: Parser) -> None:
    command.add_argument("study", nargs="?", help="name of the study (default: the newest)")
    command.add_argument("--name", help="the same, as a flag")
    _add_studies_dir(command)


def _add_study_settings(command: Parser) -> None:
    command.add_argument("study_file", nargs="?", type=Path, metavar="STUDY.yaml")
    command.add_argument("--demo", action="store_true", help="short for the packaged demo.yaml")
    command.add_argument("--name", help="name of the study (default: readable and unique)")
    _add_studies_dir(command)
    _add_policy_flags(command.add_argument_group("policy"))
    _add_data_flags(command.add_argument_group("data"))
    _add_spec_flags(command.add_argument_group("spec"))
    _add_search_flags(command.add_argument_group("search"))
    _add_machine_flags(command.add_argument_group("machine"))
    add_container_flags(command.add_argument_group("container"))


def _add_policy_flags(group: "Group") -> None:
    group.add_argument("--policy", metavar="on|off", help="on: search; off: one plain training")
    group.add_argument("--request", metavar="TEXT", help='own words, such as "no HPO, just train"')
    group.add_argument("--skill-dir", metavar="DIR", help="model skill (default: CenterPose)")


def _add_data_flags(group: "Group") -> None:
    for split in ("train", "val", "test", "inference"):
        group.add_argument(
            f"--{split}-data", metavar="PATH", help=f"{split} split: a folder or a tarball"
        )


def _add_spec_flags(group: "Group") -> None:
    group.add_argument("--spec", metavar="FILE", help="complete spec to start from")
    group.add_argument(
        "--set", action="append", metavar="KEY=VALUE", help="set a spec key; repeatable"
    )
    group.add_argument("--parent-checkpoint", metavar="FILE", help="weights to start from")


def _add_search_flags(group: "Group") -> None:
    group.add_argument(
        "--space", metavar="SPACE", help="default, profile, all, or the file of a profile"
    )
    group.add_argument(
        "--search",
        action="append",
        metavar="KEY=RANGE",
        help="search a key: LOW..HIGH, LOW..HIGH:log or a,b,c; repeatable",
    )
    group.add_argument(
        "--freeze",
        action="append",
        metavar="KEY[=VALUE]",
        help="do not search a key; repeatable",
    )
    group.add_argument("--metric", help="metric to improve (default: the skill's)")
    group.add_argument("--direction", metavar="maximize|minimize", help="which way is better")
    group.add_argument("--sampler", metavar="tpe|random", help="who proposes (default: tpe)")
    group.add_argument("--pruner", metavar="none|median", help="who stops a trial early")
    group.add_argument(
        "--seed", metavar="N", help="seed of the sampler and of fresh seeds (default: 0)"
    )
    group.add_argument("--trials", metavar="N", help="trials in total (default: 20)")
    group.add_argument("--startup-trials", metavar="N", help="random trials before learning")
    group.add_argument(
        "--confirm", metavar="N", help="then winner and default again, N seeds each"
    )
    group.add_argument("--trial-timeout", metavar="TIME", help="90s, 10m, 2h: then it is hung")
    group.add_argument("--same-failures", metavar="N", help="in a row, then stop (default: 3)")


def _add_machine_flags(group: "Group") -> None:
    group.add_argument("--max-concurrent", metavar="N", help="trials at the same time")
    group.add_argument("--gpus-per-trial", metavar="N", help="default: train.num_gpus, or 0")
    group.add_argument("--trials-per-gpu", metavar="N", help="that share one (default: 1)")
    group.add_argument("--gpus", metavar="0,1", help="indices or UUIDs of the GPUs (default: all)")
    group.add_argument("--keep", metavar="best|all", help="checkpoints that outlive a trial")
    group.add_argument("--trainer", metavar="process|docker|scripted", help="default: process")
    group.add_argument(
        "--trainer-start",
        metavar="warm|cold",
        help="whether a process of the trainer takes trial after trial (default: warm)",
    )
