"""The deploy side of a skill: what runs in TAO's deploy container, on a TensorRT engine.

Its metadata is a file of its own beside ``skill_info.yaml``:
``tao-deploy-<network>.skill_info.yaml``.
"""

from dataclasses import replace
from pathlib import Path

from automl.errors import FixInput
from automl.skill.info import skill_from_info
from automl.skill.model import Skill
from automl.skill.read import read_template
from automl.skill.tree import Tree
from automl.yamltext import load_yaml

__all__ = ["deploy_skill", "deploy_template", "has_deploy_side"]

_INFO = "tao-deploy-*.skill_info.yaml"
_SHARED_TEMPLATE = "spec_template_deploy.yaml"


def deploy_skill(skill: Skill) -> Skill:
    """The same skill, its actions as the deploy container knows them, beside the training.

    Raises:
        FixInput: The skill has no deploy side, or its metadata is broken.
    """
    deploy = _read(skill)
    actions = {
        name: replace(
            info,
            container_image=info.container_image or deploy.container_image,
            spec_params={**_also_inferred(skill, name), **info.spec_params},
        )
        for name, info in deploy.actions.items()
    }
    train = {name: info for name, info in skill.actions.items() if name == "train"}
    return replace(
        skill,
        actions=train | actions,
        container_image=deploy.container_image,
        shorthand={**skill.shorthand, **deploy.shorthand},
    )


def has_deploy_side(skill: Skill) -> bool:
    """Whether a skill says in a file of its own what its deploy container does."""
    return bool(_infos(skill))


def _infos(skill: Skill) -> list[Path]:
    return sorted((skill.folder / "references").glob(_INFO))


def _read(skill: Skill) -> Skill:
    """What the metadata of the deploy side says, by itself."""
    infos = _infos(skill)
    if not infos:
        raise FixInput(
            "deploy actions need the skill's references/tao-deploy-<network>.skill_info.yaml",
            got="none",
            where=str(skill.folder),
            fix="leave --deploy out",
        )
    tree = load_yaml(infos[0])
    if not isinstance(tree, dict):
        raise FixInput("the metadata of a skill must be a mapping", where=str(infos[0]))
    return skill_from_info(skill.folder, tree, infos[0], (), skill.files)


def deploy_template(skill: Skill, action: str) -> tuple[Tree, str]:
    """The deploy template of an action and its file's name; some skills have one for all actions.

    Raises:
        FixInput: There is none.
    """
    path = skill.template_path(action, deploy=True)
    if path.is_file():
        return read_template(skill, action, deploy=True), path.name
    shared = path.with_name(_SHARED_TEMPLATE)
    tree = load_yaml(shared) if shared.is_file() else None
    if not isinstance(tree, dict) or not tree:
        raise FixInput(
            f"a deploy action needs references/{path.name}", got="none", where=str(skill.folder)
        )
    return tree, shared.name


def _also_inferred(skill: Skill, action: str) -> dict[str, str]:
    """Settings that the training side has inferred for the same action, and this one forgets."""
    info = skill.actions.get(action)
    declared = info.spec_params if info is not None else {}
    return {key: name for key, name in declared.items() if name in ("key", "create_cal_cache")}
