"""From what the user called the data to folders on this machine, checked before any training."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.app.study_settings import SPLITS
from automl.data.archive import resolve_source
from automl.data.cache import cache_dir
from automl.data.staging import Transfer, is_remote, stage
from automl.errors import FixInput, InstallExtra
from automl.settings.layers import Settings
from automl.settings.study_file import unknown_setting
from automl.study.config import DataSources

if TYPE_CHECKING:
    from automl.data.synth.request import SynthRequest

__all__ = ["DataNames", "SplitName", "data_names", "resolve_data", "synth_request"]

_SYNTH = ("category", "train", "val", "test", "seed", "difficulty", "image_format")

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SplitName:
    """What one split was called, and by whom."""

    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class DataNames:
    """What a study's data was called.

    Attributes:
        splits: Split to its name, those alone that were named.
        synth: Words of a synthetic set; None where none is asked for.
        where: Who asked for that set.
    """

    splits: Mapping[str, SplitName] = field(default_factory=dict)
    synth: Mapping[str, Any] | None = None
    where: str = ""


def data_names(settings: Settings) -> DataNames:
    """What flags and study file call the data.

    Raises:
        FixInput: A word of the synthetic set is unknown.
    """
    splits = {
        split: SplitName(value, settings.origin(f"{split}_data"))
        for split in SPLITS
        if (value := settings[f"{split}_data"])
    }
    synth, where = settings["synth"], f"{settings.origin('synth')}: data.synth"
    for name in synth or ():
        if name not in _SYNTH:
            raise unknown_setting(str(name), _SYNTH, where)
    return DataNames(splits, synth, where)


def resolve_data(
    names: DataNames, tell: Tell, transfer: Transfer | None = None
) -> tuple[DataSources, dict[str, str]]:
    """The folder of each split that was named; tarballs are extracted, synthetic sets rendered.

    Args:
        names: What the splits were called.
        tell: Called with a sentence when something that takes a while begins.
        transfer: Called with how far it is when something is brought from another machine.

    Returns:
        The folders, and ``data.SPLIT`` to where each came from.

    Raises:
        FixInput: A source does not exist or is unsafe, or a word of the set has the wrong value.
        InstallExtra: Rendering needs the trainer's packages.
    """
    sources, origins = DataSources(), dict[str, str]()
    if names.synth is not None:
        sources = _rendered(_requested(names.synth, names.where), tell)
    for split, name in names.splits.items():
        folder, origins[f"data.{split}"] = _resolved(name, split, tell, transfer)
        sources = replace(sources, **{split: str(folder)})
    return sources, origins


def _resolved(
    name: SplitName, split: str, tell: Tell, transfer: Transfer | None
) -> tuple[Path, str]:
    """The folder of a split, and where it came from: of what was brought, with its hash."""
    try:
        if not is_remote(name.value):
            return resolve_source(name.value, cache_dir()), name.origin
        tell(f"{split} data is brought from another machine, once")
        staged = stage(name.value, cache_dir(), transfer)
        return resolve_source(str(staged.path), cache_dir()), f"{name.origin}: {staged}"
    except InstallExtra:
        raise
    except FixInput as error:
        where = f"{split} data, {name.origin}"
        raise type(error)(error.rule, got=error.got, where=where, fix=error.fix) from error


def synth_request(words: Mapping[str, Any]) -> "SynthRequest":
    """A synthetic data set as a study file or the command line asks for it.

    Raises:
        FixInput: A word has the wrong value.
        InstallExtra: Rendering needs the trainer's packages.
    """
    from automl.data.synth.request import PRESETS, SynthRequest

    words = dict(words)
    preset = str(words.pop("difficulty", "easy"))
    if preset not in PRESETS:
        raise FixInput(f"a difficulty must be one of {', '.join(PRESETS)}", got=repr(preset))
    for name in ("train", "val", "test", "seed"):
        value = words.get(name, 0)
        if not isinstance(value, int) or isinstance(value, bool):
            raise FixInput(f"{name} must be a whole number", got=repr(value))
    for name in ("category", "image_format"):
        if not isinstance(words.get(name, ""), str):
            raise FixInput(f"{name} must be a word", got=repr(words[name]))
    return SynthRequest(**words, difficulty=PRESETS[preset])


def _requested(words: Mapping[str, Any], where: str) -> "SynthRequest":
    try:
        return synth_request(words)
    except InstallExtra:
        raise
    except FixInput as error:
        raise FixInput(error.rule, got=error.got, where=where, fix=error.fix) from error


def _rendered(request: "SynthRequest", tell: Tell) -> DataSources:
    from automl.data.synth.demo import ensure_demo

    said: list[str] = []

    def progress(_: int, total: int) -> None:
        if not said:
            said.append(f"rendering {total} synthetic images of category {request.category}, once")
            tell(said[0])

    folders = ensure_demo(cache_dir(), request, progress)
    rendered = {split: getattr(folders, split) for split in ("train", "val", "test")}
    sources = DataSources(**{split: str(folder) for split, folder in rendered.items() if folder})
    return replace(sources, inference=sources.val)
