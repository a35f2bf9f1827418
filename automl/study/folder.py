"""Making a study folder, reading it back, and listing those there are."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from automl.errors import FixInput, PrepareMachine, ResolveConflict
from automl.files import write_json, write_text
from automl.jsontext import read_json
from automl.skill.keys import NetworkKeys, find_keys
from automl.skill.tree import Tree, leaves, whole_number
from automl.study.clock import Clock, utc_now
from automl.study.config import StudyConfig
from automl.study.layout import StudyPaths
from automl.study.standing import Standing, standing_of
from automl.yamltext import dump_yaml, load_yaml

__all__ = [
    "NewStudy",
    "check_name",
    "create_folder",
    "epochs_of",
    "fresh_name",
    "has_keys",
    "is_study",
    "list_studies",
    "read_base_spec",
    "read_config",
    "read_provenance",
    "read_space",
    "write_study",
]

SPACE_FORMAT = 1

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")


@dataclass(frozen=True, slots=True)
class NewStudy:
    """Everything that is written when a study begins.

    Attributes:
        request: What was asked, as given: the study file and the flags.
        config: What it became.
        space: The plain form of the search space, its digest included.
        base_spec: The spec every trial starts from.
        provenance: Versions, hashes, host.
    """

    request: Mapping[str, Any]
    config: StudyConfig
    space: Mapping[str, Any]
    base_spec: Tree
    provenance: Mapping[str, Any] = field(default_factory=dict)


def fresh_name(studies_dir: Path, hint: str, clock: Clock = utc_now) -> str:
    """A readable name that no study has yet: ``centerpose-1123-0415``, then ``...-2``.

    Args:
        studies_dir: Where studies are kept; need not exist.
        hint: What the name begins with; signs that a name cannot have become ``-``.
        clock: Month, day, hour and minute come from here, in local time.
    """
    word = re.sub(r"[^a-z0-9]+", "-", hint.lower()).strip("-") or "study"
    stem = f"{word[:60]}-{clock().astimezone():%m%d-%H%M}"
    name, count = stem, 1
    while (studies_dir / name).exists():
        count += 1
        name = f"{stem}-{count}"
    return name


def check_name(name: str, where: str = "--name") -> str:
    """The name itself, if a study may have it.

    Raises:
        FixInput: The name cannot be a folder's.
    """
    if not _NAME.fullmatch(name):
        raise FixInput(
            "a study's name must consist of letters, digits, '.', '_' and '-', starting with a "
            "letter or digit, at most 100",
            got=repr(name),
            where=where,
        )
    return name


def create_folder(studies_dir: Path, name: str) -> StudyPaths:
    """Makes the folder of a new study.

    A folder that a crash left before the study was written down is used again.

    Raises:
        FixInput: The name cannot be a folder's.
        PrepareMachine: The folder cannot be made.
        ResolveConflict: There is a study, or something else, of this name.
    """
    check_name(name)
    paths = StudyPaths((studies_dir / name).absolute())
    try:
        paths.folder.mkdir(parents=True)
    except FileExistsError as error:
        if not _is_left_over(paths):
            raise ResolveConflict(
                "a new study needs a name of its own",
                got=name,
                where=str(paths.folder),
                fix=f"choose another --name, or {_how_to_go_on(paths)}",
            ) from error
    except OSError as error:
        raise PrepareMachine(
            "studies must be kept in a folder that can be written",
            got=error.strerror or str(error),
            where=str(studies_dir),
            fix="choose another --studies-dir",
        ) from error
    return paths


def _how_to_go_on(paths: StudyPaths) -> str:
    name = paths.folder.name
    if not is_study(paths):
        return "remove that folder, which holds no study"
    if standing_of(paths) is Standing.ENDED:
        return f"give that study more trials: automl resume {shlex.quote(name)} --trials N"
    return f"continue that study: automl resume {shlex.quote(name)}"


def _is_left_over(paths: StudyPaths) -> bool:
    ours = {
        path.name
        for path in (paths.request, paths.space, paths.base_spec, paths.provenance, paths.lock)
    }
    return paths.folder.is_dir() and all(
        entry.name in ours or entry.name.startswith(".") for entry in paths.folder.iterdir()
    )


def write_study(paths: StudyPaths, study: NewStudy) -> None:
    """Writes down what a study is; ``resolved.json`` comes last and makes it one."""
    write_text(paths.request, dump_yaml(dict(study.request)), paths.folder)
    write_json(paths.space, {"format": SPACE_FORMAT, **study.space}, paths.folder)
    write_text(paths.base_spec, dump_yaml(study.base_spec), paths.folder)
    write_json(paths.provenance, dict(study.provenance), paths.folder)
    write_json(paths.resolved, study.config.to_json(), paths.folder)


def read_config(paths: StudyPaths) -> StudyConfig:
    """What the study was resolved to.

    Raises:
        FixInput: The folder is no study, or the file is broken.
    """
    value = _read_json(paths.resolved)
    try:
        config = StudyConfig.from_json(value)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _broken(paths.resolved, error) from error
    return config if config.keys != NetworkKeys() else replace(config, keys=_keys_found(paths))


def has_keys(paths: StudyPaths) -> bool:
    """Whether the study wrote down which settings mean what; its first versions did not.

    Raises:
        FixInput: The folder is no study, or the file is broken.
    """
    return bool(_read_json(paths.resolved).get("keys"))


def _keys_found(paths: StudyPaths) -> NetworkKeys:
    """What the keys of a study mean that did not write it down, by the names in its base spec."""
    try:
        return find_keys("train", [key for key, _ in leaves(read_base_spec(paths))])
    except (FixInput, OSError):
        return NetworkKeys()


def read_space(paths: StudyPaths) -> dict[str, Any]:
    """The plain form of what the study searches.

    Raises:
        FixInput: The folder is no study, or the file is broken.
    """
    value = _read_json(paths.space)
    if value.get("format") != SPACE_FORMAT:
        raise _broken(paths.space, ValueError(f"format {value.get('format')}"))
    return value


def read_base_spec(paths: StudyPaths) -> Tree:
    """The spec every trial starts from.

    Raises:
        FixInput: The file is missing or broken.
    """
    tree = load_yaml(paths.base_spec)
    if not isinstance(tree, dict):
        raise FixInput("a spec must be a mapping", got=repr(tree), where=str(paths.base_spec))
    return tree


def epochs_of(paths: StudyPaths, key: str) -> int | None:
    """Epochs of one full training by the study's base spec; None if it does not say.

    Args:
        paths: The study.
        key: The setting that holds the epochs; empty if none does.
    """
    try:
        return whole_number(read_base_spec(paths), key)
    except (FixInput, OSError):
        return None


def read_provenance(paths: StudyPaths) -> dict[str, Any]:
    """Versions, hashes, host and seeds.

    Raises:
        FixInput: The folder is no study, or the file is broken.
    """
    return _read_json(paths.provenance)


def is_study(paths: StudyPaths) -> bool:
    """Whether a folder holds a study, or what is left of one; else it may be anything."""
    return paths.resolved.exists() or paths.journal.is_file()


def list_studies(studies_dir: Path) -> tuple[StudyPaths, ...]:
    """Every study in a folder, the newest first; one that has lost a file is one too."""
    if not studies_dir.is_dir():
        return ()
    folders = [StudyPaths(entry.absolute()) for entry in studies_dir.iterdir() if entry.is_dir()]
    started = {paths: _started_ns(paths) for paths in folders if is_study(paths)}
    return tuple(sorted(started, key=lambda it: (started[it], it.folder.name), reverse=True))


def _started_ns(paths: StudyPaths) -> int:
    """When the study began: its configuration is written then."""
    written = paths.resolved if paths.resolved.exists() else paths.journal
    return written.stat().st_mtime_ns


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = read_json(path, follow=False)
    except FileNotFoundError as error:
        lost = is_study(StudyPaths(path.parent))
        raise FixInput(
            f"a study folder must hold {path.name}",
            got=str(path.parent),
            fix="restore the file, or start the study again under a new name"
            if lost
            else "name a study that automl list shows",
        ) from error
    except (OSError, ValueError) as error:
        raise _broken(path, error) from error
    if not isinstance(value, dict):
        raise _broken(path, TypeError(f"a {type(value).__name__}"))
    return value


def _broken(path: Path, error: Exception) -> FixInput:
    return FixInput(
        f"{path.name} must be as this program wrote it",
        got=f"{type(error).__name__}: {error}",
        where=str(path),
        fix="restore the file, or start the study again under a new name",
    )
