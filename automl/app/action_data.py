"""The data of an action: what the flags name, else what the study has recorded.

Which split an action is for is the skill's to say (``spec.source_table``). What may stand in for
a split that nobody recorded is said here: it holds for every skill, and is reported.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from automl.app.datasets import DataNames, SplitName, resolve_data
from automl.app.networks import network_of
from automl.app.study_settings import SPLITS
from automl.data.layout import list_frames
from automl.errors import FixInput
from automl.skill.model import Skill
from automl.skill.tree import get
from automl.spec.source_table import split_keys, takers, with_table
from automl.study.config import DataSources

__all__ = ["action_data"]

_ENGINE = "gen_trt_engine"

#: What stands in for a split that was not recorded, best first: images that were not trained on.
_STANDS_IN: Mapping[str, tuple[str, ...]] = {"test": ("val",), "inference": ("val", "test")}


def action_data(
    action: str,
    skill: Skill,
    flags: Mapping[str, str | None],
    recorded: DataSources,
    trained: Mapping[str, Any],
    tell: Callable[[str], None],
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The data for an action, by split, and what to say of the choice.

    Args:
        action: TAO's name of the action.
        skill: Says which splits the action is for.
        flags: Split to a folder or tarball; None where not given.
        recorded: What the study was given.
        trained: The spec of the training, asked where the study recorded nothing.
        tell: Called when something that takes a while begins.

    Returns:
        Every split that is known to its folder, the action's own to the one chosen for it, or to
        the list of its image folders for calibration; and sentences.

    Raises:
        FixInput: A source does not exist or is unsafe.
    """
    splits = {
        split: SplitName(value, f"--{split}-data") for split, value in flags.items() if value
    }
    named, _ = resolve_data(DataNames(splits), tell)
    sources = _merged(named, recorded, _in_spec(skill, trained))
    every: dict[str, Any] = {
        each: getattr(sources, each) for each in SPLITS if getattr(sources, each)
    }
    notes = []
    for feeds in _feeds(skill, action):
        wanted = feeds[0]
        split = next((each for each in feeds if getattr(named, each)), None)
        split = split or next((each for each in feeds if getattr(sources, each)), None)
        if split is None:
            continue
        every[wanted] = getattr(sources, split)
        if split != wanted:
            notes.append(f"no {wanted} data is recorded: it reads {split}")
        if action == _ENGINE:
            every[wanted] = _calibration(skill, every[wanted])
    return every, tuple(notes)


def _feeds(skill: Skill, action: str) -> list[tuple[str, ...]]:
    """For each split that an action is for: that split and what may stand in for it."""
    found = takers(with_table(skill), action)
    firsts = {taker.splits[0]: taker.splits[1:] for taker in found if taker.splits}
    known = [(first, *_STANDS_IN.get(first, ()), *rest) for first, rest in firsts.items()]
    return [tuple(each for each in dict.fromkeys(feeds) if each in SPLITS) for feeds in known]


def _calibration(skill: Skill, folder: str) -> list[str]:
    """Folders of images; they are looked for within a split where its layout is known here."""
    return [folder] if network_of(skill) is None else _image_folders(Path(folder))


def _merged(named: DataSources, recorded: DataSources, in_spec: DataSources) -> DataSources:
    # What a training's spec says of other splits was derived from those that were recorded.
    below = in_spec if recorded == DataSources() else recorded
    return replace(below, **{split: value for split, value in asdict(named).items() if value})


def _in_spec(skill: Skill, trained: Mapping[str, Any]) -> DataSources:
    """The folders that the spec of a training names."""
    named = (
        (split, get(trained, key, None)) for key, split in split_keys(with_table(skill)).items()
    )
    folders = {split: value for split, value in named if isinstance(value, str)}
    return DataSources(**{split: folders.get(split, "") for split in SPLITS})


def _image_folders(root: Path) -> list[str]:
    """The folders of a split that hold images themselves: calibration does not look deeper."""
    if not root.is_dir():
        raise FixInput("calibration images must be in a folder that exists", got=str(root))
    folders = {frame.image.parent for frame in list_frames(root, annotated=False)}
    return [str(folder) for folder in sorted(folders)]
