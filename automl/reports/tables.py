"""The tables for other programs: one row a trial, one an attempt, one an epoch."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from automl.reports.model import Summary, TrialReport
from automl.skill.tree import ParamValue
from automl.space.model import SearchSpace

__all__ = ["attempts_frame", "epochs_frame", "trials_csv", "trials_frame"]

_AFTER_PARAMS: Mapping[str, str] = {
    "best_epoch": "Int64",
    "last_value": "Float64",
    "seconds": "Float64",
    "gpu_seconds": "Float64",
    "attempts": "Int64",
    "failure": "string",
    "evidence": "string",
    "source": "string",
    "confirms": "Int64",
    "seed": "Int64",
    "checkpoint": "string",
}


def trials_frame(summary: Summary) -> pd.DataFrame:
    """One row a trial, by number; every column has one type, whatever trials there are.

    The columns are ``number``, ``state``, ``metric.<objective>`` (at the best epoch),
    ``param.<dotted key>`` for each parameter, then what the trial took and how it ended.
    """
    metric = f"metric.{summary.objective.metric}"
    params = summary.param_keys
    columns: dict[str, pd.Series[Any]] = {
        "number": pd.Series([trial.number for trial in summary.trials], dtype="Int64"),
        "state": pd.Series([str(t.record.state) for t in summary.trials], dtype="string"),
        metric: pd.Series([t.record.best_value for t in summary.trials], dtype="Float64"),
    }
    for key in params:
        values = [trial.record.params.get(key) for trial in summary.trials]
        columns[f"param.{key}"] = _param_column(values, key, summary.space)
    rows = [_after_params(trial) for trial in summary.trials]
    for name, dtype in _AFTER_PARAMS.items():
        columns[name] = pd.Series([row[name] for row in rows], dtype=dtype)
    return pd.DataFrame(columns)


def _after_params(trial: TrialReport) -> dict[str, Any]:
    record = trial.record
    return {
        "best_epoch": record.best_epoch,
        "last_value": trial.last_value,
        "seconds": record.seconds,
        "gpu_seconds": record.gpu_seconds,
        "attempts": record.attempts,
        "failure": None if record.failure is None else str(record.failure),
        "evidence": record.evidence or None,
        "source": record.source,
        "confirms": record.confirms,
        "seed": trial.seed,
        "checkpoint": record.checkpoint,
    }


def _param_column(values: Sequence[ParamValue], key: str, space: SearchSpace) -> "pd.Series[Any]":
    dtype = _param_type(values, key, space)
    if dtype == "string":
        return pd.Series([_as_text(value) for value in values], dtype=dtype)
    return pd.Series(list(values), dtype=dtype)


def _param_type(values: Sequence[ParamValue], key: str, space: SearchSpace) -> str:
    """The narrowest column type that holds what the space can propose and what was tried."""
    types = {type(value) for value in values if value is not None}
    if key in space.keys:
        types |= space[key].value_types - {type(None)}
    if types == {bool}:
        return "boolean"
    if types == {int}:
        return "Int64"
    return "Float64" if types and types <= {int, float} else "string"


def _as_text(value: ParamValue) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)


#: Columns of an attempt, each a field of its outcome.
_OF_ATTEMPT: Mapping[str, str] = {
    "number": "Int64",
    "attempt": "Int64",
    "state": "string",
    "started_at": "string",
    "ended_at": "string",
    "seconds": "Float64",
    "gpu_seconds": "Float64",
    "failure": "string",
    "evidence": "string",
    "exit_code": "Int64",
    "checkpoint": "string",
    "checkpoint_sha256": "string",
    "node": "string",
    "note": "string",
}


def attempts_frame(summary: Summary) -> pd.DataFrame:
    """One row for each attempt that has ended, by trial and attempt; what is empty is missing."""
    ended = [outcome for trial in summary.trials for outcome in trial.attempts]
    columns = {
        name: pd.Series([_plain(getattr(outcome, name)) for outcome in ended], dtype=dtype)
        for name, dtype in _OF_ATTEMPT.items()
    }
    return pd.DataFrame(columns)


def _plain(value: Any) -> Any:
    return (str(value) or None) if isinstance(value, str) else value


def epochs_frame(summary: Summary) -> pd.DataFrame:
    """One row for each epoch of each trial: ``number``, ``epoch``, each metric, ``elapsed_s``.

    The objective stands first of the metrics. A metric that an epoch lacks is missing in its row.
    """
    rows = [(t.number, m) for t in summary.trials for m in t.measurements]
    others = sorted({name for _, m in rows for name in m.metrics} - {summary.objective.metric})
    columns: dict[str, pd.Series[Any]] = {
        "number": pd.Series([number for number, _ in rows], dtype="Int64"),
        "epoch": pd.Series([m.epoch for _, m in rows], dtype="Int64"),
    }
    for name in (summary.objective.metric, *others):
        values = [m.metrics.get(name) for _, m in rows]
        columns[f"metric.{name}"] = pd.Series(values, dtype="Float64")
    columns["elapsed_s"] = pd.Series([m.elapsed_s for _, m in rows], dtype="Float64")
    return pd.DataFrame(columns)


def trials_csv(summary: Summary) -> bytes:
    """``trials_frame`` as CSV in UTF-8: a missing value is empty, a list is JSON."""
    buffer = io.StringIO()
    trials_frame(summary).to_csv(buffer, index=False, lineterminator="\n")
    return buffer.getvalue().encode(errors="backslashreplace")
