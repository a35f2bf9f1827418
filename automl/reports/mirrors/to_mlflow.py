"""MLflow: one experiment a study, its run above the runs of its trials.

Without an address everything goes into an SQLite file beside a folder of artifacts:
``mlflow ui --backend-store-uri sqlite:///FILE`` shows it.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.tracking import MlflowClient

from automl.reports.mirrors.model import MirroredRun

__all__ = ["MlflowMirror"]

_KEY = "automl.key"
_STATES = {"finished": "FINISHED", "stopped": "KILLED", "failed": "FAILED", "running": "RUNNING"}
#: What MLflow's stores take at once, and how long a setting may be.
_MOST_AT_ONCE, _MOST_PARAMS, _LONGEST = 1000, 100, 500


class MlflowMirror:
    """Runs in MLflow's tracking store.

    Args:
        place: An address (``http://...``, ``sqlite:///...``), or a folder for store and artifacts.
    """

    def __init__(self, place: str) -> None:
        logging.getLogger("mlflow").setLevel(logging.ERROR)
        self._artifacts: str | None = None
        address = place
        if "://" not in place:
            folder = Path(place)
            folder.mkdir(parents=True, exist_ok=True)
            address = f"sqlite:///{folder / 'mlflow.db'}"
            self._artifacts = (folder / "artifacts").as_uri()
        self._client = MlflowClient(tracking_uri=address)
        self._runs: dict[str, str] = {}

    def show(self, run: MirroredRun, parent: MirroredRun | None) -> None:
        """Writes a run; metrics of an epoch that is there already stay one."""
        experiment = self._experiment(run.study)
        number = self._found(experiment, run) or self._made(experiment, run, parent)
        self._runs[run.key] = number
        for metrics in _pieces(list(_metrics(run)), _MOST_AT_ONCE):
            self._client.log_batch(number, metrics=metrics)
        params = [Param(key, str(value)[:_LONGEST]) for key, value in run.params.items()]
        for piece in _pieces(params, _MOST_PARAMS):
            self._client.log_batch(number, params=piece)
        tags = [RunTag(name, text[:_LONGEST]) for name, text in run.tags.items()]
        self._client.log_batch(number, tags=tags)
        for path in run.files:
            self._client.log_artifact(number, str(path), path.parent.name)
        self._client.set_terminated(number, _STATES[run.state], run.ended_ms or None)
        if run.state == "running":
            self._client.update_run(number, status="RUNNING")

    def close(self) -> None:
        """Nothing is left to write."""

    def _experiment(self, name: str) -> str:
        known = self._client.get_experiment_by_name(name)
        if known is not None:
            return str(known.experiment_id)
        return str(self._client.create_experiment(name, artifact_location=self._artifacts))

    def _found(self, experiment: str, run: MirroredRun) -> str | None:
        found = self._client.search_runs([experiment], f"tags.`{_KEY}` = '{run.key}'")
        return str(found[0].info.run_id) if found else None

    def _made(self, experiment: str, run: MirroredRun, parent: MirroredRun | None) -> str:
        tags = {_KEY: run.key, "mlflow.source.name": "automl"}
        if parent is not None:
            tags["mlflow.parentRunId"] = self._runs[parent.key]
        made: Run = self._client.create_run(
            experiment, start_time=run.started_ms or None, tags=tags, run_name=run.name
        )
        return str(made.info.run_id)


def _metrics(run: MirroredRun) -> Iterator[Metric]:
    for point in run.points:
        for name, value in point.metrics.items():
            yield Metric(name, value, point.time_ms, point.epoch)
    for name, value in run.result.items():
        yield Metric(name, value, run.ended_ms or run.started_ms, 0)


def _pieces(entries: list, size: int) -> Iterator[list]:  # type: ignore[type-arg]
    for start in range(0, len(entries), size):
        yield entries[start : start + size]
