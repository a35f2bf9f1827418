"""What a training reads: its data, and whatever else a spec names by its path, such as weights.

Every node of a cluster must see these, or is given them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import astuple
from pathlib import Path
from typing import Any

from automl.skill.tree import Tree
from automl.space.model import SearchSpace
from automl.study.config import StudyConfig

__all__ = ["named_paths"]

#: Folders of the system, which are no input of a training.
_OF_THE_SYSTEM = tuple(map(Path, ("/bin", "/dev", "/etc", "/lib", "/proc", "/sys", "/usr")))
#: No folder right below the top is an input.
_DEPTH = 3


def named_paths(
    config: StudyConfig, base_spec: Tree, space: SearchSpace, studies: Path
) -> tuple[str, ...]:
    """Absolute paths of the data, then of the other files and folders here that a spec names.

    Args:
        config: Names the data.
        base_spec: The spec of trial 0.
        space: What is searched; options may be paths.
        studies: The folder of studies, which is shared or stored otherwise.
    """
    found = dict.fromkeys(folder for folder in astuple(config.data) if folder)
    options = [one.options for one in space.parameters]
    for text in (*_texts(base_spec), *_texts(options)):
        path = Path(text)
        above = any(path.is_relative_to(known) for known in found)
        if not above and _is_input(path, studies):
            found[text] = None
    return tuple(found)


def _is_input(path: Path, studies: Path) -> bool:
    is_plain = path.is_absolute() and ".." not in path.parts and len(path.parts) >= _DEPTH
    is_own = path.is_relative_to(studies) or studies.is_relative_to(path)
    is_system = any(path.is_relative_to(each) for each in _OF_THE_SYSTEM)
    if not is_plain or is_own or is_system:
        return False
    try:
        return path.exists()
    except OSError:  # no path at all, such as one that is too long
        return False


def _texts(value: Any) -> Iterator[str]:
    """Every text in a nested value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for below in value.values():
            yield from _texts(below)
    elif isinstance(value, list | tuple):
        for below in value:
            yield from _texts(below)
