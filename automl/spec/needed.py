"""What an action cannot do without, refused by name where it is not given."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from automl.errors import FixInput
from automl.skill.tree import Tree, get
from automl.spec.inferred import function_names
from automl.spec.rules import SpecRules
from automl.spec.sources import needed_data_keys, own_data_keys

__all__ = ["check_given", "how_to_give", "missing_inputs"]

#: Values that a template holds in the place of one that must be given.
_PLACEHOLDERS: tuple[Any, ...] = (None, "", "???", "<required>", [], [""], {})
#: An engine of 8-bit integers is calibrated on images.
_PRECISION = "tensorrt.data_type"
_IMAGES = "tensorrt.calibration.cal_image_dir"


def check_given(rules: SpecRules, tree: Tree, template: Tree, *, deploy: bool) -> None:
    """Refuses a spec in which something that the action must have is not given.

    Args:
        rules: What the spec may hold.
        tree: The finished spec.
        template: What it was begun with.
        deploy: Whether the template is one of the deploy container, whose paths are examples.

    Raises:
        FixInput: Data, parent or an input of the action is missing; the error names all of them.
    """
    parents = _parents(rules)
    missing = _missing(rules, tree, template, deploy=deploy)
    if parents and all(_is_missing(tree, template, key, deploy=deploy) for key in parents):
        missing.insert(0, parents[0])
    if missing:
        raise FixInput(
            f"{rules.action} needs {', '.join(missing)}",
            got="no value" if len(missing) == 1 else "no values",
            fix=_fix(rules, missing[0]),
        )


def missing_inputs(rules: SpecRules, tree: Tree) -> tuple[str, ...]:
    """The data and other inputs of an action that its spec gives no value for."""
    return tuple(_missing(rules, tree, tree, deploy=False))


def how_to_give(rules: SpecRules, key: str) -> str:
    """How a missing input is given, as an instruction."""
    return _fix(rules, key)


def _parents(rules: SpecRules) -> list[str]:
    return [key for key, name in function_names(rules).items() if name.startswith("parent_")]


def _missing(rules: SpecRules, tree: Tree, template: Tree, *, deploy: bool) -> list[str]:
    parents = _parents(rules)
    needed = [key for key in _needed(rules, tree) if key not in parents]
    return [key for key in needed if _is_missing(tree, template, key, deploy=deploy)]


def _needed(rules: SpecRules, tree: Tree) -> Iterator[str]:
    data = own_data_keys(rules)
    yield from needed_data_keys(rules)
    images = f"{rules.action}.{_IMAGES}"
    precision = get(tree, f"{rules.action}.{_PRECISION}", "")
    if str(precision).upper() == "INT8" and images not in data:
        yield images
    for key, about in rules.skill.actions[rules.action].inputs.items():
        if about.get("optional") is not True and key not in data:
            yield key


def _is_missing(tree: Tree, template: Tree, key: str, *, deploy: bool) -> bool:
    value = get(tree, key, None)
    if value in _PLACEHOLDERS or _is_example(value):
        return True
    # Paths of a deploy template are examples: places inside the container.
    return deploy and value == get(template, key, None)


def _is_example(value: Any) -> bool:
    """Whether a value is a relative path to nothing, as templates give for an example."""
    is_path = isinstance(value, str) and "/" in value and "://" not in value and "${" not in value
    return is_path and not value.startswith("/") and not Path(value).exists()


def _fix(rules: SpecRules, key: str) -> str:
    split = {name: name for name in ("train", "val", "test", "inference")} | {"cal": "train"}
    first = key.rpartition(".")[2].partition("_")[0]
    if key in own_data_keys(rules) and first in split:
        return f"give --{split[first]}-data PATH"
    kind = rules.skill.actions[rules.action].inputs.get(key, {}).get("type")
    if kind not in (None, "file", "folder"):
        return f"give it with --set '{key}=VALUE'"
    return f"give --data {key}=PATH"
