"""What a spec begins with: a user's file, the skill's template, or the schema's defaults."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.errors import FixInput
from automl.skill.read import packaged_twin, read_template
from automl.skill.tree import MISSING, Tree, get, leaves, merged
from automl.spec.rules import SpecRules
from automl.spec.sources import with_settings
from automl.spec.values import is_reference, out_of_bounds, read_as
from automl.yamltext import load_yaml

__all__ = ["Start", "completed", "start_of", "typed_start"]


@dataclass(frozen=True, slots=True)
class Start:
    """What a spec begins with.

    Attributes:
        tree: The settings.
        source: Where they are from.
        shipped: Those of them that the skill itself ships.
    """

    tree: Tree
    source: str
    shipped: Tree

    def is_shipped(self, key: str, value: Any) -> bool:
        """Whether a setting is as the skill ships it."""
        given = get(self.shipped, key)
        return type(given) is type(value) and bool(given == value)


def start_of(rules: SpecRules, template: Tree | None, file: Path | None) -> Start:
    """What a spec begins with: a file, else the template, else the schema's defaults.

    Raises:
        FixInput: There is none of them.
    """
    defaults = rules.schema.defaults if rules.schema is not None else None
    below = completed(rules, template if template is not None else defaults or {})
    if file is not None:
        return Start(merged(below, _read_file(file)), str(file), below)
    if template is not None:
        return Start(below, rules.skill.template_path(rules.action).name, below)
    if defaults:
        source = f"defaults of {rules.skill.schema_path(rules.action).name}"
        return Start(below, source, below)
    raise FixInput(
        f"a spec of {rules.action} must have something to start from",
        got="no readable template and no readable schema",
        where=str(rules.skill.folder),
        fix="give a complete spec with --spec FILE",
    )


def completed(rules: SpecRules, tree: Mapping[str, Any]) -> Tree:
    """The settings a skill ships, with those added that only its packaged twin's template has.

    The published train template of CenterPose lacks ``evaluate.opencv``, whose default in the
    schema makes every validation score 0.
    """
    twin = packaged_twin(rules.skill)
    if twin is None or not tree:
        return merged({}, tree)
    missing = {
        key: value
        for key, value in leaves(read_template(twin, rules.action))
        if get(tree, key) is MISSING and rules.leaf_of(key) is not None
    }
    return with_settings(merged({}, tree), missing, "packaged template")


def _read_file(file: Path) -> Tree:
    tree = load_yaml(file)
    if not isinstance(tree, dict) or not tree:
        raise FixInput(
            "a spec must be a mapping of settings", got=type(tree).__name__, where=str(file)
        )
    return tree


def typed_start(rules: SpecRules, start: Start) -> tuple[Tree, tuple[str, ...]]:
    """What the spec starts from, each setting in its type.

    What the skill itself ships outside its own schema is noted; what a user's file has is refused.
    """
    notes: list[str] = []
    retyped: dict[str, Any] = {}
    for key, given in leaves(start.tree):
        leaf = rules.leaf_of(key)
        is_empty = given in (None, "") or given == {}
        if leaf is not None and (is_empty or is_reference(given)):
            continue
        try:
            value, note = _typed(rules, key, given, start.source)
        except FixInput as error:
            if leaf is None or not leaf.enum or not start.is_shipped(key, given):
                raise
            value, note = given, error.rule
        if value != given or isinstance(value, bool) != isinstance(given, bool):
            retyped[key] = value
        if note:
            notes.append(f"{key} = {value} as {start.source} ships it, though {note}")
    return with_settings(start.tree, retyped, start.source), tuple(notes)


def _typed(rules: SpecRules, key: str, given: Any, source: str) -> tuple[Any, str]:
    """A setting in its type, and the bound of the schema that it breaks, if any.

    Raises:
        FixInput: It is unknown, of another type, or not one of its options.
    """
    leaf = rules.leaf_of(key)
    if leaf is None or leaf.key != key:
        if given not in (None, "") and given != {}:
            rules.check({key: given}, source)
        return given, ""
    value = read_as(given, leaf, f"{source} {key}")
    broken = out_of_bounds(value, leaf)
    if not broken:
        rules.check({key: value}, source)
    return value, broken
