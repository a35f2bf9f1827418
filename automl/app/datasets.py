"""From what the user called the data to folders on this machine, checked before any training."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.app.cache import cache_dir
from automl.app.settings import Layers, StudyFile, unknown_setting
from automl.data.archive import resolve_source
from automl.data.staging import Transfer, is_remote, stage
from automl.errors import FixInput, InstallExtra
from automl.study.config import DataSources

if TYPE_CHECKING:
    from automl.data.synth.request import SynthRequest

__all__ = ["SPLITS", "resolve_data", "synth_request"]

SPLITS = ("train", "val", "test", "inference")

_SYNTH = ("category", "train", "val", "test", "seed", "difficulty", "image_format")

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one split was called, and by whom."""

    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class _DataBlock:
    """The ``data`` of a study file."""

    splits: Mapping[str, str] = field(default_factory=dict)
    synth: Mapping[str, Any] | None = None


def resolve_data(
    layers: Layers, file: StudyFile | None, tell: Tell, transfer: Transfer | None = None
) -> DataSources:
    """The folder of each split that was named; tarballs are extracted, synthetic sets rendered.

    Args:
        layers: Flags ``train_data``, ``val_data``, ``test_data``, ``inference_data``.
        file: The study file, whose ``data`` block holds the same by split, or ``synth``.
        tell: Told in a sentence when something that takes a while begins.
        transfer: Told how far it is when something is brought from another machine.

    Raises:
        FixInput: A source does not exist or is unsafe, or the block holds an unknown word.
        InstallExtra: Rendering needs the trainer's packages.
    """
    block = _block(file)
    sources = DataSources()
    if file is not None and block.synth is not None:
        sources = _rendered(_requested(block.synth, file), tell)
    for split in SPLITS:
        asked = _asked(layers, file, block, split)
        if asked is not None:
            folder, origin = _resolved(asked, split, tell, transfer)
            layers.origin[f"data.{split}"] = origin
            sources = replace(sources, **{split: str(folder)})
    return sources


def _resolved(
    asked: _Asked, split: str, tell: Tell, transfer: Transfer | None
) -> tuple[Path, str]:
    """The folder of a split, and where it came from: of what was brought, with its hash."""
    try:
        if not is_remote(asked.value):
            return resolve_source(asked.value, cache_dir()), asked.origin
        tell(f"{split} data is brought from another machine, once")
        staged = stage(asked.value, cache_dir(), transfer)
        return resolve_source(str(staged.path), cache_dir()), f"{asked.origin}: {staged}"
    except InstallExtra:
        raise
    except FixInput as error:
        where = f"{split} data, {asked.origin}"
        raise FixInput(error.rule, got=error.got, where=where, fix=error.fix) from error


def _asked(layers: Layers, file: StudyFile | None, block: _DataBlock, split: str) -> _Asked | None:
    flag = layers.pick(f"{split}_data")
    origin = layers.origin.pop(f"{split}_data")
    if flag is not None:
        return _Asked(str(flag), origin)
    if file is not None and split in block.splits:
        return _Asked(file.located(block.splits[split]), str(file.path))
    return None


def _block(file: StudyFile | None) -> _DataBlock:
    value = file.values.get("data") if file else None
    if file is None or value is None:
        return _DataBlock()
    if not isinstance(value, Mapping):
        raise FixInput("data must be a mapping", got=repr(value), where=str(file.path))
    for name in value:
        if name not in (*SPLITS, "synth"):
            raise unknown_setting(str(name), (*SPLITS, "synth"), f"{file.path}: data")
    synth = value.get("synth")
    if synth is not None and not isinstance(synth, Mapping):
        raise FixInput("data.synth must be a mapping", got=repr(synth), where=str(file.path))
    for name in synth or ():
        if name not in _SYNTH:
            raise unknown_setting(str(name), _SYNTH, f"{file.path}: data.synth")
    return _DataBlock({split: str(value[split]) for split in SPLITS if value.get(split)}, synth)


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
        raise FixInput(f"a difficulty is one of {', '.join(PRESETS)}", got=repr(preset))
    for name in ("train", "val", "test", "seed"):
        value = words.get(name, 0)
        if not isinstance(value, int) or isinstance(value, bool):
            raise FixInput(f"{name} must be a whole number", got=repr(value))
    for name in ("category", "image_format"):
        if not isinstance(words.get(name, ""), str):
            raise FixInput(f"{name} must be a word", got=repr(words[name]))
    return SynthRequest(**words, difficulty=PRESETS[preset])


def _requested(words: Mapping[str, Any], file: StudyFile) -> "SynthRequest":
    try:
        return synth_request(words)
    except InstallExtra:
        raise
    except FixInput as error:
        where = f"{file.path}: data.synth"
        raise FixInput(error.rule, got=error.got, where=where, fix=error.fix) from error


def _rendered(request: "SynthRequest", tell: Tell) -> DataSources:
    from automl.data.synth.demo import ensure_demo

    told: list[str] = []

    def progress(_: int, total: int) -> None:
        if not told:
            told.append(f"rendering {total} synthetic images of category {request.category}, once")
            tell(told[0])

    folders = ensure_demo(cache_dir(), request, progress)
    found = {split: getattr(folders, split) for split in ("train", "val", "test")}
    sources = DataSources(**{split: str(folder) for split, folder in found.items() if folder})
    return replace(sources, inference=sources.val)
