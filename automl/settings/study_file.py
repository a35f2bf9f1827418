"""The study file: settings as YAML."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.settings.layers import Layer, read_layer
from automl.settings.setting import Setting
from automl.yamltext import line_of, load_yaml, read_text

__all__ = ["StudyFile", "read_study_file", "unknown_setting"]


@dataclass(frozen=True, slots=True)
class StudyFile:
    """A study file as read.

    Attributes:
        path: Where it was read from.
        layer: Its settings, typed.
        values: What it holds, as YAML reads it.
        text: The file's own text, kept with the study.
    """

    path: Path
    layer: Layer
    values: Mapping[str, Any]
    text: str


def read_study_file(path: Path, table: Mapping[str, Setting]) -> StudyFile:
    """Reads a study file; it may hold the settings of the table alone.

    Raises:
        FixInput: The file is missing, is not YAML, or holds an unknown setting or a wrong value.
    """
    if not path.is_file():
        beside = [file.name for file in path.parent.glob("*.yaml")]
        fix = did_you_mean(path.name, beside) or "name a YAML file"
        raise FixInput("a study file must exist", got=str(path), fix=fix)
    text = read_text(path)
    values = load_yaml(text, where=str(path))
    if values is None:
        values = {}
    if not isinstance(values, Mapping):
        got = type(values).__name__
        raise FixInput("a study file must be a mapping of settings", got=got, where=str(path))
    names = {setting.file_key: setting.name for setting in table.values() if setting.file_key}
    typed: dict[str, Any] = {}
    for key, value in _entries(values, names, partial(_line, path, text)):
        setting = table[names[key]]
        try:
            typed |= read_layer(table, {setting.name: value}, str(path), path.parent).values
        except FixInput as error:
            error.where = _place(error, path, text, setting)
            raise
    return StudyFile(path, Layer(typed, str(path)), values, text)


def _place(error: FixInput, path: Path, text: str, setting: Setting) -> str:
    """Where a wrong value stands: file, line, setting, and what within the setting."""
    key = setting.file_key
    within = error.where.removeprefix(str(path)).removeprefix(":").strip()
    within = within.removeprefix(setting.flag).strip().removeprefix(key).strip()
    named = "" if error.rule.startswith(f"{key} ") else key
    detail = " ".join(part for part in (named, within) if part)
    place = _line(path, text, key)
    return f"{place}: {detail}" if detail else place


def _line(path: Path, text: str, key: str) -> str:
    """The file, and the line in which a setting stands."""
    line = line_of(text, key.split("."))
    return f"{path}, line {line}" if line else str(path)


def _entries(
    values: Mapping[str, Any], known: Iterable[str], line: Callable[[str], str], block: str = ""
) -> Iterator[tuple[str, Any]]:
    """Full key and value of each setting; the keys of a block are ``block.key``."""
    names = tuple(dict.fromkeys(_first_part(key, block) for key in known if key.startswith(block)))
    for name, value in values.items():
        key = f"{block}{name}"
        if name not in names:
            place = f"{line(key)}: {block.rstrip('.')}" if block else line(key)
            raise unknown_setting(str(name), names, place)
        if key in known:
            yield key, value
        elif isinstance(value, Mapping):
            yield from _entries(value, known, line, f"{key}.")
        elif value is not None:
            raise FixInput(f"{key} must be a mapping", got=repr(value), where=line(key))


def _first_part(key: str, block: str) -> str:
    return key.removeprefix(block).partition(".")[0]


def unknown_setting(key: str, known: Iterable[str], where: str) -> FixInput:
    """The error for a setting nobody knows, naming the nearest one that exists."""
    names = list(known)
    fix = did_you_mean(key, names) or f"known settings: {', '.join(names)}"
    return FixInput(f"unknown setting '{key}'", where=where, fix=fix)
