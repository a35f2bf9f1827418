"""The small data set of the demonstration, made once and kept in a cache."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from automl.data.store import kept
from automl.data.synth.make import Progress, draw_into
from automl.data.synth.request import EASY, SynthRequest

__all__ = ["DEMO", "DataFolders", "ensure_demo"]

DEMO: Final = SynthRequest(
    category="cereal_box", train=320, val=64, test=64, seed=7, difficulty=EASY
)
"""Small enough for minutes on two CPU cores, large enough that a small network learns from it."""


@dataclass(frozen=True, slots=True)
class DataFolders:
    """Where the splits of a data set are; None for one that it lacks.

    Attributes:
        train: Folder of the train split.
        val: Folder of the val split.
        test: Folder of the test split.
    """

    train: Path | None
    val: Path | None
    test: Path | None


def ensure_demo(
    cache: Path, request: SynthRequest = DEMO, progress: Progress | None = None
) -> DataFolders:
    """The folders of a synthetic data set in a cache, made first if it is not there yet.

    Two processes that ask at once make it once: the second waits for the first.

    Args:
        cache: Made when needed; one data set for each request is kept in it.
        request: What data set.
        progress: Told of images made so far; not called when it is there already.

    Raises:
        PrepareMachine: The cache cannot be written.
    """

    def make(folder: Path) -> None:
        draw_into(folder, request, progress)

    out = kept(cache.absolute() / "synth", f"{request.category}-{request.key()}", make)
    splits = {split: out / split for split, count in request.images().items() if count}
    return DataFolders(splits.get("train"), splits.get("val"), splits.get("test"))
