"""A split checked with what this machine has: its decoder, and its memory of files read before."""

from collections.abc import Callable
from pathlib import Path

from automl.data.cache import cache_dir
from automl.data.checks import Purpose, SplitFacts, check_split
from automl.data.imagefile import ImageFile
from automl.data.wholeimage import ReadThrough
from automl.errors import InstallExtra

__all__ = ["read_through_split"]


def read_through_split(root: Path, purpose: Purpose) -> SplitFacts:
    """What a split holds; every image is read to its end the first time, and when it changed.

    Raises:
        FixData: Training could not read it, or not use it.
    """
    images = ReadThrough(cache_dir() / "checked", root, _decoder())
    facts = check_split(root, purpose, images.check)
    images.remember()
    return facts


def _decoder() -> Callable[[Path, ImageFile], bool] | None:
    """The decoder of the trainer; None where it is not installed."""
    try:
        from automl.data.opencv import decodes
    except InstallExtra:
        return None
    return decodes
