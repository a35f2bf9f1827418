"""Schemas of the actions in TAO's own format, derived from the spec's dataclasses.

The format looks like JSON Schema and is not: types are TAO's words, groups repeat the defaults of
what they hold, and an open upper bound is a bare ``Infinity``. The lists at the root (what a
search touches by default, what it must leave alone, what people change often) cover the whole
spec, blocks of other actions included; the properties are those that the action itself reads.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from automl.centerpose.config.experiment import ACTIONS, Experiment
from automl.centerpose.config.fields import Entry, leaf_entries, published

__all__ = [
    "NETWORK",
    "default_tree",
    "render_manifest",
    "render_schema",
    "template_path",
]

NETWORK = "centerpose"
SCHEMA_VERSION = 1


def _own_entries(action: str) -> tuple[Entry, ...]:
    """What every action's spec holds (training's block is part of it), then the own block."""
    everything = published(Experiment)
    shared = [entry for entry in everything if entry.name not in ACTIONS or entry.name == "train"]
    own = [entry for entry in everything if entry.name == action != "train"]
    return (*shared, *own)


def default_tree(action: str) -> dict[str, Any]:
    """The defaults of an action's schema, nested, in the order of a spec."""
    return {entry.name: _default(entry) for entry in _own_entries(action)}


def _default(entry: Entry) -> Any:
    if not entry.is_block:
        return _listed(entry.default)
    return {inner.name: _default(inner) for inner in published(entry.annotation)}


def render_schema(action: str) -> dict[str, Any]:
    """The schema of one action."""
    properties: dict[str, Any] = {
        entry.name: _property(entry, "") for entry in _own_entries(action)
    }
    # TAO's generator leaves this list among the properties; readers of the format expect it there.
    properties["automl_disabled_parameters"] = _disabled_children(Experiment, "")
    return {
        **_search_lists(),
        "default": default_tree(action),
        "popular": _popular_tree(Experiment),
        "properties": properties,
        "type": "object",
        "x_tao_schema": {
            "action": action,
            "core_module": NETWORK,
            "model": NETWORK,
            "network_arch": NETWORK,
            "schema_action": action,
            "schema_version": SCHEMA_VERSION,
            "source": "automl dataclass config",
        },
    }


def _search_lists() -> dict[str, list[str]]:
    everything = list(_all_entries(Experiment))
    return {
        "automl_default_parameters": sorted(k for k, e in everything if e.automl is True),
        "automl_disabled_parameters": sorted(k for k, e in everything if e.automl is False),
    }


def _all_entries(kind: type[Any], prefix: str = "") -> Iterator[tuple[str, Entry]]:
    for entry in published(kind):
        key = f"{prefix}{entry.name}"
        yield key, entry
        if entry.is_block:
            yield from _all_entries(entry.annotation, f"{key}.")


def _disabled_children(kind: type[Any], prefix: str) -> list[str]:
    return [f"{prefix}{entry.name}" for entry in published(kind) if entry.automl is False]


def _property(entry: Entry, prefix: str) -> dict[str, Any]:
    return _group(entry, prefix) if entry.is_block else _leaf(entry)


def _leaf(entry: Entry) -> dict[str, Any]:
    facts = entry.facts
    result: dict[str, Any] = {
        "default": _listed(entry.default),
        "description": facts.description,
        "title": facts.title,
        "type": entry.type_word,
    }
    optional = {
        "automl_enabled": entry.automl,
        "enum": list(facts.enum) or None,
        "maximum": facts.maximum,
        "minimum": facts.minimum,
        "popular": facts.popular or None,
    }
    return result | {name: value for name, value in optional.items() if value is not None}


def _listed(value: Any) -> Any:
    return [_listed(item) for item in value] if isinstance(value, tuple) else value


def _group(entry: Entry, prefix: str) -> dict[str, Any]:
    key = f"{prefix}{entry.name}."
    children = published(entry.annotation)
    searched = [f"{key}{child.name}" for child in children if child.automl is True]
    disabled = _disabled_children(entry.annotation, key)
    popular = [child.name for child in children if _is_popular(child)]
    lists = {
        "automl_default_parameters": searched,
        "automl_disabled_parameters": disabled,
        "popular": popular,
    }
    return {
        "automl_enabled": False,
        "default": _default(entry),
        "description": entry.facts.description,
        "properties": {child.name: _property(child, key) for child in children},
        "title": entry.facts.title,
        "type": entry.type_word,
    } | {name: value for name, value in lists.items() if value}


def _is_popular(entry: Entry) -> bool:
    if entry.is_block:
        return any(inner.facts.popular for _, inner in leaf_entries(entry.annotation))
    return entry.facts.popular


def _popular_tree(kind: type[Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for entry in published(kind):
        if not _is_popular(entry):
            continue
        inner = _popular_tree(entry.annotation) if entry.is_block else _listed(entry.default)
        tree[entry.name] = inner
    return tree


def template_path(action: str) -> str:
    """Where an action's spec template stands, relative to the skill."""
    return f"references/spec_template_{action}.yaml"


def render_manifest() -> Mapping[str, Any]:
    """The list of schemas with what each says about searching."""
    about = _search_lists() | {"popular": _popular_tree(Experiment)}
    actions = {
        action: about
        | {
            "core_module": NETWORK,
            "path": f"schemas/{action}.schema.json",
            "schema_action": action,
            "spec_template": template_path(action),
        }
        for action in ACTIONS
    }
    return {
        "actions": actions,
        "automl_enabled": True,
        "failures": {},
        "model": NETWORK,
        "network_arch": NETWORK,
        "schema_version": SCHEMA_VERSION,
    }
