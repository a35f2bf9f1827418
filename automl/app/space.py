"""``automl space``: the search space alone, which needs no data, no metric and no GPU."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automl.app.checks import check_data
from automl.app.datasets import DataNames, data_names, resolve_data
from automl.app.planner import Planner
from automl.app.request import PlanRequest
from automl.app.trainer_choice import choose_trainer
from automl.errors import FixInput
from automl.files import write_text
from automl.search.sample import sample
from automl.skill.keys import NetworkKeys
from automl.skill.model import Skill
from automl.skill.read import base_tree, read_action_schema, read_profile_of, read_skill
from automl.skill.schema import SchemaTree, read_schema
from automl.skill.tree import ParamValue
from automl.space.build import build_space
from automl.space.diff import changes
from automl.space.draft import draft_profile
from automl.space.model import Ceiling, SearchSpace
from automl.space.request import SpaceRequest
from automl.space.show import show_space
from automl.spec.build import with_data
from automl.study.config import Resources
from automl.study.folder import read_space
from automl.study.layout import StudyPaths
from automl.yamltext import dump_yaml

__all__ = ["SpaceView", "diff_spaces", "make_space", "save_profile"]


@dataclass(frozen=True, slots=True)
class SpaceView:
    """A search space and proposals drawn from it.

    Attributes:
        space: The space.
        samples: Proposals, each dotted key to value.
        keys: Which settings of the network mean what.
        objective: Metric, direction and worst value, as far as they are known.
    """

    space: SearchSpace
    samples: tuple[dict[str, ParamValue], ...] = ()
    keys: NetworkKeys = field(default_factory=NetworkKeys)
    objective: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The space as a tree of lines, then one line for each proposal."""
        lines = [
            f"sample {number}  " + "  ".join(f"{key}={value}" for key, value in params.items())
            for number, params in enumerate(self.samples)
        ]
        return "\n".join((show_space(self.space), *lines))

    @property
    def yaml(self) -> str:
        """The same value as ``to_json``, as YAML without the last line's end."""
        return dump_yaml({"schema": "automl.space/1", **self.to_json()}).rstrip()

    @property
    def profile(self) -> str:
        """A search profile drafted from the space and the keys that were found, as YAML."""
        known = {"objective": dict(self.objective)} if self.objective else {}
        return dump_yaml({**known, "keys": self.keys.to_json(), **draft_profile(self.space)})

    def to_json(self) -> dict[str, Any]:
        """A plain value of a stable shape that scripts may rely on."""
        return {**self.space.to_json(), "samples": list(self.samples)}


def make_space(request: PlanRequest, samples: int = 0) -> SpaceView:
    """The search space that a run of the same request would search.

    Data is looked at only where flags name the train and the validation split: what it forbids
    then bounds the space. Nothing is rendered, and a study file's data is left alone.

    Raises:
        FixInput: A flag, the study file, the skill or the spec breaks a rule.
    """
    planner = Planner.of(request)
    settings = planner.settings
    base, ceilings = planner.base_spec(), tuple[Ceiling, ...]()
    if request.flags.get("train_data") and request.flags.get("val_data"):
        names = data_names(settings)
        of_flags = {split: name for split, name in names.splits.items()
                    if request.flags.get(f"{split}_data")}  # fmt: skip
        sources, _ = resolve_data(DataNames(of_flags), request.tell, request.transfer)
        base = with_data(base, {"train": sources.train, "val": sources.val})
        resources = Resources(gpus_per_trial=settings["gpus_per_trial"] or 0)
        _, ceilings, _ = check_data(planner.skill, base, resources)
    trainer = choose_trainer(settings, planner.skill, searches=True)
    space = planner.space_of(base, trainer.program, ceilings)
    drawn = tuple(sample(space, samples, planner.search.seed))
    return SpaceView(space, drawn, planner.skill.keys, _objective(planner.skill))


def _objective(skill: Skill) -> dict[str, Any]:
    """What a skill knows of its objective, as a profile writes it."""
    known = {
        "metric": skill.metric,
        "direction": skill.direction,
        "worst": skill.metric_worst,
    }
    return {name: value for name, value in known.items() if value not in ("", None)}


def save_profile(text: str, target: str) -> Path:
    """Writes a drafted profile to a file that must not exist yet.

    Raises:
        FixInput: The file exists.
    """
    path = Path(target)
    if path.exists():
        raise FixInput(
            "a drafted profile must not overwrite a file", got=target, where="--write-profile"
        )
    write_text(path, text)
    return path


def diff_spaces(old: str, new: str, studies_dir: Path) -> str:
    """What changed between the spaces of two studies, skills or schema files, as lines of text.

    Raises:
        FixInput: One of them is none of these.
    """
    lines = changes(_space_named(old, studies_dir), _space_named(new, studies_dir))
    return "\n".join(lines) or "the two spaces propose the same"


def _space_named(name: str, studies_dir: Path) -> SearchSpace:
    """The stored space of a study, or the default space of a skill or of a schema file."""
    path = Path(name)
    for folder in (path, studies_dir / name):
        if StudyPaths(folder).space.is_file():
            return SearchSpace.from_json(read_space(StudyPaths(folder)))
    if path.is_file():
        schema = read_schema(path)
        return build_space(schema, schema.defaults, SpaceRequest())
    if path.is_dir():
        return _space_of_skill(path)
    raise FixInput(
        "a space must be that of a study, a skill folder or a schema file", got=repr(name)
    )


def _space_of_skill(folder: Path) -> SearchSpace:
    skill = read_skill(folder)
    schema: SchemaTree = read_action_schema(skill, "train")
    profile = read_profile_of(skill)
    request = SpaceRequest(keys=skill.keys)
    return build_space(schema, base_tree(skill, "train"), request, profile)
