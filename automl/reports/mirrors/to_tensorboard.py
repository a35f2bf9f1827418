"""TensorBoard: one folder of event files a run, with settings for its HPARAMS page.

``tensorboard --logdir FOLDER`` shows it.
"""

import shutil
from pathlib import Path
from typing import Any

from tensorboardX import SummaryWriter
from tensorboardX.summary import hparams

from automl.reports.mirrors.model import MirroredRun

__all__ = ["TensorboardMirror"]


class TensorboardMirror:
    """Event files in a folder.

    Args:
        place: The folder.
    """

    def __init__(self, place: str) -> None:
        self._folder = Path(place)

    def show(self, run: MirroredRun, parent: MirroredRun | None) -> None:
        """Writes a run anew: event files cannot be changed."""
        folder = self._folder / run.study / run.name
        if folder.is_dir():
            shutil.rmtree(folder)
        writer = SummaryWriter(logdir=str(folder), write_to_disk=True)
        try:
            for point in run.points:
                for name, value in point.metrics.items():
                    writer.add_scalar(name, value, point.epoch, walltime=point.time_ms / 1000)
            for name, value in run.result.items():
                writer.add_scalar(f"result/{name}", value, 0, walltime=run.ended_ms / 1000)
            if parent is not None and run.params:
                self._settings(writer, run)
        finally:
            writer.close()

    def close(self) -> None:
        """Nothing is left to write."""

    def _settings(self, writer: SummaryWriter, run: MirroredRun) -> None:
        plain: dict[str, Any] = {
            key: value if isinstance(value, bool | int | float | str) else str(value)
            for key, value in run.params.items()
        }
        metrics = {f"result/{name}": value for name, value in run.result.items()}
        for summary in hparams(plain, metrics):
            writer.file_writer.add_summary(summary)
