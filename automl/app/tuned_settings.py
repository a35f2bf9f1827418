"""Settings of decoding that a search found, as a file that other actions take."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automl.errors import FixInput
from automl.files import write_text
from automl.jsontext import read_json
from automl.skill.tree import leaves
from automl.yamltext import dump_yaml, load_yaml

__all__ = ["TUNED_SETTINGS", "read_overlay", "write_overlay"]

#: The settings that were found, as a file.
TUNED_SETTINGS = "tuned.yaml"
_RESULT = "tuned.json"
#: Settings of a candidate, by block of the spec: of the network's own decoder, and the exported.
_DECODERS: Mapping[str, tuple[str, ...]] = {
    "inference": ("visualization_threshold", "num_select"),
    "export": ("num_select",),
}


def write_overlay(folder: Path) -> Mapping[str, Any]:
    """Writes the best settings as a file of settings; returns all that was found."""
    found: Mapping[str, Any] = read_json(folder / _RESULT)
    best = found["best"]
    blocks = {block: {name: best[name] for name in names} for block, names in _DECODERS.items()}
    write_text(folder / TUNED_SETTINGS, dump_yaml(blocks))
    return found


def read_overlay(path: Path) -> dict[str, Any]:
    """Dotted key to value of a file that ``tune-inference`` wrote.

    Raises:
        FixInput: There is no such file, or it holds other settings.
    """
    where = path / TUNED_SETTINGS if path.is_dir() else path
    if not where.is_file():
        raise FixInput(
            "tuned settings must be a file",
            got=str(path),
            where="--tuned",
            fix=f"name the {TUNED_SETTINGS} that automl tune-inference wrote",
        )
    tree = load_yaml(where)
    found = dict(leaves(tree)) if isinstance(tree, dict) else {}
    known = {f"{block}.{name}" for block, names in _DECODERS.items() for name in names}
    other = sorted(found.keys() - known)
    if other or not found:
        raise FixInput(
            f"tuned settings are {', '.join(sorted(known))}",
            got=", ".join(other) or "none",
            where=str(where),
            fix="set others with --set KEY=VALUE",
        )
    return found
