"""How the tests of the use-cases ask for plans, and what they look at."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from automl.app.plan import Plan
from automl.app.request import PlanRequest
from automl.cli.parser import build_parser
from automl.cli.setting_flags import given
from automl.skill.tree import Tree, get

__all__ = ["AttemptSpec", "MakePlan", "MakeSkill", "OnMachine", "request_of", "values"]

AttemptSpec = Callable[[Plan], Tree]
OnMachine = Callable[..., None]
MakeSkill = Callable[..., Path]


class MakePlan(Protocol):
    """Plans what a command line and a study file ask for."""

    def __call__(self, *argv: str, file: str | None = None) -> Plan: ...


def request_of(argv: tuple[str, ...], studies_dir: Path, splits: Path, text: str) -> PlanRequest:
    """What the command line would hand on."""
    arguments = build_parser().parse_args(["plan", *argv])
    named, flags = vars(arguments), dict(given(arguments))
    data = [f"{split}_data" for split in ("train", "val", "test", "inference")]
    has_data = "data:" in text or named["demo"] or any(name in flags for name in data)
    if not has_data:
        flags |= {"train_data": str(splits / "train"), "val_data": str(splits / "val")}
    if "trainer" not in flags and "trainer:" not in text and not named["demo"]:
        flags["trainer"] = "scripted"
    return PlanRequest(flags, named["study_file"], named["demo"], studies_dir, ("automl", *argv))


def values(spec: Tree, *keys: str) -> dict[str, Any]:
    """The settings of a spec by dotted key; None where it has none."""
    return {key: get(spec, key, None) for key in keys}
