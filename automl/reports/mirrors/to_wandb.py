"""Weights & Biases, offline: one group a study; ``wandb sync`` sends its folders."""

import shutil
from pathlib import Path

import wandb

from automl.reports.mirrors.model import MirroredRun

__all__ = ["WandbMirror"]

_PROJECT = "automl"


class WandbMirror:
    """Offline runs in a folder; nothing goes over a network.

    Args:
        place: The folder.
    """

    def __init__(self, place: str) -> None:
        self._folder = Path(place)
        self._folder.mkdir(parents=True, exist_ok=True)

    def show(self, run: MirroredRun, parent: MirroredRun | None) -> None:
        """Writes a run; an older record of the same run is removed, for both have one id."""
        older = [*self._folder.glob(f"wandb/offline-run-*-{run.key}")]
        settings = wandb.Settings(silent=True, console="off", disable_git=True, save_code=False)
        with wandb.init(
            project=_PROJECT,
            group=run.study,
            job_type="study" if parent is None else "trial",
            id=run.key,
            name=run.name,
            dir=str(self._folder),
            mode="offline",
            config=dict(run.params),
            tags=[f"{name}:{text}"[:64] for name, text in run.tags.items() if name != "evidence"],
            settings=settings,
        ) as written:
            for point in run.points:
                written.log(dict(point.metrics), step=point.epoch)
            written.summary.update(dict(run.result))
            for path in run.files:
                written.save(str(path), base_path=str(path.parent.parent), policy="now")
        for folder in older:
            shutil.rmtree(folder)

    def close(self) -> None:
        """Nothing is left to write."""
