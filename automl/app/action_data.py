"""The data of an action: what the flags name, else what the study has recorded."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from automl.app.datasets import SPLITS, resolve_data
from automl.app.settings import Layers
from automl.data.layout import list_frames
from automl.errors import FixInput
from automl.skill.tree import get
from automl.study.config import DataSources

__all__ = ["action_data"]

_CENTERPOSE = "centerpose"

#: Where an action's data may come from, best first. TAO's own table infers on the val archive.
_FEEDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "evaluate": ("test", ("test", "val")),
    "inference": ("inference", ("inference", "val", "test")),
    "gen_trt_engine": ("train", ("train",)),
}


def action_data(
    action: str,
    network: str,
    flags: Mapping[str, str | None],
    recorded: DataSources,
    trained: Mapping[str, Any],
    tell: Callable[[str], None],
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The data for an action, by split, and what to say of the choice.

    Args:
        action: TAO's name of the action.
        network: Calibration images are found within a split for CenterPose alone.
        flags: Split to a folder or tarball; None where not given.
        recorded: What the study was given.
        trained: The spec of the training, asked where the study recorded nothing.
        tell: Told when something that takes a while begins.

    Returns:
        Every split that is known to its folder, the action's own to the one chosen for it, or to
        the list of its image folders for calibration; and sentences.

    Raises:
        FixInput: A source does not exist or is unsafe.
    """
    layers = Layers([("flag", {f"{split}_data": value for split, value in flags.items()})])
    named = resolve_data(layers, None, tell)
    sources = _merged(named, recorded, trained)
    wanted, feeds = _FEEDS.get(action, ("", ()))
    split = next((each for each in feeds if getattr(named, each)), None)
    split = split or next((each for each in feeds if getattr(sources, each)), None)
    every = {each: getattr(sources, each) for each in SPLITS if getattr(sources, each)}
    if split is None:
        return every, ()
    folder = getattr(sources, split)
    notes = () if split == wanted else (f"no {wanted} data is recorded: it reads {split}",)
    if action == "gen_trt_engine":
        images = _image_folders(Path(folder)) if network == _CENTERPOSE else [folder]
        return every | {"train": images}, notes
    return every | {wanted: folder}, notes


def _merged(named: DataSources, recorded: DataSources, trained: Mapping[str, Any]) -> DataSources:
    sources = recorded
    for split in SPLITS:
        # What a training's spec says of other splits was derived from those that were recorded.
        in_spec = get(trained, f"dataset.{split}_data", "") if recorded == DataSources() else ""
        value = getattr(named, split) or getattr(recorded, split) or str(in_spec or "")
        sources = replace(sources, **{split: value})
    return sources


def _image_folders(root: Path) -> list[str]:
    """The folders of a split that hold images themselves: calibration does not look deeper."""
    if not root.is_dir():
        raise FixInput("calibration images are in a folder that exists", got=str(root))
    folders = {frame.image.parent for frame in list_frames(root, annotated=False)}
    return [str(folder) for folder in sorted(folders)]
