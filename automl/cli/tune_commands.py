"""``automl tune-inference``: better settings of decoding, without training."""

import argparse
import json
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.cli.carried import carrying, studies_dir
from automl.cli.paths import shown
from automl.cli.read_commands import note

if TYPE_CHECKING:
    from automl.app.act import ActPlan
    from automl.app.action_request import ActRequest
    from automl.cli.usage import Parser

    Commands = argparse._SubParsersAction[Parser]

__all__ = ["add_tune_inference", "tune_inference"]

_EXIT_CODES = """\
exit codes:
  0    the search has ended; what it found is written, also where nothing is better
  2    a flag, checkpoint, setting or data set breaks a rule
  3    the machine lacks something the search needs
  4    the search failed; its evidence and log are named
  7    the checkpoint is not the one that its trial has recorded
"""
_LABEL = 11


def add_tune_inference(commands: "Commands") -> None:
    """Declares the command."""
    text = "search the settings of decoding for a trained checkpoint; trains nothing"
    command = commands.add_parser(
        "tune-inference", help=text, description=text[0].upper() + text[1:] + "."
    )
    command.epilog = _EXIT_CODES
    command.set_defaults(handler="automl.cli.tune_commands:tune_inference")
    command.add_argument(
        "of", nargs="?", metavar="STUDY|CHECKPOINT", help="default: the newest study's winner"
    )
    command.add_argument("--studies-dir", type=Path, metavar="DIR", help="folder of studies")
    command.add_argument("--trial", default="best", metavar="N", help="best (default) or a number")
    command.add_argument("--val-data", metavar="PATH", help="searched on (default: the study's)")
    command.add_argument("--test-data", metavar="PATH", help="confirms it (default: the study's)")
    command.add_argument("--set", action="append", metavar="KEY=VALUE", help="set a spec key")
    command.add_argument(
        "--spec", type=Path, metavar="FILE", help="what a checkpoint was trained with"
    )
    command.add_argument("--gpus", metavar="0,1", help="ids of the GPUs to use")
    command.add_argument("--results", type=Path, metavar="DIR", help="default: in the study")
    command.add_argument("--json", action="store_true", help="strict JSON on standard output")


def tune_inference(arguments: argparse.Namespace) -> int:
    """Searches on the validation split, confirms on the test split, writes the settings."""
    from automl.app.action_run import carry_out, ready_trainer
    from automl.app.tune_inference import TuningTrainer, plan_tuning
    from automl.app.tuned_settings import write_overlay
    from automl.errors import NoUsableTrial
    from automl.trainers.process import ProcessTrainer

    plan = plan_tuning(_request(arguments))
    for text in plan.notes:
        note(text)
    ready_trainer(plan)
    print(f"tune-inference: log {shown(plan.folder / 'log.txt')}", file=sys.stderr)
    record = carry_out(plan, TuningTrainer(ProcessTrainer(plan.skill, "evaluate")))
    if not record.ok:
        print(f"error: tune-inference failed: {record.evidence}", file=sys.stderr)
        return NoUsableTrial.exit_code
    found = write_overlay(plan.folder)
    if arguments.json:
        print(json.dumps({**found, "folder": str(plan.folder)}, indent=2, allow_nan=False))
    else:
        print(carrying("\n".join(_lines(plan, found)), plan.request.studies_dir))
    return 0


def _request(arguments: argparse.Namespace) -> "ActRequest":
    from automl.app.action_request import ActRequest

    of, gpus = arguments.of, arguments.gpus
    is_file = of is not None and Path(of).is_file()
    return ActRequest(
        action="evaluate",
        studies_dir=studies_dir(arguments),
        study=None if is_file else of,
        trial=arguments.trial,
        checkpoint=of if is_file else "best",
        spec_file=arguments.spec,
        overrides=tuple(arguments.set or ()),
        data={"val": arguments.val_data, "test": arguments.test_data},
        results=arguments.results,
        gpus=None if gpus is None else tuple(part.strip() for part in gpus.split(",") if part),
        tell=note,
    )


def _lines(plan: "ActPlan", found: Mapping[str, Any]) -> Iterator[str]:
    default, best, test = found["default"], found["best"], found["test"]
    n = len(found["candidates"])
    yield _line("searched", f"{n} settings of decoding on {found['n_images']} validation images, "
                f"{found['seconds']:.0f} s")  # fmt: skip
    yield _line("metric", "AP at 3D IoU 0.5, an object being found once")
    yield _line("validation", f"{best['ap']:.4f}, {default['ap']:.4f} as the spec has it")
    if best == default:
        yield _line("verdict", "nothing is better than the spec's own settings")
        return
    for name in ("visualization_threshold", "num_select"):
        yield _line("", f"{name} {default[name]:g} -> {best[name]:g}")
    yield _line("test", _confirmed(test) if test else "no test data: not confirmed")
    tuned = plan.folder / "tuned.yaml"
    yield _line("written", str(shown(tuned)))
    yield _line("next", f"automl evaluate {_of(plan)}--tuned {shlex.quote(str(shown(tuned)))}")


def _of(plan: "ActPlan") -> str:
    if plan.parent.paths is None:
        return f"--checkpoint {shlex.quote(plan.parent.origin.path)} "
    return f"--study {shlex.quote(plan.parent.paths.folder.name)} "


def _confirmed(test: Mapping[str, Any]) -> str:
    text = f"{test['best']:.4f}, {test['default']:.4f} as the spec has it: {test['gain']:+.4f}"
    if test["low"] is None:
        return text
    interval = f"95 % interval {test['low']:+.4f} to {test['high']:+.4f}"
    sure = "" if test["low"] > 0 else ", not separable from none"
    return f"{text} on {test['n_images']} images, {interval}{sure}"


def _line(label: str, text: str) -> str:
    return f"{label:<{_LABEL}}{text}"
