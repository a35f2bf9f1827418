"""Reading a skill folder: what it says about its actions, and where a spec starts from.

A folder counts as a skill if it has metadata (``references/skill_info.yaml``) or schemas.
Everything else may be missing: the manifest, inferred parameters, an image, templates. What is
missing is empty; what is there must be well formed.
"""

from dataclasses import replace
from pathlib import Path

import automl
from automl.errors import FixInput
from automl.files import ReadOnce
from automl.skill.info import block_in, key_hints, mapping_in, skill_from_info
from automl.skill.key_overrides import check_keys, declared_keys
from automl.skill.keys import KeyHints, NetworkKeys, find_keys
from automl.skill.known_metrics import known_metrics
from automl.skill.model import Skill
from automl.skill.profile import Profile
from automl.skill.profile_file import read_profile
from automl.skill.schema import SchemaTree, read_schema
from automl.skill.tree import Tree, leaves, merged
from automl.yamltext import load_yaml

__all__ = [
    "base_tree",
    "image_of",
    "own_skill_dir",
    "packaged_twin",
    "profile_path",
    "read_action_schema",
    "read_profile_of",
    "read_skill",
    "read_template",
]

_INFO = Path("references", "skill_info.yaml")
_PROFILE = Path("references", "search_profile.yaml")
_IMAGES = Path("references", "images.yaml")
_DIRECTIONS = ("maximize", "minimize")


def own_skill_dir() -> Path:
    """The folder of this package's own skill: the checkout's root, else the copy in the wheel.

    Raises:
        FixInput: The installation has lost it.
    """
    package = Path(automl.__file__).resolve().parent
    for folder in (package.parent, package / "_skill"):
        if (folder / _INFO).is_file() and (folder / "schemas").is_dir():
            return folder
    raise FixInput(
        "the package must hold its skill (schemas and references)",
        where=str(package),
        fix="install the package again",
    )


def packaged_twin(skill: Skill) -> Skill | None:
    """This package's own skill, if ``skill`` is another folder for the same network.

    TAO's format has no place for what a network needs beyond its schema. A skill folder as
    published for the network of our own therefore borrows it from ours.
    """
    own = own_skill_dir()
    if skill.folder == own:
        return None
    twin = skill.files(own, read_skill)
    return twin if twin.network_arch == skill.network_arch else None


def profile_path(skill: Skill) -> Path:
    """Where the search profile of a skill is: its own, else its packaged twin's; may be absent."""
    path = skill.folder / _PROFILE
    twin = None if path.is_file() else packaged_twin(skill)
    return path if twin is None else twin.folder / _PROFILE


def read_profile_of(skill: Skill) -> Profile:
    """The search profile of a skill; an empty one where there is none.

    Raises:
        FixInput: It is broken or breaks a rule of the format.
    """
    path = profile_path(skill)
    return read_profile(skill.files(path, load_yaml), str(path)) if path.is_file() else Profile()


def read_skill(folder: Path) -> Skill:
    """The skill in a folder.

    Raises:
        FixInput: There is no such folder, it is no skill, or its metadata or profile is broken.
    """
    folder = folder.expanduser().resolve()
    if not folder.is_dir():
        raise FixInput("a skill must be a folder", got=str(folder))
    info, schemas = folder / _INFO, _schema_actions(folder)
    if not info.is_file() and not schemas:
        raise FixInput(
            f"a skill must hold {_INFO} or schemas/<action>.schema.json",
            where=str(folder),
            fix="point --skill-dir at the folder that holds SKILL.md",
        )
    files = ReadOnce()
    tree = mapping_in(files(info, load_yaml), info) if info.is_file() else {}
    skill = skill_from_info(folder, tree, info, schemas, files)
    path = profile_path(skill)
    profile = mapping_in(files(path, load_yaml), path) if path.is_file() else {}
    objective = _objective(profile, path) or _known_objective(skill)
    return replace(
        skill,
        keys=_keys(skill, key_hints(tree, skill), declared_keys(profile.get("keys"), str(path))),
        metric=str(objective.get("metric") or ""),
        direction=str(objective.get("direction") or ""),
        metric_worst=objective.get("worst"),
    )


def read_action_schema(skill: Skill, action: str) -> SchemaTree:
    """The schema of one action of the skill.

    Raises:
        FixInput: There is none, or it is broken.
    """
    return skill.files(skill.schema_path(action), read_schema)


def read_template(skill: Skill, action: str, deploy: bool = False) -> Tree:
    """The spec template of an action.

    Raises:
        FixInput: There is none, or it holds no settings.
    """
    path = skill.template_path(action, deploy=deploy)
    tree = mapping_in(skill.files(path, load_yaml), path)
    if not tree:
        raise FixInput("a spec template must hold settings", got="an empty file", where=str(path))
    return merged({}, tree)


def base_tree(skill: Skill, action: str) -> Tree:
    """The spec that an action starts from: its template, else its schema's defaults.

    Raises:
        FixInput: Neither exists and parses; the error names what is wrong with each.
    """
    problems = []
    try:
        return read_template(skill, action)
    except FixInput as error:
        problems.append(str(error))
    try:
        return merged({}, read_action_schema(skill, action).defaults)
    except FixInput as error:
        problems.append(str(error))
    raise FixInput(
        f"{action} must have a spec template or a schema to start from",
        got="; ".join(problems),
        where=str(skill.folder),
        fix="give a complete spec with --spec FILE",
    )


def image_of(skill: Skill, action: str, name: str = "") -> str:
    """The container image of an action, symbolic names resolved; empty if the skill names none.

    A ``name`` stands in for the one that the skill gives for the action.

    A symbolic name (``tao_toolkit.pyt``) is looked up in the skill's ``references/images.yaml``,
    then in this package's own; a name that neither knows is returned as it stands.

    Raises:
        FixInput: A list of images is broken.
    """
    info = skill.actions.get(action)
    name = name or (info.container_image if info else "") or skill.container_image
    if not name or "/" in name:
        return name
    for folder in (skill.folder, own_skill_dir()):
        path = folder / _IMAGES
        images = mapping_in(skill.files(path, load_yaml), path) if path.is_file() else {}
        if name in images:
            return str(images[name])
    return name


def _schema_actions(folder: Path) -> tuple[str, ...]:
    names = (path.name for path in sorted((folder / "schemas").glob("*.schema.json")))
    return tuple(name.removesuffix(".schema.json") for name in names)


def _keys(skill: Skill, hints: KeyHints, declared: dict[str, tuple[str, ...]]) -> NetworkKeys:
    """What the keys of the train spec mean; found in the template where no schema can be read."""
    try:
        settings = list(read_action_schema(skill, "train").leaves)
    except FixInput:
        try:
            settings = [key for key, _ in leaves(read_template(skill, "train"))]
        except FixInput:
            settings = []
    check_keys(declared, settings, str(profile_path(skill)) if declared else "")
    return find_keys("train", settings, hints, declared)


def _known_objective(skill: Skill) -> Tree:
    """What the page of a published skill says of its metric; empty for any other skill."""
    known = known_metrics(skill.files, own_skill_dir()).get(skill.network_arch)
    if known is None:
        return {}
    worst = {} if known.worst is None else {"worst": known.worst}
    return {"metric": known.metric, "direction": known.direction, **worst}


def _objective(profile: Tree, path: Path) -> Tree:
    objective = block_in(profile, "objective", path)
    direction, worst = objective.get("direction"), objective.get("worst")
    if direction is not None and direction not in _DIRECTIONS:
        raise FixInput(
            "objective.direction must be maximize or minimize",
            got=repr(direction),
            where=str(path),
        )
    if worst is not None and (isinstance(worst, bool) or not isinstance(worst, int | float)):
        raise FixInput("objective.worst must be a number", got=repr(worst), where=str(path))
    return objective | ({"worst": float(worst)} if worst is not None else {})
