"""A TAO action schema: read from its file, checked for its form, flattened to its leaves.

The format is TAO's own: groups nest under ``properties``, types are TAO's words, and an open bound
is a bare ``Infinity``. What may stand where is written down as JSON Schema in
``tao_schema.meta.json`` beside this module. Reading is tolerant of everything that published
packages hold: lists among the properties, absent types and defaults, defaults outside their own
bounds. What a leaf means for a search is decided elsewhere.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from automl.errors import FixInput
from automl.jsontext import parse_json, read_json
from automl.nearest import nearest
from automl.skill.model import ParameterSchema
from automl.skill.tree import Tree, merged, parts_of

__all__ = ["SchemaTree", "parse_schema", "read_schema"]

_MISSING_VALUES = ("???", ["???"])


@dataclass(frozen=True, slots=True)
class SchemaTree:
    """The schema of one action.

    Attributes:
        action: Name of the action.
        leaves: Dotted key to what the schema says of that setting, in the schema's order.
        groups: Dotted keys of the groups that hold settings.
        defaults: Nested defaults; settings without one are absent.
        automl_default_parameters: Keys that a search touches by default, in the schema's order.
        automl_disabled_parameters: Keys of leaves and groups that it should leave alone.
        where: File that it was read from, for messages.
        network_arch: The network that the schema says it is for; empty if it does not say.
    """

    action: str
    leaves: Mapping[str, ParameterSchema] = field(default_factory=dict)
    groups: frozenset[str] = frozenset()
    defaults: Tree = field(default_factory=dict)
    automl_default_parameters: tuple[str, ...] = ()
    automl_disabled_parameters: frozenset[str] = frozenset()
    where: str = ""
    network_arch: str = ""

    def contains(self, key: str) -> bool:
        """Whether a spec may hold ``key``: a setting, a group, or a place inside a free value."""
        return key in self.groups or self.leaf_of(key) is not None

    def leaf_of(self, key: str) -> ParameterSchema | None:
        """The leaf that ``key`` names or lies in, or None.

        ``dataset.sources[0].path`` lies in the leaf ``dataset.sources``: what lists and groups
        without properties hold is not described by the schema.
        """
        if key in self.leaves:
            return self.leaves[key]
        parts = parts_of(key)
        for length in range(len(parts) - 1, 0, -1):
            if any(isinstance(part, int) for part in parts[:length]):
                continue
            leaf = self.leaves.get(".".join(str(part) for part in parts[:length]))
            if leaf is not None:
                return leaf if _is_free(leaf, parts[length]) else None
        return None

    def nearest(self, key: str) -> str | None:
        """The known leaf that an unknown ``key`` most likely stands for, or None."""
        return nearest(key, self.leaves)


def _is_free(leaf: ParameterSchema, step: str | int) -> bool:
    if isinstance(step, int):
        return "list" in leaf.type or leaf.type == "array" or isinstance(leaf.default, list)
    is_group = leaf.type in ("collection", "object", "dict") or isinstance(leaf.default, dict)
    return is_group or (not leaf.type and leaf.default is None)


def read_schema(path: Path) -> SchemaTree:
    """The schema in a file; a file that has not changed is read once.

    Raises:
        FixInput: The file is missing, is not JSON, or breaks a rule of the format.
    """
    try:
        facts = path.stat()
    except OSError:
        return _read(path)
    return _read_once(path, facts.st_ino, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=64)
def _read_once(path: Path, *_: int) -> SchemaTree:
    return _read(path)


def _read(path: Path) -> SchemaTree:
    return parse_schema(_read_json(path), where=str(path), action=path.name.split(".")[0])


def parse_schema(tree: Any, *, where: str, action: str) -> SchemaTree:
    """The schema that ``tree`` holds.

    Args:
        tree: What the JSON file held.
        where: Name of the file, for errors.
        action: The action where the schema names none.

    Raises:
        FixInput: ``tree`` breaks a rule of the format; the error names the dotted key.
    """
    _check_form(tree, where)
    leaves, groups = dict[str, ParameterSchema](), set[str]()
    for key, node, required in _nodes(tree, ""):
        if "properties" in node:
            groups.add(key)
        else:
            leaves[key] = _leaf(key, node, required)
    about = tree.get("x_tao_schema") or {}
    return SchemaTree(
        action=str(about.get("action", action)),
        leaves=leaves,
        groups=frozenset(groups),
        defaults=merged(_defaults(leaves), _at_the_root(tree, groups, where)),
        automl_default_parameters=tuple(tree.get("automl_default_parameters") or ()),
        automl_disabled_parameters=frozenset(tree.get("automl_disabled_parameters") or ()),
        where=where,
        network_arch=str(about.get("network_arch") or ""),
    )


def _read_json(path: Path) -> Any:
    try:
        return read_json(path)
    except FileNotFoundError as error:
        raise FixInput("the schema file must exist", where=str(path)) from error
    except json.JSONDecodeError as error:
        raise FixInput(
            "the schema must be JSON",
            got=error.msg,
            where=f"{path}, line {error.lineno}, column {error.colno}",
        ) from error
    except (OSError, ValueError) as error:
        raise FixInput(
            "the schema must be readable JSON", got=str(error), where=str(path)
        ) from error


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator

    source = resources.files("automl.skill").joinpath("tao_schema.meta.json")
    return Draft202012Validator(parse_json(source.read_bytes()))


def _check_form(tree: Any, where: str) -> None:
    from jsonschema.exceptions import relevance

    try:
        worst = max(_validator().iter_errors(tree), key=relevance, default=None)
    except RecursionError as error:
        raise FixInput("the schema must not nest without end", where=where) from error
    if worst is None:
        return
    described = worst.schema if isinstance(worst.schema, dict) else {}
    key = _dotted(worst.absolute_path)
    place = f"{where}: {key}" if key else where
    raise FixInput(
        str(described.get("title", worst.message)), got=_shown(worst.instance), where=place
    )


def _dotted(path: Any) -> str:
    """The path of an error as a dotted key; the word ``properties`` between names is left out."""
    text = ""
    for index, step in enumerate(path):
        # On the way down every even step is the word itself; an odd one is a setting's name.
        if step == "properties" and index % 2 == 0:
            continue
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.lstrip(".")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _nodes(group: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Each described node below a group with its dotted key, and whether the group demands it."""
    demanded = group.get("required")
    names = demanded if isinstance(demanded, list) else ()
    for name, node in group["properties"].items():
        if not isinstance(node, Mapping):
            continue
        key = f"{prefix}{name}"
        yield key, node, name in names
        if "properties" in node:
            yield from _nodes(node, f"{key}.")


def _leaf(key: str, node: Mapping[str, Any], required: bool) -> ParameterSchema:
    default = node.get("default")
    parents = node.get("depends_on") or ""
    return ParameterSchema(
        key=key,
        type=_type_word(node.get("type")),
        any_of=tuple(str(form["type"]) for form in node.get("anyOf", ()) if "type" in form),
        default=default,
        has_default="default" in node,
        minimum=node.get("minimum"),
        maximum=node.get("maximum"),
        enum=_options(node),
        option_weights=_floats(node.get("option_weights")),
        math_cond=node.get("math_cond") or "",
        depends_on=", ".join(parents) if isinstance(parents, list) else parents,
        popular=node.get("popular") is True,
        automl_enabled=node.get("automl_enabled"),
        required=required or node.get("required") is True or default in _MISSING_VALUES,
        title=(node.get("title") or "").strip(),
        description=" ".join((node.get("description") or "").split()),
    )


def _type_word(word: Any) -> str:
    """The type as one word: of a list of words the first that is not null."""
    if isinstance(word, list):
        word = next((name for name in word if name not in ("null", "none")), word[0])
    return (word or "").strip()


def _options(node: Mapping[str, Any]) -> tuple[Any, ...] | None:
    options = list(node.get("enum") or ())
    if not options:
        options = [option for form in node.get("anyOf", ()) for option in form.get("enum") or ()]
        if any(not form.get("enum") for form in node.get("anyOf", ())):
            options = []
    return tuple(options) or None


def _floats(values: Any) -> tuple[float, ...] | None:
    return tuple(float(value) for value in values) if values else None


def _at_the_root(tree: Mapping[str, Any], groups: Collection[str], where: str) -> Tree:
    """The defaults given at the root; a group of null says nothing."""
    given = merged({}, tree.get("default") or {})
    for key in groups:
        *way, last = key.split(".")
        here: Any = given
        for part in way:
            here = here.get(part) if isinstance(here, dict) else None
        if not isinstance(here, dict) or isinstance(here.get(last, {}), dict):
            continue
        if here[last] is not None:
            raise FixInput(
                "a default at the root must hold a group of settings where the schema has one",
                got=_shown(here[last]),
                where=f"{where}: default.{key}",
            )
        del here[last]
    return given


def _defaults(leaves: Mapping[str, ParameterSchema]) -> Tree:
    """The leaves' own defaults."""
    tree: Tree = {}
    for key, leaf in leaves.items():
        if not leaf.has_default:
            continue
        here = tree
        *way, last = key.split(".")
        for part in way:
            here = here.setdefault(part, {})
        here[last] = leaf.default
    return tree
