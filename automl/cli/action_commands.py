"""The commands that act on a checkpoint, and those that train a trial again."""

import argparse
import json
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

from automl.cli.carried import carrying, studies_dir
from automl.cli.known_size_flags import known_size_text
from automl.cli.loudness import is_verbose
from automl.cli.paths import shown
from automl.cli.read_commands import note
from automl.cli.study_flags import study_meant
from automl.cli.verify_commands import exit_code, planned_verifying, verified_by

if TYPE_CHECKING:
    from automl.app.act import ActPlan, ActRequest

__all__ = ["act", "reproduce", "retrain"]

_SPLITS = ("train", "test", "inference")
#: The exit code of a reproduction that gave another value.
_DIFFERS = 6


def act(arguments: argparse.Namespace) -> int:
    """Runs one action on a checkpoint and reports its own exit code, results and log."""
    from automl.app.act import plan_action
    from automl.app.action_run import carry_out, ready_trainer
    from automl.cli.action_text import dry_run_text, record_text, title_of
    from automl.errors import NoUsableTrial

    plan = plan_action(_request(arguments))
    verifying = planned_verifying(plan, arguments)
    if arguments.dry_run:
        _show_plan(plan, dry_run_text(plan, whole=is_verbose()), as_json=arguments.json)
        return 0
    for text in plan.notes:
        note(text)
    trainer = ready_trainer(plan)
    title = title_of(plan.request.action, deploy=plan.request.deploy)
    print(f"{title}: log {shown(plan.folder / 'log.txt')}", file=sys.stderr)
    record = carry_out(plan, trainer)
    if not arguments.json:
        print(carrying(record_text(record, plan.folder), plan.request.studies_dir))
    verified = verified_by(verifying, as_json=arguments.json) if record.ok else None
    if arguments.json:
        parity = {} if verified is None else {"parity": verified.table}
        whole = {"folder": str(plan.folder), **record.to_json(), **parity}
        _print_json({"schema": "automl.action/1", **whole})
    if not record.ok:
        print(f"error: {title} failed: {record.evidence}", file=sys.stderr)
        return NoUsableTrial.exit_code
    return 0 if verified is None else exit_code(verified)


def _request(arguments: argparse.Namespace) -> "ActRequest":
    from automl.app.act import ActRequest

    gpus = arguments.gpus
    return ActRequest(
        action=arguments.action.replace("-", "_"),
        studies_dir=studies_dir(arguments),
        study=study_meant(arguments),
        trial=arguments.trial,
        checkpoint=arguments.checkpoint,
        deploy=getattr(arguments, "deploy", False),
        spec_file=arguments.spec,
        skill_dir=arguments.skill_dir,
        overrides=tuple(arguments.set or ()),
        data={split: getattr(arguments, f"{split}_data", None) for split in _SPLITS},
        inputs=tuple(arguments.data or ()),
        tuned=getattr(arguments, "tuned", None),
        known_size=known_size_text(arguments),
        results=arguments.results,
        trainer=arguments.trainer,
        gpus=None if gpus is None else tuple(part.strip() for part in gpus.split(",") if part),
        image=arguments.image or "",
        tell=note,
    )


def _show_plan(plan: "ActPlan", text: str, *, as_json: bool) -> None:
    if not as_json:
        print(text)
        return
    _print_json(
        {
            "schema": "automl.action-plan/1",
            "action": plan.request.action,
            "deploy": plan.request.deploy,
            "trainer": plan.trainer.name,
            "image": plan.preview.image,
            "command": list(plan.preview.command),
            "checkpoint": plan.parent.origin.path,
            "results": str(plan.folder),
            "notes": list(plan.notes),
            "spec": plan.spec.tree,
        }
    )


def retrain(arguments: argparse.Namespace) -> int:
    """Trains the winner's settings for longer, as a plain training of its own."""
    from automl.app.retrain import RetrainRequest, plan_retrain
    from automl.cli.run_commands import train_plan

    plan, changes = plan_retrain(
        RetrainRequest(
            studies_dir=studies_dir(arguments),
            study=study_meant(arguments),
            trial=arguments.trial,
            epochs=arguments.epochs,
            from_checkpoint=arguments.from_checkpoint or "",
            name=arguments.name,
            overrides=tuple(arguments.set or ()),
            command=tuple(sys.argv),
            tell=note,
        )
    )
    for text in changes:
        note(text)
    return train_plan(plan, arguments)


def reproduce(arguments: argparse.Namespace) -> int:
    """Trains a trial again as it was and says whether its metrics came out the same."""
    from automl.app.reproduce import compare, plan_reproduction
    from automl.app.retrain import RetrainRequest
    from automl.cli.run_commands import train_plan

    request = RetrainRequest(
        studies_dir=studies_dir(arguments),
        study=study_meant(arguments),
        trial=arguments.trial,
        name=arguments.name,
        command=tuple(sys.argv),
        tell=note,
    )
    plan, original = plan_reproduction(request)
    with redirect_stdout(sys.stderr if arguments.json else sys.stdout):
        code = train_plan(plan, arguments, reproduces=True)
    if code or arguments.dry_run:
        return code
    verdict = compare(original, plan)
    if arguments.json:
        _print_json({"schema": "automl.reproduction/1", **verdict.to_json()})
    else:
        print(verdict)
    return 0 if verdict.is_same else _DIFFERS


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False))
