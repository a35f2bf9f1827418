"""A spec as the program of an action reads it: YAML, JSON or TOML."""

import json
from collections.abc import Mapping
from typing import Any

from automl.skill.tree import Tree, get, leaves
from automl.spec.sources import with_settings
from automl.yamltext import dump_yaml

__all__ = ["spec_text"]


def spec_text(tree: Mapping[str, Any], config_format: str) -> str:
    """The spec in the format that its skill declares.

    Only YAML is read by programs that follow references (``${a.b}``), so elsewhere they are
    replaced by what they stand for. TOML has no empty value: such settings are left out.

    Args:
        tree: The spec.
        config_format: ``yaml``, ``json`` or ``toml``.
    """
    if config_format == "yaml":
        return dump_yaml(dict(tree))
    followed = {key: get(tree, key, value) for key, value in leaves(tree)}
    plain: Tree = with_settings(tree, followed, "references")
    if config_format == "json":
        return json.dumps(plain, indent=2, ensure_ascii=False) + "\n"
    import tomli_w

    return tomli_w.dumps(_without_empty(plain))


def _without_empty(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_empty(v) for name, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_without_empty(entry) for entry in value if entry is not None]
    return value
