"""``automl skills``: every skill below a folder, what it offers a search, and why one cannot."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from automl.app.metric_candidates import metric_candidates
from automl.errors import FixInput
from automl.skill.model import Skill
from automl.skill.policy import obstacles
from automl.skill.read import base_tree, read_action_schema, read_profile_of, read_skill
from automl.skill.schema import SchemaTree
from automl.space.build import build_space
from automl.space.model import SearchSpace
from automl.space.request import SpaceRequest

__all__ = ["SkillListing", "list_skills"]

#: Any of these makes a folder one that wants to be a skill; patterns relative to the folder.
_SIGNS = (
    "references/skill_info.yaml",
    "references/spec_template*.yaml",
    "schemas/*.schema.json",
    "schemas/manifest.json",
)
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SkillListing:
    """What one skill offers.

    Attributes:
        path: Its folder, relative to the folder that was looked through; ``.`` for that itself.
        name: Its name; the folder's where its metadata cannot be read.
        network: The network that it trains; empty where its metadata cannot be read.
        automl_enabled: Whether its metadata allows a search; None where it cannot be read.
        runnable: Whether a search could begin once data is given.
        why_not: Why it is not runnable; empty if it is.
        actions: Names of its actions.
        default_parameters: Dotted keys that its train schema searches by default.
        metric: The metric that a search improves, or ``unknown``: then one has to be named.
    """

    path: str
    name: str
    network: str = ""
    automl_enabled: bool | None = None
    runnable: bool = False
    why_not: str = ""
    actions: tuple[str, ...] = ()
    default_parameters: tuple[str, ...] = ()
    metric: str = _UNKNOWN

    def to_json(self) -> dict[str, Any]:
        """A plain value of a stable shape."""
        return asdict(self)


def list_skills(root: Path) -> tuple[SkillListing, ...]:
    """Every skill at or below ``root``, by path; a broken one stands in it with its reason.

    Raises:
        FixInput: ``root`` is no folder.
    """
    if not root.is_dir():
        raise FixInput(
            "skills must be looked for in a folder", got=str(root), where="automl skills"
        )
    return tuple(_listing(folder, root) for folder in sorted(_skill_folders(root)))


def _unknown(skill: Skill) -> str:
    """That no metric is known, and which the skill speaks of."""
    names = metric_candidates(skill)
    return f"{_UNKNOWN}; the skill speaks of {', '.join(names)}" if names else _UNKNOWN


def _skill_folders(root: Path) -> Iterator[Path]:
    """The folders that look like a skill; hidden ones and what lies inside a skill are not.

    Linked folders are followed once, and never upwards.
    """
    top, seen = root.resolve(), set[Path]()
    for place, folders, _ in os.walk(root, followlinks=True):
        folder, real = Path(place), Path(place).resolve()
        is_new = real not in seen and (real == top or not top.is_relative_to(real))
        is_skill = is_new and any(any(folder.glob(sign)) for sign in _SIGNS)
        seen.add(real)
        if is_skill:
            yield folder
        folders[:] = [name for name in folders if is_new and not is_skill and name[0] != "."]


def _listing(folder: Path, root: Path) -> SkillListing:
    path = str(folder.relative_to(root))
    try:
        skill = read_skill(folder)
    except FixInput as error:
        return SkillListing(path, folder.resolve().name, why_not=_within(str(error), folder))
    schema, problems = _schema_of(skill), _problems(skill)
    return SkillListing(
        path=path,
        name=skill.name,
        network=skill.network_arch,
        automl_enabled=skill.automl_enabled,
        runnable=not problems,
        why_not=_within("; ".join(problems), folder),
        actions=tuple(skill.actions),
        default_parameters=schema.automl_default_parameters if schema else (),
        metric=skill.metric or _unknown(skill),
    )


def _schema_of(skill: Skill) -> SchemaTree | None:
    try:
        return read_action_schema(skill, "train")
    except FixInput:
        return None


def _problems(skill: Skill) -> Sequence[str]:
    """Why a search over the skill cannot begin; empty if it can."""
    if not skill.automl_enabled:
        return ("automl_enabled is not true in references/skill_info.yaml",)
    problems = obstacles(skill)
    if problems:
        return problems
    try:
        space = _default_space(skill)
    except FixInput as error:
        return (str(error),)
    return () if space.parameters else (_why_empty(space),)


def _default_space(skill: Skill) -> SearchSpace:
    schema, base = read_action_schema(skill, "train"), base_tree(skill, "train")
    request = SpaceRequest(keys=skill.keys)
    return build_space(schema, base, request, read_profile_of(skill))


def _why_empty(space: SearchSpace) -> str:
    reasons = [f"{one.key}: {one.reason}" for one in space.refused]
    reasons += [f"{one.key}: {one.reason}" for one in space.inert]
    return "; ".join(reasons) or "its train schema names no parameter to search by default"


def _within(text: str, folder: Path) -> str:
    """The text with paths inside the skill relative to it."""
    here = str(folder.resolve())
    return text.replace(here + os.sep, "").replace(here, "its folder")
