"""The contract between the orchestrator and whatever trains: names on disk and the status line.

This is the TAO container's own contract (TAO Toolkit, CenterPose). The trainer program of this
package writes by it and the orchestrator reads by it, so both import this module and nothing else
of each other. It needs the standard library only.

A trainer is started as ``<network> <action> -e SPEC.yaml`` and writes into its *results folder*:
``<action>.results_dir`` of the spec if set, else ``<results_dir>/<action>``. There it appends
one JSON object a line to ``status.json`` and, for ``train``, leaves checkpoints.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from automl.jsontext import parse_json

__all__ = [
    "CHECKPOINT_SUFFIXES",
    "EVAL_METRICS",
    "EXPERIMENT_NAME",
    "LATEST_NAME",
    "LATEST_PATTERN",
    "PAUSE_NAME",
    "PROGRESS",
    "STATUS_NAME",
    "TRAIN_FINISHED",
    "TRAIN_METRICS",
    "CheckpointName",
    "Phase",
    "Status",
    "StatusLine",
    "StepProgress",
    "results_folder",
]

STATUS_NAME = "status.json"
EXPERIMENT_NAME = "experiment.yaml"
LATEST_NAME = "centerpose_model_latest.pth"
LATEST_PATTERN = "*_latest.pth"
#: In the results folder it asks the training to end once an epoch's checkpoint is written:
#: ``{"epoch": 8, "reason": ...}``. A trainer need not look at it.
PAUSE_NAME = "pause.json"
CHECKPOINT_SUFFIXES = (".pth", ".tlt")

EVAL_METRICS = "Eval metrics generated."
TRAIN_METRICS = "Train metrics generated."
TEST_METRICS = "Test metrics generated."
TRAINING_LOOP = "Training loop in progress"
TRAIN_FINISHED = "Train finished successfully."
#: A line of ours that the container does not write: where within an epoch a training is. It has
#: neither ``epoch`` nor ``kpi`` at its top, which alone are read elsewhere.
PROGRESS = "Progress within the epoch."
_PROGRESS_KEY = "progress"
#: Steps that an epoch may count; far above any.
_MOST_STEPS = 10**9

_CHECKPOINT = re.compile(r"^model_epoch_(\d{3,})_step_(\d{5,})\.(?:pth|tlt)$")


class Status(StrEnum):
    """The ``status`` of a line; CenterPose itself never writes SUCCESS."""

    STARTED = "STARTED"
    RUNNING = "RUNNING"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True, slots=True, order=True)
class CheckpointName:
    """The name of a checkpoint file, ``model_epoch_000_step_00008.pth``; ordered by epoch, step.

    Attributes:
        epoch: Zero-based epoch after which it was written.
        step: Optimiser steps made so far, over all epochs.
    """

    epoch: int
    step: int

    def __str__(self) -> str:
        return f"model_epoch_{self.epoch:03d}_step_{self.step:05d}.pth"

    @classmethod
    def parse(cls, name: str) -> "CheckpointName | None":
        """The parts of a checkpoint's file name, or None if it is no such name."""
        match = _CHECKPOINT.match(name)
        return cls(int(match[1]), int(match[2])) if match else None


@dataclass(frozen=True, slots=True)
class StatusLine:
    """One line of ``status.json``.

    Attributes:
        status: State of the action when the line was written.
        message: Free text; the metric lines are known by it (``EVAL_METRICS``, ...).
        fields: Keys of this event alone, such as ``epoch`` and ``eta``; written first.
        kpi: Metric name to value. The container writes validation metrics as strings and repeats
            the last KPI on every later line: a reader trusts only the metric lines.
        verbosity: Log level.
        written_at: Local time, to the second, that a parsed line carries; None if it has none.
    """

    status: str
    message: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    kpi: Mapping[str, Any] = field(default_factory=dict)
    verbosity: str = "INFO"
    written_at: datetime | None = None

    def to_json(self, now: datetime) -> str:
        """The line as written, without a line end; date and time are local, not zero-padded."""
        entry: dict[str, Any] = dict(self.fields)
        entry["date"] = f"{now.month}/{now.day}/{now.year}"
        entry["time"] = f"{now.hour}:{now.minute}:{now.second}"
        entry["status"] = str(self.status)
        entry["verbosity"] = self.verbosity
        entry["message"] = self.message
        if self.kpi:
            entry["kpi"] = dict(self.kpi)
        return json.dumps(entry)

    @classmethod
    def parse(cls, text: str) -> "StatusLine | None":
        """The line, or None if ``text`` is not one whole JSON object (still being written)."""
        try:
            entry = parse_json(text)
        except ValueError:
            return None
        if not isinstance(entry, dict):
            return None
        known = (
            "date",
            "time",
            "status",
            "verbosity",
            "message",
            "categorical",
            "graphical",
            "kpi",
        )
        kpi = entry.get("kpi")
        return cls(
            status=_text(entry.get("status")),
            message=_text(entry.get("message")),
            fields={key: value for key, value in entry.items() if key not in known},
            kpi=kpi if isinstance(kpi, dict) else {},
            verbosity=_text(entry.get("verbosity")) or "INFO",
            written_at=_time_of(entry),
        )


class Phase(StrEnum):
    """What an epoch is doing."""

    TRAIN = "train"
    VALIDATE = "validate"


@dataclass(frozen=True, slots=True)
class StepProgress:
    """Where within an epoch a training is: what a line of ``PROGRESS`` says.

    Attributes:
        phase: Whether it learns or validates.
        epoch: Zero-based, as in every other line.
        of_epochs: Epochs of the whole training.
        step: Batches of this phase that are done.
        of_steps: Batches of this phase.
        images_per_s: Images a second since the line before, over all GPUs of the training.
    """

    phase: Phase
    epoch: int
    of_epochs: int
    step: int
    of_steps: int
    images_per_s: float

    @property
    def fields(self) -> Mapping[str, Any]:
        """What the line holds beside its message."""
        return {
            _PROGRESS_KEY: {
                "phase": str(self.phase),
                "epoch": self.epoch,
                "of_epochs": self.of_epochs,
                "step": self.step,
                "of_steps": self.of_steps,
                "images_per_s": round(self.images_per_s, 2),
            }
        }

    @classmethod
    def of(cls, line: StatusLine) -> "StepProgress | None":
        """What a line says of the steps; None if it says nothing, or nothing that can be."""
        entry = line.fields.get(_PROGRESS_KEY)
        if line.message != PROGRESS or not isinstance(entry, dict):
            return None
        rate, phase = entry.get("images_per_s"), entry.get("phase")
        counts = [entry.get(name) for name in ("epoch", "of_epochs", "step", "of_steps")]
        whole = [n for n in counts if type(n) is int and 0 <= n <= _MOST_STEPS]
        if len(whole) < len(counts) or not isinstance(rate, int | float):
            return None
        if phase not in tuple(Phase) or not 0 <= rate < math.inf:
            return None
        epoch, of_epochs, step, of_steps = whole
        return cls(Phase(phase), epoch, of_epochs, step, of_steps, float(rate))


def _text(value: Any) -> str:
    """A text that any file can hold: JSON may name halves of characters, which none can."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def _time_of(entry: Mapping[str, Any]) -> datetime | None:
    text = f"{_text(entry.get('date'))} {_text(entry.get('time'))}"
    try:
        return datetime.strptime(text, "%m/%d/%Y %H:%M:%S")  # noqa: DTZ007 -- local, as written
    except ValueError:
        return None


def results_folder(spec: Mapping[str, Any], action: str) -> Path | None:
    """The folder an action writes to by the container's rule, or None if the spec names none.

    Args:
        spec: The nested spec that the action is started with.
        action: ``train``, ``evaluate``, ...
    """
    block = spec.get(action)
    own = block.get("results_dir") if isinstance(block, Mapping) else None
    if own:
        return Path(str(own))
    shared = spec.get("results_dir")
    return Path(str(shared)) / action if shared else None
