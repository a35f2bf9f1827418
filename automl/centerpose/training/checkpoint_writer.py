"""Writing checkpoints while the training goes on."""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from torch import Tensor

from automl.centerpose.session.checkpoints import save_checkpoint
from automl.centerpose.session.tao_checkpoint import OWN, TAO, in_tao_form
from automl.trainers.contract import CheckpointName

__all__ = ["CheckpointWriter", "to_host"]


class CheckpointWriter:
    """Copies a state to the host at once, and writes it to disk from a thread.

    At most one checkpoint is being written at a time, and they reach the disk in order. The caller
    calls ``join`` at the end: only then is the last one known to be there.

    Args:
        folder: Results folder of the training.
        form: ``own``, or ``tao`` for files that the container reads.
    """

    def __init__(self, folder: Path, form: str = OWN) -> None:
        self._folder = folder
        self._form = form
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._pending: Future[Path] | None = None

    def write(self, name: CheckpointName, content: Mapping[str, Any]) -> None:
        """Begins to write a checkpoint; the state may change as soon as this returns.

        Raises:
            OSError: The checkpoint before could not be written.
        """
        self.join()
        copied = to_host(content)
        self._pending = self._thread.submit(self._save, name, copied)

    def _save(self, name: CheckpointName, content: Mapping[str, Any]) -> Path:
        is_tao = self._form == TAO
        return save_checkpoint(self._folder, name, in_tao_form(content) if is_tao else content)

    def join(self) -> None:
        """Waits until everything is on disk.

        Raises:
            OSError: It could not be written.
        """
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()

    def close(self) -> None:
        """Waits until everything is on disk, and ends the thread.

        Raises:
            OSError: It could not be written.
        """
        self._thread.shutdown()
        self.join()


def to_host(content: Any) -> Any:
    """A copy of nested dictionaries and lists, each tensor in memory of its own on the CPU."""
    if isinstance(content, Tensor):
        return content.detach().to("cpu", copy=True)
    if isinstance(content, Mapping):
        return {key: to_host(value) for key, value in content.items()}
    if isinstance(content, list):
        return [to_host(value) for value in content]
    return content
