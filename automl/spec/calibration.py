"""How many images an engine of 8-bit integers is calibrated on: never more than there are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automl.errors import FixInput
from automl.skill.tree import Tree, get
from automl.spec.sources import with_settings

__all__ = ["CALIBRATION", "fit_calibration"]

#: The block of TAO's engine builder, below the action's own.
CALIBRATION = "tensorrt.calibration"
_IMAGES = frozenset((".jpg", ".jpeg", ".png", ".bmp"))


def fit_calibration(
    action: str, tree: Tree, overrides: Mapping[str, Any], where: str
) -> tuple[Tree, str]:
    """The spec with batches that the calibration's folders can fill, and what changed, in words.

    Args:
        action: The action whose block holds the calibration.
        tree: The finished spec.
        overrides: What the user set, by dotted key; both numbers set to more is refused.
        where: What to call the overrides in an error.

    Returns:
        The spec, and a sentence; the same spec and no sentence where the images suffice or where
        they cannot be counted here.

    Raises:
        FixInput: The user's own batches need more images than there are.
    """
    block = f"{action}.{CALIBRATION}"
    size_key, count_key = f"{block}.cal_batch_size", f"{block}.cal_batches"
    size, count = get(tree, size_key, None), get(tree, count_key, None)
    images = _count(get(tree, f"{block}.cal_image_dir", None))
    if not images or not isinstance(size, int) or not isinstance(count, int):
        return tree, ""
    if size * count <= images:
        return tree, ""
    fitting = size if size_key in overrides else min(size, images)
    batches = count if count_key in overrides else max(1, images // fitting)
    if fitting * batches > images and count_key in overrides and size_key not in overrides:
        fitting = images // count
    if not fitting or fitting * batches > images:
        raise FixInput(
            "calibration must not take more images than there are",
            got=f"{batches} batches of {size} with {images} images",
            where=f"{where} {count_key}",
            fix=f"give fewer, such as {max(1, images // min(size, images))} batches of"
            f" {min(size, images)}",
        )
    changed = with_settings(tree, {size_key: fitting, count_key: batches}, "calibration")
    return changed, (
        f"calibration takes {batches} x {fitting} images instead of {count} x {size}:"
        f" there are {images} images"
    )


def _count(folders: Any) -> int:
    """Images that lie in some folders themselves; 0 where one of them is not on this machine."""
    names = folders if isinstance(folders, list) else [folders]
    places = [Path(name) for name in names if isinstance(name, str) and name]
    if len(places) != len(names) or not all(place.is_dir() for place in places):
        return 0
    return sum(file.suffix.lower() in _IMAGES for place in places for file in place.iterdir())
