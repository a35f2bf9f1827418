"""The flags of the actions on a checkpoint and of training again."""

from pathlib import Path
from typing import TYPE_CHECKING

from automl.cli.known_size_flags import add_known_size
from automl.cli.usage import count
from automl.trainers.table import TRAINERS

if TYPE_CHECKING:
    import argparse

    from automl.cli.usage import Parser

    Commands = argparse._SubParsersAction[Parser]

__all__ = ["add_actions"]

_EXIT_CODES = """\
exit codes:
  0    the action did what it was asked
  2    a flag, checkpoint, setting or data set breaks a rule
  3    the machine lacks something the action needs
  4    the action failed; its own exit code, evidence and log are named
  7    the checkpoint is not the one that its trial has recorded
"""
_EXIT_OF_VERIFY = """\
  6    exported, and --verify found poses that differ from the checkpoint's
"""
_REPRODUCE_EXIT_CODES = """\
exit codes:
  0    every metric is the same to the last digit
  2    there is no such trial, or its data is gone
  3    the machine lacks something the training needs
  4    the training failed
  6    trained again, and a metric differs
"""

#: What can run an action.
_TRAINERS = "|".join(name for name, entry in TRAINERS.items() if not entry.trains_only)
_ACTIONS = (
    ("evaluate", "score a checkpoint on the test data"),
    ("inference", "predict on images with a checkpoint"),
    ("export", "write a checkpoint as an ONNX file"),
    ("gen-trt-engine", "build a TensorRT engine in the deploy container"),
)


def add_actions(commands: "Commands") -> None:
    """Declares evaluate, inference, export, gen-trt-engine, retrain and reproduce."""
    for name, help_text in _ACTIONS:
        command = _command(commands, name, help_text)
        command.epilog = _EXIT_CODES + (_EXIT_OF_VERIFY if name == "export" else "")
        command.set_defaults(handler="automl.cli.action_commands:act", action=name)
        _add_source(command)
        _add_spec(command)
        if name in ("evaluate", "inference"):
            command.add_argument(
                "--deploy",
                action="store_true",
                help="the deploy form: an engine in the container, or the ONNX file by a process",
            )
        if name in ("evaluate", "inference", "export"):
            command.add_argument(
                "--tuned",
                type=Path,
                metavar="FILE",
                help="settings of decoding that automl tune-inference found",
            )
        if name == "inference":
            add_known_size(command)
        if name == "export":
            _add_verify(command)
        _add_data(command, name)
        _add_running(command)
    _add_retrain(commands)
    _add_reproduce(commands)


def _command(commands: "Commands", name: str, help_text: str) -> "Parser":
    return commands.add_parser(
        name, help=help_text, description=help_text[0].upper() + help_text[1:] + "."
    )


def _add_study(command: "Parser") -> None:
    command.add_argument(
        "study", nargs="?", metavar="STUDY", help="name or folder (default: the newest)"
    )
    command.add_argument("--study", dest="study_flag", metavar="STUDY", help="the same, as a flag")
    command.add_argument(
        "--studies-dir", type=Path, metavar="DIR", help="folder of studies (default: studies)"
    )


def _add_trial(command: "Parser") -> None:
    command.add_argument(
        "--trial", default="best", metavar="N", help="best (default), baseline, last or a number"
    )


def _add_source(command: "Parser") -> None:
    group = command.add_argument_group("checkpoint")
    _add_study(group)  # type: ignore[arg-type]  # groups and parsers declare alike
    _add_trial(group)  # type: ignore[arg-type]
    group.add_argument(
        "--checkpoint",
        default="best",
        metavar="WHICH",
        help="best (default), last, latest, an epoch, a name; or a file of its own",
    )


def _add_spec(command: "Parser") -> None:
    group = command.add_argument_group("spec")
    group.add_argument(
        "--set", action="append", metavar="KEY=VALUE", help="set a spec key; repeatable"
    )
    group.add_argument(
        "--spec",
        type=Path,
        metavar="FILE",
        help="what a checkpoint from elsewhere was trained with",
    )
    group.add_argument("--skill-dir", type=Path, metavar="DIR", help="default: the study's")


def _add_verify(command: "Parser") -> None:
    group = command.add_argument_group("verify")
    group.add_argument(
        "--verify",
        action="store_true",
        help="compare poses of the ONNX file, and of an engine of it, with the checkpoint's on "
        "validation images",
    )
    group.add_argument(
        "--verify-images", type=count, metavar="N", help="so many images (default: all)"
    )
    group.add_argument(
        "--verify-engine",
        type=Path,
        metavar="FILE",
        help="engine to compare (default: the study's newest of this checkpoint)",
    )
    group.add_argument(
        "--verify-tolerance",
        metavar="PX,DEGREES,PERCENT",
        help="what is rounding: of a corner, the rotation and the distance (default: 0.5,0.5,0.5)",
    )
    group.add_argument(
        "--val-data", metavar="PATH", help="validation images (default: the study's)"
    )


def _add_data(command: "Parser", name: str) -> None:
    command.add_argument(
        "--data",
        action="append",
        metavar="KEY=PATH",
        help="an input of the skill's action, by its key; repeatable",
    )
    split = {"evaluate": "test", "inference": "inference", "gen-trt-engine": "train"}.get(name)
    if split is not None:
        command.add_argument(
            f"--{split}-data",
            metavar="PATH",
            help=f"{split} split: a folder or a tarball (default: the study's)",
        )


def _add_running(command: "Parser") -> None:
    group = command.add_argument_group("machine")
    group.add_argument("--trainer", metavar=_TRAINERS, help="default: the study's")
    group.add_argument("--image", metavar="IMAGE", help="container image (docker alone)")
    group.add_argument("--gpus", metavar="0,1", help="ids of the GPUs to use")
    group.add_argument(
        "--results", type=Path, metavar="DIR", help="default: in the study's folder"
    )
    command.add_argument(
        "--dry-run", action="store_true", help="print the command and the spec, and stop"
    )
    command.add_argument("--json", action="store_true", help="strict JSON on standard output")


def _add_retrain(commands: "Commands") -> None:
    command = _command(commands, "retrain", "train the winner of a study again, for longer")
    command.set_defaults(handler="automl.cli.action_commands:retrain")
    _add_study(command)
    _add_trial(command)
    command.add_argument(
        "--epochs", type=count, required=True, metavar="N", help="epochs to train"
    )
    command.add_argument(
        "--from-checkpoint",
        nargs="?",
        const="newest",
        metavar="WHICH",
        help="go on from the trial's checkpoint (best, last, an epoch; default: the newest) "
        "instead of starting afresh; epochs count from its start",
    )
    _add_new_study(command)
    command.add_argument("--json", action="store_true", help="strict JSON on standard output")
    command.add_argument(
        "--set", action="append", metavar="KEY=VALUE", help="set a spec key; repeatable"
    )


def _add_reproduce(commands: "Commands") -> None:
    command = _command(commands, "reproduce", "train a trial again as it was, and compare")
    command.epilog = _REPRODUCE_EXIT_CODES
    command.set_defaults(handler="automl.cli.action_commands:reproduce")
    command.add_argument(
        "trial", nargs="?", default="best", metavar="TRIAL", help="best (default) or a number"
    )
    _add_study(command)
    _add_new_study(command)
    command.add_argument("--json", action="store_true", help="strict JSON on standard output")


def _add_new_study(command: "Parser") -> None:
    command.add_argument("--name", help="name of the new study (default: readable and unique)")
    command.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    command.add_argument("--plain", action="store_true", help="event lines, even on a terminal")
