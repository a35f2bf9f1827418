"""``references/skill_info.yaml``: what a skill's metadata says of its actions."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from automl.errors import FixInput
from automl.files import ReadOnce
from automl.skill.execution import args_in, credentials_in, execution_in, mode_in
from automl.skill.keys import KeyHints
from automl.skill.model import ActionInfo, Skill, schema_path
from automl.skill.schema import read_schema
from automl.skill.spec_params import SpecParams, spec_params_in
from automl.skill.tree import Tree
from automl.visible import visible

__all__ = ["block_in", "key_hints", "mapping_in", "skill_from_info"]

#: How a spec can be written, the usual one first.
CONFIG_FORMATS = ("yaml", "json", "toml")
_TRUE_WORDS = ("true", "yes", "on")


def skill_from_info(
    folder: Path, tree: Tree, info: Path, schemas: tuple[str, ...], files: ReadOnce
) -> Skill:
    """The skill that a file of metadata describes, without its objective.

    Args:
        folder: The skill's folder.
        tree: What the file holds.
        info: The file, for messages.
        schemas: Actions that have a schema; they are known although the metadata names none.
        files: The files of the skill that have been read.

    Raises:
        FixInput: A part of the metadata has the wrong form.
    """
    name = visible(str(tree.get("name") or folder.name), keep="")
    network = str(tree.get("network_arch") or _network_of(folder, name, files))
    actions = {action.name: action for action in _actions(tree, info, network, schemas)}
    is_script = any(action.execution is not None for action in actions.values())
    return Skill(
        folder=folder,
        name=name,
        network_arch=network,
        automl_enabled=_is_true(tree.get("automl_enabled", is_script)),
        container_image=_image(tree),
        actions=actions,
        shorthand=_texts(tree, "spec_shorthand_keys", info),
        credentials=credentials_in(tree, info),
        node_key=str(tree.get("node_spec_key") or ""),
        resources=block_in(tree, "resource_defaults", info),
        files=files,
    )


def key_hints(tree: Tree, skill: Skill) -> KeyHints:
    """What the metadata says about the keys of a train spec."""
    train = skill.actions.get("train")
    return KeyHints(
        str(tree.get("gpu_spec_key") or ""),
        str(tree.get("node_spec_key") or ""),
        skill.shorthand,
        train.spec_params if train is not None else {},
    )


def _network_of(folder: Path, name: str, files: ReadOnce) -> str:
    """The network where the metadata names none: the train schema's, else the name's end."""
    try:
        network = files(schema_path(folder, "train"), read_schema).network_arch
    except FixInput:
        network = ""  # missing or broken: the gate says so, and the skill can still train
    return network or name.removeprefix("tao-").removeprefix("train-").removeprefix("finetune-")


def _is_true(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() in _TRUE_WORDS)


def _actions(
    tree: Tree, info: Path, network: str, schemas: tuple[str, ...]
) -> Iterator[ActionInfo]:
    actions = block_in(tree, "actions", info)
    inferred = block_in(tree, "spec_params", info)
    for name in (*actions, *(name for name in schemas if name not in actions)):
        about = block_in(actions, name, info)
        given = _spec_params(inferred, about, name, info)
        yield ActionInfo(
            name=name,
            command=str(about.get("command") or f"{network} {name} -e {{config_path}}"),
            inputs=_facts(about, "inputs", info),
            outputs=_facts(about, "outputs", info),
            container_image=_image(about),
            spec_params=given.functions,
            constants=given.constants,
            links=given.links,
            config_format=_config_format(about, name, info),
            execution=execution_in(about, info.parents[1], f"{info}: actions.{name}"),
            mode=mode_in(about, f"{info}: actions.{name}"),
            args=args_in(about, f"{info}: actions.{name}"),
            defaults=block_in(about, "defaults", info),
        )


def _spec_params(shared: Tree, about: Tree, action: str, info: Path) -> SpecParams:
    """What the metadata says of an action's settings, in its own block and in the shared one."""
    given = block_in(shared, action, info) | block_in(about, "spec_params", info)
    return spec_params_in(given, f"{info}: spec_params of {action}")


def _config_format(about: Tree, action: str, info: Path) -> str:
    given = str(about.get("config_format") or CONFIG_FORMATS[0]).lower()
    if given not in CONFIG_FORMATS:
        raise FixInput(
            f"config_format must be one of {', '.join(CONFIG_FORMATS)}",
            got=given,
            where=f"{info}: actions.{action}",
        )
    return given


def mapping_in(value: Any, path: Path) -> Tree:
    """What a YAML file holds, if it is named settings; empty for an empty file.

    Raises:
        FixInput: It is something else.
    """
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise FixInput("the file must hold named settings", got=repr(value)[:80], where=str(path))
    return value


def block_in(tree: Mapping[str, Any], name: str, path: Path) -> Tree:
    """The mapping at ``name``; an absent or null one is empty.

    Raises:
        FixInput: It is something else.
    """
    value = tree.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise FixInput(f"{name} must be a mapping", got=repr(value)[:80], where=str(path))
    return value


def _facts(tree: Mapping[str, Any], name: str, path: Path) -> dict[str, Mapping[str, Any]]:
    block = block_in(tree, name, path)
    return {str(key): block_in(block, key, path) for key in block}


def _texts(tree: Mapping[str, Any], name: str, path: Path) -> dict[str, str]:
    return {str(key): str(value) for key, value in block_in(tree, name, path).items()}


def _image(block: Mapping[str, Any]) -> str:
    """The image that is named; none where the metadata leaves it to whoever starts a container."""
    image = block.get("container_image")
    return "" if isinstance(image, Mapping) else str(image or "")
