"""Which data set feeds which setting of an action: ``references/data_sources.yaml``.

TAO's metadata has no place for this table. A skill without the file says nothing about its data.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.errors import FixInput
from automl.skill.model import Skill
from automl.yamltext import load_yaml

__all__ = ["DataSource", "read_data_sources"]


@dataclass(frozen=True, slots=True)
class DataSource:
    """Where the data of one setting comes from.

    Attributes:
        key: Dotted spec key that takes a folder, or a list of folders.
        source: Which data set of a training job feeds it (``train_datasets``).
        archive: Tarball that the data set is delivered as; empty if it is not one.
        is_list: Whether the key takes a list.
    """

    key: str
    source: str
    archive: str = ""
    is_list: bool = False


def read_data_sources(skill: Skill) -> dict[str, tuple[DataSource, ...]]:
    """The data sources of each action that has some; empty where the skill names none.

    Raises:
        FixInput: The file is broken.
    """
    path = skill.folder / "references" / "data_sources.yaml"
    if not path.is_file():
        return {}
    tree = _mapping(load_yaml(path), "the file", path)
    return {action: tuple(_sources(block, action, path)) for action, block in tree.items()}


def _sources(block: Any, action: str, path: Path) -> list[DataSource]:
    found = []
    for key, about in _mapping(block, action, path).items():
        facts = _mapping(about, f"{action}.{key}", path)
        source, is_list = facts.get("source"), facts.get("list", False)
        if not isinstance(source, str) or not isinstance(is_list, bool):
            raise FixInput(
                "a data source must name its source, and whether it is a list",
                got=repr(dict(facts)),
                where=f"{path}: {action}.{key}",
            )
        found.append(DataSource(str(key), source, str(facts.get("archive") or ""), is_list))
    return found


def _mapping(value: Any, what: str, path: Path) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise FixInput(f"{what} must be a mapping", got=repr(value)[:80], where=str(path))
    return value
