"""Inputs of an action that are given key by key: which keys there are, and where a value goes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.skill.tree import Tree, get, with_value
from automl.skill.typewords import Family, family_of
from automl.spec.rules import SpecRules
from automl.spec.source_table import takers

__all__ = ["checked_inputs", "input_keys", "with_inputs"]

_FOLDER, _FILE = "folder", "file"


def input_keys(rules: SpecRules) -> Mapping[str, Mapping[str, Any]]:
    """The inputs of an action by dotted key, each with what the metadata says of it."""
    info = rules.skill.actions.get(rules.action)
    inputs = dict(info.inputs) if info is not None else {}
    tables: dict[str, Mapping[str, Any]] = {
        taker.key: {} for taker in takers(rules.skill, rules.action)
    }
    return {**tables, **inputs}


def checked_inputs(rules: SpecRules, values: Mapping[str, Path], origin: str) -> dict[str, Any]:
    """Inputs by their dotted keys, each of the kind that the skill says; a list where one is due.

    Args:
        rules: What the spec may hold.
        values: Dotted or short key to what is there.
        origin: The flag or file that gave them, for errors.

    Raises:
        FixInput: A key is none, or what is there is of another kind.
    """
    listed = {taker.key for taker in takers(rules.skill, rules.action) if taker.is_list}
    given: dict[str, Any] = {}
    for key, path in values.items():
        where = f"{origin} {key}"
        long = _long_key(rules, key, where)
        _check_kind(rules, long, path, where)
        leaf = rules.leaf_of(long)
        is_list = leaf is not None and leaf.key == long and family_of(leaf) is Family.LIST
        given[long] = [str(path)] if is_list or long in listed else str(path)
    return given


def _long_key(rules: SpecRules, key: str, where: str) -> str:
    """The dotted key that a user means by an input.

    Raises:
        FixInput: The action has no such setting; the error names the nearest input.
    """
    long = rules.long_key(key)
    known = input_keys(rules)
    above = (long.partition("[")[0], long)
    if any(each in known for each in above) or rules.leaf_of(long) is not None:
        return long
    raise FixInput(
        f"an input must be a setting of {rules.action}",
        got=key,
        where=where,
        fix=did_you_mean(long, known) or f"the skill names {', '.join(known) or 'none'}",
    )


def _check_kind(rules: SpecRules, key: str, path: Path, where: str) -> None:
    """Refuses a file for a folder; some skills call a folder a file, which is let pass.

    Raises:
        FixInput: It is not what the skill says.
    """
    kind = input_keys(rules).get(key, {}).get("type")
    if kind == _FOLDER and not path.is_dir():
        raise FixInput(f"{key} must be a folder, or a tarball of one", got=str(path), where=where)
    names_folder = key.rpartition(".")[2].endswith(("_dir", "_dirs", "_root", "_path"))
    if kind == _FILE and path.is_dir() and not names_folder:
        raise FixInput(f"{key} must be a file", got=f"the folder {path}", where=where)


def with_inputs(tree: Mapping[str, Any], values: Mapping[str, Any], where: str) -> Tree:
    """The spec with each input in its place; the next entry of a list is made where it is meant.

    Raises:
        FixInput: A key leads nowhere, or past the next entry of a list.
    """
    result: Tree = dict(tree)
    for key, value in values.items():
        try:
            result = with_value(_with_entry(result, key), key, value)
        except KeyError as error:
            raise FixInput(
                "an input must lead through groups, and to an entry of a list or the next one",
                got=key,
                where=where,
            ) from error
    return result


def _with_entry(tree: Tree, key: str) -> Tree:
    """The spec with the entry of a list that a key leads through, if that is the next one."""
    above, bracket, rest = key.partition("[")
    number, _, below = rest.partition("]")
    if not bracket or not number.isdigit():
        return tree
    listed = get(tree, above, None) or []
    if not isinstance(listed, list) or int(number) != len(listed):
        return tree
    return with_value(tree, above, [*listed, {} if below else ""])
