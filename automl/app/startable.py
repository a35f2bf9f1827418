"""Whether the training of a plan could begin at all, found out before a trial fails of it."""

import re
from pathlib import Path

from automl.app.plan import Plan
from automl.errors import FixInput, PrepareMachine
from automl.spec.needed import how_to_give, missing_inputs
from automl.trainers.table import trainer_entry

__all__ = ["check_startable"]

#: The first part of an address that was taken for a path.
_SCHEME = re.compile("[a-z][a-z0-9+]+:")


def check_startable(plan: Plan) -> None:
    """Refuses a training whose inputs are not given or whose program is not on this machine.

    The scripted trainer reads no data and starts no program, so nothing is refused for it.

    Raises:
        PrepareMachine: The trainer would start a program that there is not; missing inputs are
            named with it.
        FixInput: A setting that the training reads has no value, or studies cannot be kept where
            they are to be.
    """
    _check_place(plan.studies_dir.absolute())
    config, rules = plan.config, plan.base.rules
    if config.is_fake:
        return
    missing = missing_inputs(rules, plan.base_spec) if "train" in plan.skill.actions else ()
    program = trainer_entry(config.trainer).absent(plan.skill)
    values = f"no value for {', '.join(missing)}" if missing else ""
    fix = how_to_give(rules, missing[0]) if missing else ""
    if program:
        other = f"use --trainer docker, whose image holds {program!r}"
        own = f"or put a program {program!r} of your own on PATH"
        raise PrepareMachine(
            f"--trainer {config.trainer} starts the program of the skill {plan.skill.name}",
            got="; ".join(text for text in (f"no {program!r} on PATH", values) if text),
            fix="; ".join(text for text in (f"{other}, {own}", fix) if text),
        )
    if missing:
        raise FixInput("the training must have its inputs", got=values, fix=fix)


def _check_place(folder: Path) -> None:
    """Refuses an address, and a path that leads through something that is no folder."""
    there = next(path for path in (folder, *folder.parents) if path.exists() or path.is_symlink())
    if not there.is_dir():
        rule, got = "studies must be kept in a folder", f"{there}, which is none"
        raise FixInput(rule, got=got, where="--studies-dir")
    if any(_SCHEME.fullmatch(part) for part in folder.relative_to(there).parts):
        raise FixInput(
            "studies must be kept in a folder of this machine",
            got="an address",
            where="--studies-dir",
            fix="--study-store keeps a copy of a study at an address",
        )
