"""What a request asks for, read once: its study file, settings, skill, policy, spec and space."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from automl.app.choices import choose_search
from automl.app.fidelity import FULL, no_rungs
from automl.app.machine import shared_out
from automl.app.request import PlanRequest
from automl.app.resume_point import ResumePoint, asked_for, check_asked, find_resume_point
from automl.app.study_settings import NO_SETTINGS, settings_table
from automl.checkpointfile import check_checkpoint_file
from automl.errors import FixInput
from automl.settings.environment import environment_layer, mistyped
from automl.settings.layers import Layer, Settings, merge, read_layer
from automl.settings.setting import Setting
from automl.settings.study_file import StudyFile, read_study_file
from automl.skill.metric_source import STATUS_FILE, MetricSource
from automl.skill.model import Skill
from automl.skill.policy import Gate, PolicyChoice, choose_policy, gate
from automl.skill.profile import Profile
from automl.skill.read import own_skill_dir, read_action_schema, read_profile_of, read_skill
from automl.space.build import build_space
from automl.space.model import Ceiling, SearchSpace
from automl.space.request import SpaceRequest
from automl.space.source import space_source
from automl.spec.build import BaseSpec, SpecRequest, build_base, check_searched
from automl.study.config import SearchSettings
from automl.study.folder import check_name, fresh_name

__all__ = ["Planner"]

DEMO = Path("studies", "demo.yaml")


@dataclass(frozen=True, slots=True)
class Planner:
    """What a request asks for.

    Attributes:
        request: The request.
        file: Its study file.
        settings: Every setting with its value.
        skill: The model skill.
        profile: The skill's search profile.
        policy: Whether it may search.
        gate: Whether it searches.
        search: What is asked of the search.
        resumes: The checkpoint that the one training goes on from; None for a fresh start.
        metrics: Where a training's metrics are read.
    """

    request: PlanRequest
    file: StudyFile | None
    settings: Settings
    skill: Skill
    profile: Profile
    policy: PolicyChoice
    gate: Gate
    search: SearchSettings
    resumes: ResumePoint | None = None
    metrics: MetricSource = STATUS_FILE

    def measured_by(self, metrics: MetricSource) -> "Planner":
        """The same with another source of metrics, and with no rungs where that has no epochs.

        Raises:
            FixInput: A method with rungs was asked for by name all the same.
        """
        search = self.search
        if not metrics.has_epochs and search.fidelity not in ("auto", FULL):
            raise no_rungs("one measurement a training, at its end")
        if not metrics.has_epochs:
            search = replace(search, fidelity=FULL)
        return replace(self, metrics=metrics, search=search)

    @classmethod
    def of(cls, request: PlanRequest) -> "Planner":
        """Reads study file, flags, skill and profile.

        Raises:
            FixInput: One of them is broken.
        """
        table = settings_table()
        file = _study_file(request, table)
        settings = merge(table, _layers(request, file, table))
        skill = _skill(settings)
        policy = _policy(settings, file)
        asked, where = asked_for(settings, skill.keys)
        resumes = None
        if asked:
            check_asked(gate(skill, policy.value), asked, where)
            resumes = find_resume_point(request.studies_dir, asked, where)
            settings = merge(table, [*settings.layers, resumes.layer(settings)])
            skill = _skill(settings)
        gated = gate(skill, policy.value)
        if not gated.searches:
            by_key = {skill.shorthand.get(key, key) for key in settings["set"]}
            alone = shared_out(settings, by_key, skill.keys)
            settings = merge(table, [*settings.layers, alone])
        profile = read_profile_of(skill)
        return cls(
            request=request,
            file=file,
            settings=settings,
            skill=skill,
            profile=profile,
            policy=policy,
            gate=gated,
            search=choose_search(settings, profile),
            resumes=resumes,
        )

    @property
    def name(self) -> str:
        """The study's name: the one that was given, else a fresh one.

        Raises:
            FixInput: The given one cannot be the name of a folder.
        """
        given = self.settings["name"]
        if given is not None:
            return check_name(given, self.settings.origin("name"))
        hint = self.file.path.stem if self.file else self.skill.network_arch
        return fresh_name(self.request.studies_dir, hint)

    def base_spec(self, data: Mapping[str, str] | None = None) -> BaseSpec:
        """The spec of trial 0.

        Args:
            data: Split to its folder; empty where not given.

        Raises:
            FixInput: A key is unknown, a value does not fit, or there is no parent checkpoint.
        """
        settings = self.settings
        parent: Path | None = settings["parent_checkpoint"]
        if parent is not None:
            check_checkpoint_file(parent, settings.origin("parent_checkpoint"))
        spec: Path | None = settings["spec"]
        if spec is not None and not spec.expanduser().exists():
            rule, given = "a spec must be a file that exists", str(spec.expanduser().absolute())
            raise FixInput(rule, got=given, where=settings.origin("spec"))
        request = SpecRequest(
            overrides=self._overrides(),
            spec_file=settings["spec"],
            data={split: folder for split, folder in (data or {}).items() if folder},
            parent_checkpoint=str(parent.absolute()) if parent else "",
            gpus=settings["gpus_per_trial"],
            where=" or ".join(map(self._place_of_set, settings.chosen["set"].places)),
        )
        return build_base(self.skill, "train", request)

    def _overrides(self) -> Mapping[str, Any]:
        """What is set by key, without the checkpoint to go on from, which is the attempt's."""
        given: Mapping[str, Any] = self.settings["set"]
        if self.resumes is None:
            return given
        return {key: value for key, value in given.items() if key not in self.skill.keys.resume}

    def _place_of_set(self, place: str) -> str:
        is_file = self.file is not None and place == str(self.file.path)
        return f"{place}: set" if is_file else place

    def space_of(
        self, base: BaseSpec, program: str, ceilings: tuple[Ceiling, ...] = ()
    ) -> SearchSpace:
        """The search space over a base spec.

        Args:
            base: The spec of trial 0.
            program: By which trainer's rules settings are judged.
            ceilings: Upper bounds that the data puts on it.

        Raises:
            FixInput: The action has no schema, or the space cannot be had as asked.
        """
        schema = base.rules.schema or read_action_schema(self.skill, "train")
        search = self.search
        name, profile = space_source(search.space, self.profile)
        asked = SpaceRequest(name, search.search, search.freeze, self.skill.shorthand, base.keys)
        check_searched(base.rules, asked.searched())
        return build_space(schema, base.tree, asked, profile, ceilings, program)


def _skill(settings: Settings) -> Skill:
    folder: Path | None = settings["skill_dir"]
    if folder is not None and not folder.expanduser().is_dir():
        given = str(folder.expanduser().absolute())
        raise FixInput("a skill must be a folder", got=given, where=settings.origin("skill_dir"))
    return read_skill(folder or own_skill_dir())


def _policy(settings: Settings, file: StudyFile | None) -> PolicyChoice:
    path = str(file.path) if file else ""
    said = [("study file" if place == path else place, policy)
            for place, policy in settings.said("policy")]  # fmt: skip
    return choose_policy(said, settings["request"])


def _study_file(request: PlanRequest, table: Mapping[str, Setting]) -> StudyFile | None:
    if request.demo and request.study_file is not None:
        raise FixInput(
            "a run must have one study file",
            got=f"--demo and {request.study_file}",
            fix="drop one",
        )
    path = own_skill_dir() / DEMO if request.demo else request.study_file
    return read_study_file(path, table) if path is not None else None


def _layers(
    request: PlanRequest, file: StudyFile | None, table: Mapping[str, Setting]
) -> list[Layer]:
    """What the command decides, then the flags, the environment, the study file."""
    decided, flags = Layer(request.decided, request.decided_by), read_layer(table, request.flags)
    layers = [decided, flags, environment_layer(table, request.environment)]
    for text in mistyped(table, request.environment, NO_SETTINGS):
        request.tell(text)
    return [*layers, file.layer] if file is not None else layers
