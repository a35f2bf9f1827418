"""``automl export --verify``: whether what was exported finds the poses of its checkpoint.

The trainer of this package compares them on the validation images (``centerpose/program/verify``),
whatever program exported. It runs as a process, in a folder within the export's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from automl.app.act import ENGINE, ActPlan
from automl.app.action_run import carry_out, ready_trainer
from automl.app.datasets import DataNames, SplitName, resolve_data
from automl.app.parents import exported_from
from automl.errors import FixInput
from automl.jsontext import read_json
from automl.skill.tree import with_value
from automl.spec.source_table import split_keys, with_table
from automl.study.actions import ActionRecord
from automl.trainers.base import Handle, Problem, TrialTask
from automl.trainers.process import OWN_PROGRAMS, ProcessTrainer, start_guarded
from automl.trainers.table import DEFAULT

__all__ = [
    "Verified",
    "VerifyRequest",
    "Verifying",
    "VerifyingTrainer",
    "plan_verifying",
    "verify",
]

FOLDER: Final = "verify"
_RESULT: Final = "parity.json"
_EXPORT: Final = "export"
_NUMBERS: Final = 3


@dataclass(frozen=True, slots=True)
class VerifyRequest:
    """What a command line asks for.

    Attributes:
        images: How many validation images; None for all.
        engine: An engine to compare as well; None for the study's newest, if it has one.
        tolerance: ``PIXELS,DEGREES,PERCENT`` that count as rounding; empty for the usual.
        val_data: The images; None for the study's.
    """

    images: int | None = None
    engine: Path | None = None
    tolerance: str = ""
    val_data: str | None = None


@dataclass(frozen=True, slots=True)
class Verifying:
    """What will be compared.

    Attributes:
        plan: The comparison as an action.
        options: Further words of the program's command.
    """

    plan: ActPlan
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """How a comparison ended.

    Attributes:
        record: How its program ended.
        table: What it wrote; None if it failed.
    """

    record: ActionRecord
    table: Mapping[str, Any] | None

    @property
    def is_same(self) -> bool:
        """Whether all differences are rounding."""
        return self.table is not None and self.table["within"] is True


@dataclass(frozen=True, slots=True)
class VerifyingTrainer:
    """Starts the comparison in place of an export.

    Attributes:
        process: What would start the export.
        options: Further words of the command.
    """

    process: ProcessTrainer
    options: tuple[str, ...]

    def check(self) -> Sequence[Problem]:
        """What is missing on this machine."""
        return self.process.check()

    def start(self, task: TrialTask, gpus: Sequence[str]) -> Handle:
        """Starts it on the task's spec."""
        words = self.process.command(task.spec_path)
        swapped = [FOLDER if word == _EXPORT else word for word in words]
        return start_guarded([*swapped, *self.options], task, gpus)


def plan_verifying(plan: ActPlan, request: VerifyRequest) -> Verifying:
    """Works out what an export will be compared on; writes nothing.

    Args:
        plan: The export.
        request: What was asked.

    Raises:
        FixInput: There are no validation images, or another program trains the network.
        PrepareMachine: The trainer of this package cannot run here.
    """
    if plan.skill.network_arch not in OWN_PROGRAMS:
        raise FixInput(
            "exports are verified for the networks that the trainer of this package knows",
            got=f"the network {plan.skill.network_arch}",
            where="--verify",
        )
    config = plan.parent.config
    val = _val(request, plan) or (config.data.val if config is not None else "")
    if not val:
        raise FixInput(
            "an export is verified on validation data",
            got="none",
            where="--verify",
            fix="give --val-data PATH",
        )
    folder = plan.folder / FOLDER
    keys = [k for k, split in split_keys(with_table(plan.skill)).items() if split == "val"]
    settings = {
        "results_dir": folder,
        f"{_EXPORT}.results_dir": folder,
        keys[0]: Path(val).absolute(),
    }
    tree = plan.spec.tree
    for key, value in settings.items():
        tree = with_value(tree, key, str(value))
    spec = replace(plan.spec, tree=tree, data={keys[0]: str(settings[keys[0]])})
    verifying = replace(
        plan,
        request=replace(plan.request, action=FOLDER),
        spec=spec,
        folder=folder,
        trainer=DEFAULT,
        options={},
    )
    ready_trainer(replace(verifying, request=plan.request))
    return Verifying(verifying, _options(request, plan))


def verify(verifying: Verifying) -> Verified:
    """Compares, once the export has ended well."""
    plan = verifying.plan
    trainer = VerifyingTrainer(ProcessTrainer(plan.skill, _EXPORT), verifying.options)
    record = carry_out(plan, trainer)
    return Verified(record, read_json(plan.folder / _RESULT) if record.ok else None)


def _val(request: VerifyRequest, plan: ActPlan) -> str:
    if not request.val_data:
        return ""
    named = DataNames({"val": SplitName(request.val_data, "--val-data")})
    return resolve_data(named, plan.request.tell)[0].val


def _options(request: VerifyRequest, plan: ActPlan) -> tuple[str, ...]:
    words: list[str] = []
    if request.images is not None:
        words += ["--images", str(request.images)]
    if request.tolerance:
        words += ["--tolerance", _checked(request.tolerance)]
    engine = _engine(request, plan)
    return (*words, "--engine", str(engine)) if engine is not None else tuple(words)


def _checked(text: str) -> str:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != _NUMBERS or not all(0 < number < float("inf") for number in numbers):
        raise FixInput(
            "a tolerance must be pixels, degrees and per cent of the distance, all above 0",
            got=text,
            where="--verify-tolerance",
            fix="give for example 0.5,0.5,0.5, which is the usual",
        )
    return text


def _engine(request: VerifyRequest, plan: ActPlan) -> Path | None:
    """The engine that was named, else the study's newest of this checkpoint; None without one."""
    if request.engine is not None:
        if not request.engine.is_file():
            raise FixInput(
                "an engine must be a file that exists",
                got=str(request.engine),
                where="--verify-engine",
            )
        return request.engine.absolute()
    try:
        return Path(exported_from(plan.parent, ENGINE, ".engine", "").origin.path)
    except FixInput:
        return None
