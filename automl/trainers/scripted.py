"""scripted: a fake trainer for testing the orchestration; no model is trained.

It is a real process, started, watched and stopped exactly like a real trainer, that writes
made-up metrics in the trainer contract's own format. Its options say how long an epoch takes, how
good each configuration is, and which trials fail in which way.
"""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.skill import tree
from automl.trainers import scripted_program
from automl.trainers.base import Problem, TrialTask
from automl.trainers.process import GuardedProcess, start_guarded
from automl.yamltext import load_yaml

__all__ = ["Bowl", "Fault", "FaultKind", "Script", "ScriptedTrainer"]

SCRIPT_NAME = "script.json"
_WHERE = "trainer_options"


class FaultKind(StrEnum):
    """How a scripted trial fails."""

    CRASH = "crash"
    OOM = "oom"
    SPEC = "spec"
    NAN = "nan"
    NO_METRIC = "no-metric"
    HANG = "hang"
    STUBBORN = "stubborn"
    KILLED = "killed"


@dataclass(frozen=True, slots=True)
class Fault:
    """One failure.

    Attributes:
        kind: How it fails. ``stubborn`` hangs and ignores SIGTERM.
        epoch: Zero-based epoch during which it does; ``nan`` and ``no-metric`` from it on.
        exit_code: Exit code of a crash, 1 to 255.
        seconds: How long it hangs.
        attempt: The attempt that fails; None for every one.
    """

    kind: FaultKind
    epoch: int = 0
    exit_code: int = 1
    seconds: float = 3600.0
    attempt: int | None = None


@dataclass(frozen=True, slots=True)
class Bowl:
    """How far a numeric parameter's value may be from the best one.

    Attributes:
        best: The best value.
        width: Distance from it that costs the whole metric; decades where ``log10``; positive.
        log10: Whether distances are measured in decades.
    """

    best: float
    width: float = 2.0
    log10: bool = True


@dataclass(frozen=True, slots=True)
class Script:
    """What the fake plays.

    Attributes:
        metric: Name of the metric it writes.
        epoch_s: Seconds an epoch takes.
        top: The metric of a perfect configuration after endless training.
        rise_epochs: Epochs after which 63 % of the top is reached; positive.
        bowls: Dotted spec key to how it shapes the metric.
        faults: Trial number to how it fails.
    """

    metric: str = "val_3DIoU"
    epoch_s: float = 0.05
    top: float = 0.8
    rise_epochs: float = 3.0
    bowls: Mapping[str, Bowl] = field(default_factory=dict)
    faults: Mapping[int, Fault] = field(default_factory=dict)

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> "Script":
        """The script that a study's ``trainer_options`` describe.

        Raises:
            FixInput: An option is unknown, or of the wrong kind.
        """
        settings = _known(options, cls, _WHERE)
        bowls = {
            str(key): _read(Bowl, entry, f"{_WHERE}.bowls.{key}")
            for key, entry in settings.pop("bowls", {}).items()
        }
        faults = {
            int(number): _read_fault(entry, f"{_WHERE}.faults.{number}")
            for number, entry in settings.pop("faults", {}).items()
        }
        script = cls(**settings, bowls=bowls, faults=faults)
        if min([script.rise_epochs, *(bowl.width for bowl in bowls.values())]) <= 0:
            raise FixInput("rise_epochs and every width must be positive", where=_WHERE)
        return script

    def fault_of(self, number: int, attempt: int) -> Fault | None:
        """How this attempt fails; None if it does not."""
        fault = self.faults.get(number)
        return fault if fault and fault.attempt in (None, attempt) else None


def _known(options: Mapping[str, Any], kind: type, where: str) -> dict[str, Any]:
    names = set(kind.__slots__)  # type: ignore[attr-defined] # a slotted dataclass
    for name in options:
        if name not in names:
            raise FixInput(
                f"the scripted trainer knows {', '.join(sorted(names))}",
                got=repr(name),
                where=where,
                fix=did_you_mean(str(name), names),
            )
    return dict(options)


def _read(kind: type[Bowl], entry: Mapping[str, Any], where: str) -> Bowl:
    return kind(**_known(entry, kind, where))


def _read_fault(entry: Mapping[str, Any], where: str) -> Fault:
    settings = _known(entry, Fault, where)
    kinds = [str(kind) for kind in FaultKind]
    if settings.get("kind") not in kinds:
        raise FixInput(
            f"a fault's kind is one of {', '.join(kinds)}", got=str(settings), where=where
        )
    return Fault(**settings | {"kind": FaultKind(settings["kind"])})


@dataclass(frozen=True, slots=True)
class ScriptedTrainer:
    """Plays a script in place of a training.

    Attributes:
        script: What to play.
    """

    script: Script = Script()

    def check(self) -> Sequence[Problem]:
        """Nothing: the fake needs nothing."""
        return []

    def start(self, task: TrialTask, gpus: Sequence[str]) -> GuardedProcess:
        """Starts the fake on the task's spec."""
        task.folder.mkdir(parents=True, exist_ok=True)
        plan = task.folder / SCRIPT_NAME
        plan.write_text(json.dumps(self._plan(task)), encoding="utf-8")
        program = scripted_program.__file__
        return start_guarded([sys.executable, "-I", "-S", program, str(plan)], task, gpus)

    def _plan(self, task: TrialTask) -> dict[str, Any]:
        spec = load_yaml(task.spec_path)
        fault = self.script.fault_of(task.number, task.attempt)
        script = asdict(self.script)
        del script["faults"]
        return {
            "script": script,
            "fault": asdict(fault) if fault else None,
            "params": {key: _number_at(spec, key) for key in self.script.bowls},
            "epochs": tree.get(spec, "train.num_epochs", 10),
            "validation_interval": tree.get(spec, "train.validation_interval", 1),
            "checkpoint_interval": tree.get(spec, "train.checkpoint_interval", 1),
            "resume_from": tree.get(spec, "train.resume_training_checkpoint_path", None),
        }


def _number_at(spec: Mapping[str, Any], key: str) -> float:
    value = tree.get(spec, key, None)
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    raise FixInput(
        "the scripted trainer shapes its metric by numeric parameters",
        got=repr(value),
        where=key,
        fix=f"remove the key from {_WHERE}.bowls, or set it",
    )
