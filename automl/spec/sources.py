"""Which settings take the data, in the skill's words."""

from collections.abc import Mapping
from typing import Any

from automl.errors import FixInput
from automl.skill.tree import Tree, get, with_value
from automl.spec.rules import SpecRules
from automl.spec.source_table import DATA_TABLE, takers

__all__ = [
    "DATA_TABLE",
    "data_keys",
    "data_settings",
    "needed_data_keys",
    "own_data_keys",
    "with_settings",
]

#: The actions that read data, besides the one that a spec is for.
_ACTIONS = ("train", "evaluate", "inference", "gen_trt_engine")


def data_settings(rules: SpecRules, data: Mapping[str, str]) -> dict[str, Any]:
    """Settings that name the data: dotted key to a folder, or to a list of folders.

    The skill's tables say which key takes which data set (``source_table``). Keys of other actions
    that this action's spec has too (``dataset.test_data``) are set as well.

    Args:
        rules: What the spec may hold.
        data: Split (``train``, ``val``, ``test``, ``inference``) to folder; empty if not given.

    Raises:
        FixInput: Data is given and no setting of the skill takes it, or the table is broken.
    """
    settings: dict[str, Any] = {}
    used: set[str] = set()
    for action in (rules.action, *(name for name in _ACTIONS if name != rules.action)):
        for taker in takers(rules.skill, action):
            split = next((split for split in taker.splits if data.get(split)), None)
            is_own = action == rules.action or rules.has(taker.key)
            if split is None or not is_own or taker.key in settings:
                continue
            used.add(split)
            value = taker.value(data[split])
            if value is not None:
                settings[taker.key] = value
    _check_taken(rules, data, used)
    return settings


def data_keys(rules: SpecRules) -> frozenset[str]:
    """Settings that take data, those of other actions included."""
    actions = {rules.action, *_ACTIONS}
    return frozenset(taker.key for action in actions for taker in takers(rules.skill, action))


def own_data_keys(rules: SpecRules) -> tuple[str, ...]:
    """Settings that take the data of the action itself."""
    return tuple(taker.key for taker in takers(rules.skill, rules.action))


def needed_data_keys(rules: SpecRules) -> tuple[str, ...]:
    """Those among them that the action cannot do without."""
    own = takers(rules.skill, rules.action)
    return tuple(taker.key for taker in own if not taker.is_optional)


def _check_taken(rules: SpecRules, data: Mapping[str, str], used: set[str]) -> None:
    needed = ("train", "val") if rules.action == "train" else ()
    left = [split for split in needed if data.get(split) and split not in used]
    if left:
        raise FixInput(
            f"the skill must say which setting of {rules.action} takes the {left[0]} data",
            got=data[left[0]],
            where=str(rules.skill.folder),
            fix=f"write {DATA_TABLE} for it, or name the setting: --set KEY={data[left[0]]}",
        )


def with_settings(tree: Mapping[str, Any], settings: Mapping[str, Any], where: str) -> Tree:
    """A copy of ``tree`` with each dotted key set; missing groups are made.

    Raises:
        FixInput: A key leads through a value that is no group, or past the end of a list.
    """
    result: Tree = dict(tree)
    for key, value in settings.items():
        try:
            result = with_value(result, key, value)
        except KeyError as error:
            raise FixInput(
                "a dotted key must lead through groups and existing list entries",
                got=key,
                where=where,
                fix=_fix(result, key),
            ) from error
    return result


def _fix(tree: Tree, key: str) -> str:
    """How to reach a key that leads through a list or a plain value."""
    parts = key.split(".")
    for length in range(len(parts) - 1, 0, -1):
        above = ".".join(parts[:length]).partition("[")[0]
        if get(tree, above, None) is not None:
            return f"set {above} as a whole"
    return ""
