"""scripted: a fake trainer for testing the orchestration; no model is trained.

It is a real process, started, watched and stopped exactly like a real trainer, that writes
made-up metrics in the trainer contract's own format. Its options say how long an epoch takes, how
good each configuration is, and which trials fail in which way.
"""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, TypeVar

from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.skill import tree
from automl.skill.keys import NetworkKeys, find_keys
from automl.trainers import scripted_program
from automl.trainers.base import Problem, TrialTask
from automl.trainers.process import GuardedProcess, start_guarded
from automl.yamltext import load_yaml

__all__ = ["Bowl", "Fault", "FaultKind", "Script", "ScriptedTrainer"]

SCRIPT_NAME = "script.json"
_WHERE = "script"
#: What a field of a script may hold, by its declared type, and how to say so.
_ACCEPTED: Mapping[Any, tuple[tuple[type, ...], str]] = {
    float: ((int, float), "a number"),
    int: ((int,), "a whole number"),
    int | None: ((int, type(None)), "a whole number"),
    bool: ((bool,), "true or false"),
    str: ((str,), "text"),
}
_Part = TypeVar("_Part", "Script", "Bowl", "Fault")


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
        steps_every_s: Seconds between two lines within an epoch.
        top: The metric of a perfect configuration after endless training.
        rise_epochs: Epochs after which 63 % of the top is reached; positive.
        bowls: Dotted spec key to how it shapes the metric.
        faults: Trial number to how it fails.
    """

    metric: str = "val_3DIoU"
    epoch_s: float = 0.05
    steps_every_s: float = 5.0
    top: float = 0.8
    rise_epochs: float = 3.0
    bowls: Mapping[str, Bowl] = field(default_factory=dict)
    faults: Mapping[int, Fault] = field(default_factory=dict)

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> "Script":
        """The script that a study's trainer options describe.

        Raises:
            FixInput: An option is unknown, or of the wrong kind.
        """
        bowls = {
            str(key): _read(Bowl, entry, f"{_WHERE}.bowls.{key}")
            for key, entry in _mapping(options, "bowls").items()
        }
        faults = {
            _trial(number): _read_fault(entry, f"{_WHERE}.faults.{number}")
            for number, entry in _mapping(options, "faults").items()
        }
        script = _read(cls, {**options, "bowls": bowls, "faults": faults}, _WHERE)
        if min([script.rise_epochs, *(bowl.width for bowl in bowls.values())]) <= 0:
            raise FixInput("rise_epochs and every width must be positive", where=_WHERE)
        return script

    def fault_of(self, number: int, attempt: int) -> Fault | None:
        """How this attempt fails; None if it does not."""
        fault = self.faults.get(number)
        return fault if fault and fault.attempt in (None, attempt) else None


def _mapping(options: Any, name: str) -> Mapping[Any, Any]:
    """A block of the options; empty if it is not there."""
    if not isinstance(options, Mapping):
        raise FixInput("a script must be a mapping of options", got=repr(options), where=_WHERE)
    block = options.get(name, {})
    if not isinstance(block, Mapping):
        raise FixInput(f"{name} must be a mapping", got=repr(block), where=f"{_WHERE}.{name}")
    return block


def _trial(number: Any) -> int:
    """A trial's number; JSON makes text of it."""
    if not str(number).isdigit():
        raise FixInput(
            "a fault must be given by its trial's number", got=repr(number), where=_WHERE
        )
    return int(str(number))


def _read(kind: type[_Part], entry: Any, where: str) -> _Part:
    """One part of a script, its fields known, complete and of the right types."""
    known = {field.name: field for field in fields(kind)}
    if not isinstance(entry, Mapping):
        raise FixInput(f"it must be a mapping of {', '.join(known)}", got=repr(entry), where=where)
    for name in entry:
        if name not in known:
            raise FixInput(
                f"an option must be one of {', '.join(sorted(known))}",
                got=repr(name),
                where=where,
                fix=did_you_mean(str(name), known),
            )
    for name, declared in known.items():
        _check_field(name, declared.type, entry.get(name, declared.default), where)
    return kind(**entry)


def _check_field(name: str, declared: Any, value: Any, where: str) -> None:
    types, words = _ACCEPTED.get(declared, ((object,), ""))
    if value is MISSING and words:
        raise FixInput(f"{name} must be given", where=where)
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types and words):
        raise FixInput(f"{name} must be {words}", got=repr(value), where=where)


def _read_fault(entry: Any, where: str) -> Fault:
    kinds = [str(kind) for kind in FaultKind]
    kind = entry.get("kind") if isinstance(entry, Mapping) else None
    if kind not in kinds:
        raise FixInput(
            f"a fault's kind must be one of {', '.join(kinds)}", got=str(entry), where=where
        )
    return _read(Fault, {**entry, "kind": FaultKind(kind)}, where)


@dataclass(frozen=True, slots=True)
class ScriptedTrainer:
    """Plays a script in place of a training.

    Attributes:
        script: What to play.
        keys: Which settings of a spec mean what; those it lacks are found by their names.
    """

    script: Script = Script()
    keys: NetworkKeys = field(default_factory=NetworkKeys)

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
        named = find_keys("train", [key for key, _ in tree.leaves(spec)])
        keys = self.keys if self.keys.epochs else named
        fault = self.script.fault_of(task.number, task.attempt)
        script = asdict(self.script)
        del script["faults"]
        return {
            "script": script,
            "fault": asdict(fault) if fault else None,
            "params": {key: _number_at(spec, key) for key in self.script.bowls},
            "epochs": _number_in(spec, keys.epochs, 10),
            "validation_interval": _number_in(spec, keys.validation_interval, 1),
            "checkpoint_interval": _number_in(spec, keys.checkpoint_interval, 1),
            "resume_from": next((tree.get(spec, key, None) for key in keys.resume), None),
        }


def _number_in(spec: Mapping[str, Any], key: str, otherwise: int) -> int:
    number = tree.whole_number(spec, key)
    return otherwise if number is None else number


def _number_at(spec: Mapping[str, Any], key: str) -> float:
    value = tree.get(spec, key, None)
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    raise FixInput(
        "the scripted trainer must shape its metric by numeric parameters",
        got=repr(value),
        where=key,
        fix=f"remove the key from {_WHERE}.bowls, or set it",
    )
