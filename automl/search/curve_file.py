"""Recorded trainings in a file: one JSON object a line, and the space that they span.

A line holds the ``settings`` (dotted key to value), the ``metrics`` (name to one value an epoch,
null where there was none), the seconds of each epoch in ``epoch_s``, and the ``exit_code``, 0 for
a training that ran to its end. An older form has ``config``, the lists of values beside it, the
seconds of the whole training in ``s``, and ``end`` for the exit code. A line without settings,
such as a header, is passed over.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.errors import FixInput
from automl.inside import read_file
from automl.jsontext import parse_json
from automl.search.curves import Curve, Epoch
from automl.search.recorded import Recording
from automl.search.recorded_space import space_of
from automl.skill.tree import ParamValue
from automl.space.model import SearchSpace
from automl.study.records import FailureClass

__all__ = ["CurveFile", "read_curve_file"]

_ENDING = ".jsonl"
_NOT_SETTINGS = ("seed",)


@dataclass(frozen=True, slots=True)
class CurveFile:
    """The trainings of a file.

    Attributes:
        space: The settings that differ between them, each over the values that were recorded; the
            default is the setting that was recorded most often.
        recordings: One a training, in the order of the file.
        metrics: The names of all that was measured, sorted.
    """

    space: SearchSpace
    recordings: tuple[Recording, ...]
    metrics: tuple[str, ...]


def read_curve_file(path: Path) -> CurveFile:
    """Reads a file of recorded trainings.

    Raises:
        FixInput: It cannot be read, a line is no training, or there is nothing to search in it.
    """
    rows = [(name, row) for name, row in _rows(path) if "settings" in row or "config" in row]
    if not rows:
        raise _refused(path, "a file of recorded trainings must hold at least one", "none")
    settings = [_settings(row, f"{path} {name}") for name, row in rows]
    space = space_of(settings)
    if not space.parameters:
        got = f"{len(rows)} trainings with the same settings"
        raise _refused(path, "recorded trainings must differ in a setting", got)
    recordings = tuple(
        Recording(name, {key: chosen[key] for key in space.keys}, _curve(row, f"{path} {name}"))
        for (name, row), chosen in zip(rows, settings, strict=True)
    )
    names = {name for each in recordings for epoch in each.curve.epochs for name in epoch.metrics}
    return CurveFile(space, recordings, tuple(sorted(names)))


def _rows(path: Path) -> list[tuple[str, Mapping[str, Any]]]:
    """Each line that is not empty, with what it is called."""
    try:
        with read_file(path, follow=True) as file:
            lines = file.read().splitlines()
    except OSError as error:
        raise _refused(path, "a file of curves must be readable", error.strerror or "") from error
    rows = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            rows.append((f"line {number}", _row(line, f"{path} line {number}")))
    return rows


def _row(line: bytes, where: str) -> Mapping[str, Any]:
    try:
        row = parse_json(line)
    except ValueError as error:
        raise _broken(where, str(error)) from error
    if not isinstance(row, dict):
        raise _broken(where, f"a {type(row).__name__}")
    return row


def _settings(row: Mapping[str, Any], where: str) -> dict[str, ParamValue]:
    settings = row.get("settings", row.get("config"))
    if not isinstance(settings, dict) or not settings:
        raise _broken(where, f"settings {settings!r:.60}")
    for key, value in settings.items():
        if isinstance(value, dict) or (isinstance(value, float) and not math.isfinite(value)):
            raise _broken(where, f"{key} {value!r:.60}")
    return {key: value for key, value in settings.items() if key not in _NOT_SETTINGS}


def _curve(row: Mapping[str, Any], where: str) -> Curve:
    metrics = row.get("metrics", {k: v for k, v in row.items() if isinstance(v, list)})
    if not isinstance(metrics, dict) or not all(isinstance(v, list) for v in metrics.values()):
        raise _broken(where, "metrics that are no lists")
    n_epochs = min(map(len, metrics.values()), default=0)
    seconds = _seconds(row, n_epochs, where)
    epochs = [
        Epoch(seconds[at], {name: v[at] for name, v in metrics.items() if _is_number(v[at])})
        for at in range(n_epochs)
    ]
    code = row.get("exit_code", row.get("end", 0))
    evidence = str(row.get("evidence", "") or f"exit code {code}") if code else ""
    return Curve(tuple(epochs), FailureClass.UNKNOWN if code else None, evidence)


def _seconds(row: Mapping[str, Any], n_epochs: int, where: str) -> Sequence[float]:
    """The seconds of each epoch; shared equally where only the whole is known."""
    given = row.get("epoch_s")
    if given is None:
        total = row.get("s", row.get("total_s", 0.0))
        given = [total / n_epochs if _is_number(total) else -1.0] * n_epochs
    if not isinstance(given, list) or not all(_is_number(s) and s >= 0 for s in given):
        raise _broken(where, f"epoch_s {given!r:.60}")
    last = given[-1] if given else 0.0
    return [*given, *[last] * n_epochs][:n_epochs]


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value)


def _broken(where: str, got: str) -> FixInput:
    return FixInput(
        "a line of recorded curves must be an object with settings and metrics",
        got=got,
        where=where,
        fix='write {"settings": {"lr": 0.1}, "metrics": {"loss": [3, 2]}, "epoch_s": [9, 9]}',
    )


def _refused(path: Path, rule: str, got: str) -> FixInput:
    return FixInput(rule, got=got, where=str(path), fix=f"give a study or a *{_ENDING} file")
