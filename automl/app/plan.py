"""What a run will do, worked out whole before anything is spent.

A plan is made of the flags, the study file, the skill and the data, and of nothing else: the same
request makes the same plan. ``automl plan`` shows it, ``automl run`` carries it out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from automl.app.checks import check_data, check_seed, check_types, count_in
from automl.app.choices import choose_limits, choose_objective, choose_search, idle_flags
from automl.app.datasets import resolve_data
from automl.app.machine import choose_resources, look_round
from automl.app.request import PlanRequest, as_given, provenance_of
from automl.app.settings import Layers, StudyFile, read_study_file
from automl.app.sharing import TrialSetup, check_sharing
from automl.app.trainer_choice import choose_trainer
from automl.data.checks import SplitFacts
from automl.errors import FixInput
from automl.skill.model import Skill
from automl.skill.policy import Gate, PolicyChoice, choose_policy, gate
from automl.skill.profile import Profile, load_profile
from automl.skill.read import own_skill_dir, profile_path, read_action_schema, read_skill
from automl.skill.tree import Tree, leaves
from automl.space.build import build_space
from automl.space.model import Ceiling, SearchSpace
from automl.space.request import SPACES, SpaceRequest
from automl.space.source import space_source
from automl.spec.build import BaseSpec, SpecRequest, build_base, check_searched, with_params
from automl.spec.notices import check_settings
from automl.spec.values import parse_assignment
from automl.study.config import Keep, SearchSettings, StudyConfig
from automl.study.folder import check_name, fresh_name

__all__ = ["Plan", "Planner", "make_plan"]

DEMO = Path("studies", "demo.yaml")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do.

    Attributes:
        config: Every setting resolved.
        skill: The model skill.
        gate: Whether it searches, and why.
        base: The spec of trial 0, and what is to be said of it.
        space: What is searched; empty for a plain training.
        ceilings: Upper bounds that the data puts on the space.
        data: Split to what it holds; only the splits that training reads.
        notes: What a reader should know before anything is spent.
        studies_dir: Where the study's folder will be made.
        request: The request as given, for the study's own record.
        provenance: Versions, hashes, seeds, host.
    """

    config: StudyConfig
    skill: Skill
    gate: Gate
    base: BaseSpec
    space: SearchSpace
    ceilings: tuple[Ceiling, ...]
    data: Mapping[str, SplitFacts]
    notes: tuple[str, ...]
    studies_dir: Path
    request: Mapping[str, Any]
    provenance: Mapping[str, Any]

    @property
    def base_spec(self) -> Tree:
        """The complete spec of trial 0, but for its own folder."""
        return self.base.tree


def make_plan(request: PlanRequest) -> Plan:
    """Works out what a run will do; makes no study and trains nothing.

    Raises:
        FixInput: A flag, the study file, the skill, the spec or the data breaks a rule.
        PrepareMachine: More GPUs are asked for than there are.
    """
    return Planner.of(request).plan()


@dataclass(frozen=True, slots=True)
class Planner:
    """One planning, from its layers to the plan."""

    request: PlanRequest
    file: StudyFile | None
    layers: Layers
    skill: Skill
    profile: Profile
    policy: PolicyChoice
    gate: Gate

    @classmethod
    def of(cls, request: PlanRequest) -> "Planner":
        """The planning of a request: study file, skill, profile, policy and gate are read.

        Raises:
            FixInput: One of them is broken.
        """
        file = _study_file(request)
        layers = Layers(
            [
                ("flag", request.flags),
                (str(file.path) if file else "study file", file.values if file else {}),
            ]
        )
        skill = read_skill(_skill_dir(layers, file))
        policy = choose_policy(
            request.flags.get("policy"),
            file.values.get("automl_policy") if file else None,
            request.request,
        )
        profile = load_profile(profile_path(skill))
        return cls(request, file, layers, skill, profile, policy, gate(skill, policy.value))

    def plan(self) -> Plan:
        """The whole plan."""
        objective = choose_objective(self.layers, self.skill)
        self._check_words()
        sources = resolve_data(self.layers, self.file, self.request.tell, self.request.transfer)
        base = self.base_spec({name: getattr(sources, name) for name in sources.__slots__})
        searches = self.gate.searches
        machine = look_round()
        resources, notes = choose_resources(
            self.layers, machine, count_in(base, "train.num_gpus"), searches=searches
        )
        check_types(self.skill, base)
        data, ceilings, data_notes = check_data(self.skill, base, resources)
        search = self.search()
        trainer = choose_trainer(
            self.layers, self.skill, searches=searches, gpus_per_trial=resources.gpus_per_trial
        )
        space = SearchSpace()
        if searches and base.rules.schema is not None:
            space = self.space_of(base, search, ceilings, trainer.program)
            _check_not_empty(space)
            base = replace(base, tree=with_params(base.tree, space.fixed))
        shared = check_sharing(TrialSetup(self.skill, base.tree, space, data, resources), machine)
        limits = choose_limits(self.layers, searches=searches)
        check_seed(base.rules, limits)
        told = check_settings(base.rules, self.profile, base.tree, trainer.program, space.keys)
        config = StudyConfig(
            name=self._name(),
            skill_dir=str(self.skill.folder),
            policy=str(self.policy.value),
            policy_source=self.policy.source,
            objective=objective,
            data=sources,
            overrides=base.overrides,
            spec_file=str(self._path("spec") or ""),
            search=search,
            limits=limits,
            resources=resources,
            trainer=trainer.name,
            trainer_options=trainer.options,
            keep=Keep(self.layers.choice("keep", tuple(Keep), Keep.BEST)),
            searches=searches,
            origin=self.layers.origin,
            keys=base.keys,
        )
        notes = (*notes, *shared, *trainer.notes)
        notices = (*self.policy.notes, *base.notes, *map(str, told), *notes, *data_notes)
        if not searches:
            notices = (self.gate.message, *idle_flags(self.layers), *notices)
        return Plan(
            config,
            self.skill,
            self.gate,
            base,
            space,
            ceilings,
            data,
            notices,
            self.request.studies_dir,
            as_given(self.request, self.file),
            provenance_of(self.request.command, self.skill, config, data),
        )

    def _check_words(self) -> None:
        """Checks spec and search before data is rendered, extracted or brought for them.

        Raises:
            FixInput: A key is unknown, or a value or a range does not fit.
        """
        base, search = self.base_spec({}), self.search()
        if self.gate.searches and base.rules.schema is not None:
            self.space_of(base, search)

    def search(self) -> SearchSettings:
        """What is asked of the search; the file of a profile by its absolute path.

        Raises:
            FixInput: A setting has a value that it cannot have.
        """
        asked = choose_search(self.layers)
        path = None if asked.space in SPACES else self._path("space")
        if path is None or not path.is_file():
            return asked
        return replace(asked, space=str(path.absolute()))

    def space_of(
        self,
        base: BaseSpec,
        search: SearchSettings,
        ceilings: tuple[Ceiling, ...] = (),
        trainer: str = "",
    ) -> SearchSpace:
        """The search space over a base spec.

        Raises:
            FixInput: The action has no schema, or the space cannot be had as asked.
        """
        schema = base.rules.schema or read_action_schema(self.skill, "train")
        name, profile = space_source(search.space, self.profile)
        asked = SpaceRequest(name, search.search, search.freeze, self.skill.shorthand, base.keys)
        check_searched(base.rules, asked.searched())
        return build_space(schema, base.tree, asked, profile, ceilings, trainer)

    def base_spec(self, data: Mapping[str, str]) -> BaseSpec:
        """The spec of trial 0; ``data`` maps a split to its folder, empty where not given."""
        parent = self._path("parent_checkpoint")
        if parent is not None and not parent.is_file():
            raise FixInput(
                "a parent checkpoint is a file that exists",
                got=str(parent),
                where=self.layers.origin["parent_checkpoint"],
            )
        return build_base(
            self.skill,
            "train",
            SpecRequest(
                overrides=self._overrides(),
                spec_file=self._path("spec"),
                data={split: folder for split, folder in data.items() if folder},
                parent_checkpoint=str(parent.absolute()) if parent else "",
                gpus=self.layers.number("gpus_per_trial", None),
                where=self._where_set(),
            ),
        )

    def _name(self) -> str:
        name = self.layers.pick("name")
        if name is not None:
            return check_name(str(name), self.layers.origin["name"])
        hint = self.file.path.stem if self.file else self.skill.network_arch
        return fresh_name(self.request.studies_dir, hint)

    def _path(self, name: str) -> Path | None:
        """A setting that names a file; a study file's is relative to where the study file is."""
        value = self.layers.pick(name)
        if not value:
            return None
        if self.file is not None and self.layers.origin[name] == str(self.file.path):
            return Path(self.file.located(str(value)))
        return Path(str(value))

    def _overrides(self) -> dict[str, Any]:
        """The study file's ``set``, nested or dotted, with the flags' on top."""
        block = (self.file.values.get("set") if self.file else None) or {}
        if not isinstance(block, Mapping):
            raise FixInput("set must be a mapping", got=repr(block), where=self._file_name())
        overrides = dict(leaves(block))
        for text in self.request.flags.get("set") or ():
            key, value = parse_assignment(text)
            overrides[key] = value
        return overrides

    def _where_set(self) -> str:
        places = ["--set"] if self.request.flags.get("set") else []
        if self.file is not None and self.file.values.get("set"):
            places.append(f"{self.file.path}: set")
        return " or ".join(places)

    def _file_name(self) -> str:
        return str(self.file.path) if self.file else ""


def _study_file(request: PlanRequest) -> StudyFile | None:
    if request.demo and request.study_file is not None:
        raise FixInput(
            "a run has one study file", got=f"--demo and {request.study_file}", fix="drop one"
        )
    path = own_skill_dir() / DEMO if request.demo else request.study_file
    return read_study_file(path) if path is not None else None


def _skill_dir(layers: Layers, file: StudyFile | None) -> Path:
    value = layers.pick("skill_dir")
    if not value:
        return own_skill_dir()
    is_flag = layers.origin["skill_dir"] == "--skill-dir"
    return Path(str(value) if is_flag or file is None else file.located(str(value)))


def _check_not_empty(space: SearchSpace) -> None:
    if space.parameters:
        return
    reasons = [f"{key} is fixed at {value}" for key, value in space.fixed.items()]
    reasons += [f"{entry.key}: {entry.reason}" for entry in space.inert]
    reasons += [f"{entry.key}: {entry.reason}" for entry in space.refused]
    raise FixInput(
        "a search needs a parameter to search",
        got="; ".join(reasons) or "a schema that offers none",
        fix="name one with --search KEY=RANGE, or train once with --policy off",
    )
