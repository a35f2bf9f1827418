"""The small data set of the demonstration, made once and kept in a cache."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from automl.data.synth.make import Progress, synthesise
from automl.data.synth.request import EASY, SynthRequest
from automl.filelock import locked

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
    """
    store = cache.absolute() / "synth"
    out = store / f"{request.category}-{request.key()}"
    with locked(store / f"{out.name}.lock"):
        for left_over in store.glob(f".{out.name}.*"):
            shutil.rmtree(left_over, ignore_errors=True)
        splits = synthesise(request, out, progress).splits
    return DataFolders(splits.get("train"), splits.get("val"), splits.get("test"))
