"""Skills as others publish them, made from the parts that a test is about."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automl.yamltext import dump_yaml

__all__ = ["LR", "WHOLE", "leaf", "schema_of", "write_skill"]


def leaf(kind: str, default: Any = None, **more: Any) -> dict[str, Any]:
    """A setting of a schema."""
    return {"type": kind, "default": default, **more}


LR = leaf("float", 1e-3, minimum=1e-6, maximum=1.0, automl_enabled=True)
WHOLE = leaf("int", 12, minimum=1)


def schema_of(
    leaves: Mapping[str, Mapping[str, Any]], searched: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The schema that holds these settings, by dotted key."""
    root: dict[str, Any] = {"type": "object", "properties": {}}
    for key, node in leaves.items():
        here = root
        *way, last = key.split(".")
        for part in way:
            group = {"type": "collection", "properties": {}}
            here = here["properties"].setdefault(part, group)
        here["properties"][last] = dict(node)
    return root | ({"automl_default_parameters": list(searched)} if searched else {})


def write_skill(
    folder: Path,
    info: Mapping[str, Any],
    schema: Mapping[str, Any],
    template: Mapping[str, Any] | None = None,
    profile: Mapping[str, Any] | None = None,
) -> Path:
    """Writes a skill with a training; returns its folder."""
    files: dict[str, str] = {
        "references/skill_info.yaml": dump_yaml(dict(info)),
        "schemas/train.schema.json": json.dumps(schema),
    }
    if template is not None:
        files["references/spec_template_train.yaml"] = dump_yaml(dict(template))
    if profile is not None:
        files["references/search_profile.yaml"] = dump_yaml(dict(profile))
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
