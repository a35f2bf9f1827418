"""The parents that a schema's conditions name, found where the schema has them.

Some published schemas name a parent by its last part alone (``num_classes``), meant relative to
the setting that depends on it. Such a name is looked for beside that setting first, then in each
group above it, the root last. A condition on a parent that is nowhere cannot hold or break: it is
left out, and that is noted.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace

from automl.skill.model import ParameterSchema
from automl.skill.schema import SchemaTree

__all__ = ["find_parent", "with_known_parents"]

_DEPENDS = re.compile(r"^\s*(?P<op>>=|<=|!=|>|<)?\s*(?P<names>.*)$", re.DOTALL)
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?:\[\d+\])?(?:\.\w+(?:\[\d+\])?)*")
_CONDITION = re.compile(r"\s*(?:,|&&|\band\b)\s*")
_PART = re.compile(r"(?:(?:>=|<=|!=|>|<|/|\^)\s*[\w.+\-\[\]]+)?")
_WORDS = ("depends_on", "and")


def find_parent(name: str, of: str, known: Collection[str]) -> str | None:
    """The key that a leaf means by a parent's name; None where there is none.

    >>> find_parent("classes", "dataset.head.size", ("dataset.classes", "classes"))
    'dataset.classes'
    """
    above = of
    while above:
        above = above.rpartition(".")[0]
        key = f"{above}.{name}" if above else name
        if key in known and key != of:
            return key
    return None


def with_known_parents(
    schema: SchemaTree, noted: Collection[str]
) -> tuple[SchemaTree, tuple[str, ...]]:
    """The schema with every parent by its full key, and what was left out.

    Args:
        schema: The schema.
        noted: Keys whose left-out conditions a reader should know of.

    Returns:
        The schema, and one sentence for each of these keys that has lost a condition.
    """
    notes: list[str] = []
    changed: dict[str, ParameterSchema] = {}
    for key, leaf in schema.leaves.items():
        if not leaf.depends_on.strip() and not _NAME.search(leaf.math_cond):
            continue
        found, lost = _resolved(leaf, schema.leaves)
        if found != leaf:
            changed[key] = found
        if lost and key in noted:
            names = ", ".join(dict.fromkeys(lost))
            notes.append(f"{key}: it depends on {names}, which the schema does not have")
    if not changed:
        return schema, ()
    return replace(schema, leaves={**schema.leaves, **changed}), tuple(notes)


def _resolved(
    leaf: ParameterSchema, known: Collection[str]
) -> tuple[ParameterSchema, tuple[str, ...]]:
    """A leaf with full keys in its conditions, and the names that lead nowhere."""
    parts = _DEPENDS.match(leaf.depends_on)
    names = [name.strip() for name in parts["names"].split(",")] if parts else []
    names = [name for name in names if name]
    if not all(_NAME.fullmatch(name) for name in names):
        return leaf, ()  # outside the grammar: said where the key is searched
    found = {name: find_parent(name, leaf.key, known) for name in names}
    lost = [name for name, key in found.items() if key is None]
    kept = [key for key in found.values() if key is not None]
    op = (parts["op"] or "") if parts and kept else ""
    condition, missing = _condition(leaf, known, has_parents=bool(kept) or not names)
    depends_on = f"{op} {', '.join(kept)}".strip()
    return replace(leaf, depends_on=depends_on, math_cond=condition), (*lost, *missing)


def _condition(
    leaf: ParameterSchema, known: Collection[str], *, has_parents: bool
) -> tuple[str, tuple[str, ...]]:
    """``math_cond`` with full keys, without the parts that speak of parents that are nowhere."""
    if not all(_PART.fullmatch(part) for part in _CONDITION.split(leaf.math_cond.strip())):
        return leaf.math_cond, ()  # outside the grammar: said where the key is searched
    parts, lost = [], list[str]()
    for part in filter(None, _CONDITION.split(leaf.math_cond.strip())):
        text, missing = part, list(_missing(part, leaf.key, known))
        if missing or (not has_parents and ("depends_on" in part or part.startswith("/"))):
            lost += missing
            continue
        for name in _names_in(part):
            text = re.sub(rf"(?<![\w.]){re.escape(name)}(?![\w.])",
                          find_parent(name, leaf.key, known) or name, text)  # fmt: skip
        parts.append(text)
    unchanged = len(parts) == len(_CONDITION.split(leaf.math_cond.strip()))
    is_same = unchanged and all(part in leaf.math_cond for part in parts)
    return (leaf.math_cond if is_same else ", ".join(parts)), tuple(lost)


def _missing(part: str, of: str, known: Collection[str]) -> Iterator[str]:
    return (name for name in _names_in(part) if find_parent(name, of, known) is None)


def _names_in(part: str) -> list[str]:
    names = (match[0] for match in _NAME.finditer(part))
    return [name for name in names if name not in _WORDS]
