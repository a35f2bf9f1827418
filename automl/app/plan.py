"""What a run will do, worked out whole before anything is spent.

A plan is made of the flags, the study file, the skill and the data, and of nothing else: the same
request makes the same plan. ``automl plan`` shows it, ``automl run`` carries it out.
"""

from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path
from typing import Any

from automl.app.checks import check_data, check_seed, check_types, check_weights, count_in
from automl.app.choices import (
    choose_limits,
    choose_metrics,
    choose_objective,
    idle_flags,
    origins,
)
from automl.app.cluster import as_machine, cluster_resources, survey_of
from automl.app.datasets import data_names, resolve_data
from automl.app.encrypted import refuse_encrypted
from automl.app.fidelity import choose_fidelity
from automl.app.inputs import with_given_inputs
from automl.app.linked_weights import with_linked_weights
from automl.app.machine import choose_resources, detect_machine
from automl.app.planner import Planner
from automl.app.request import PlanRequest, as_given, provenance_of, public_command
from automl.app.required import check_required
from automl.app.resume_check import check_resume
from automl.app.sharing import TrialSetup, check_sharing
from automl.app.skill_facts import skill_facts
from automl.app.trainer_choice import ChosenTrainer, choose_trainer, lacks_gpu
from automl.app.warm_start import WarmStart, take_earlier
from automl.data.checks import SplitFacts
from automl.errors import FixInput
from automl.execution.cluster.survey import Survey
from automl.skill.model import Skill
from automl.skill.policy import Gate
from automl.skill.tree import Tree
from automl.space.model import Ceiling, SearchSpace
from automl.spec.build import BaseSpec, with_data, with_params
from automl.spec.notices import check_settings
from automl.study.config import (
    FAKE_TRAINER,
    DataSources,
    Keep,
    Objective,
    Resources,
    SearchSettings,
    StudyConfig,
)
from automl.study.earlier import Earlier

__all__ = ["Plan", "make_plan"]


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
        cluster: The Ray cluster that the trials would run on; None for this machine.
        notify: Addresses and commands that are told how it goes; nothing keeps them.
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
    cluster: Survey | None = None
    notify: tuple[str, ...] = ()

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
    planner = Planner.of(request)
    objective = choose_objective(planner.settings, planner.skill)
    metrics = choose_metrics(planner.settings, planner.skill, planner.profile)
    planner = planner.measured_by(metrics)
    check_required(planner.settings["require"], objective, planner.settings.origin("require"))
    base = planner.base_spec()
    _space(planner, base)  # a wrong range is said before data is rendered or brought for it
    names = data_names(planner.settings)
    sources, of_data = resolve_data(names, request.tell, request.transfer)
    base = with_data(base, asdict(sources))
    base = with_given_inputs(base, planner.settings, request.tell, request.transfer)
    base = with_linked_weights(base, planner.settings, request.tell, request.transfer)
    setup = _set_up(planner, base, sources)
    config = _config(planner, setup, objective, sources)
    earlier = _earlier(planner, setup, objective)
    config = replace(config, origin={**config.origin, **of_data}, earlier=earlier)
    check_seed(setup.base.rules, config.limits)
    parent = {} if planner.resumes is None else {"parent": planner.resumes.record()}
    return Plan(
        config=config,
        skill=planner.skill,
        gate=planner.gate,
        base=setup.base,
        space=setup.space,
        ceilings=setup.ceilings,
        data=setup.data,
        notes=(
            *_notes(planner, setup),
            *_taken(earlier),
            *_refusals(config),
            *skill_facts(planner.skill, config),
        ),
        studies_dir=request.studies_dir,
        request={**as_given(request, planner.file), **parent},
        provenance={
            **provenance_of(
                public_command(request, planner.file), planner.skill, config, setup.data
            ),
            **parent,
        },
        cluster=setup.cluster,
        notify=planner.settings["notify"],
    )


@dataclass(frozen=True, slots=True)
class _Setup:
    """What is trained and on what, once the data is here."""

    base: BaseSpec
    space: SearchSpace
    ceilings: tuple[Ceiling, ...]
    data: Mapping[str, SplitFacts]
    resources: Resources
    trainer: ChosenTrainer
    search: SearchSettings
    notes: tuple[str, ...]
    cluster: Survey | None


def _set_up(planner: Planner, base: BaseSpec, sources: DataSources) -> _Setup:
    skill, settings, searches = planner.skill, planner.settings, planner.gate.searches
    folders = [folder for folder in astuple(sources) if folder]
    cluster = survey_of(settings, skill, folders, searches=searches)
    machine, num_gpus = detect_machine(), count_in(base, base.keys.gpus)
    if cluster is None:
        resources, notes = choose_resources(settings, machine, num_gpus, searches=searches)
    else:
        resources, notes = cluster_resources(settings, cluster, num_gpus)
        machine = as_machine(cluster)
    check_types(skill, base)
    resumed = () if planner.resumes is None else check_resume(planner.resumes, base)
    trainer = choose_trainer(
        settings, skill, searches=searches, gpus_per_trial=resources.gpus_per_trial
    )
    notes = (*notes, *check_weights(base, sees_other_files=trainer.sees_other_files))
    if planner.resumes is not None:
        named = [(planner.resumes.where, Path(planner.resumes.parent.origin.path))]
        refuse_encrypted(skill, base.tree, named, in_container=trainer.sees_other_files)
    data, ceilings, data_notes = check_data(skill, base, resources)
    space = _space(planner, base, ceilings, trainer.program)
    if searches and base.rules.schema is not None:
        _check_not_empty(space)
    tree = with_params(base.tree, space.fixed)
    fidelity = choose_fidelity(tree, base.keys, space, planner.search)
    base = replace(base, tree=fidelity.tree)
    shared = check_sharing(TrialSetup(skill, base.tree, space, data, resources), machine)
    notices = check_settings(base.rules, planner.profile, base.tree, trainer.program, space.keys)
    notes = (
        *resumed,
        *base.notes,
        *map(str, notices),
        *fidelity.notes,
        *notes,
        *shared,
        *trainer.notes,
        *data_notes,
    )
    search = fidelity.search
    return _Setup(base, space, ceilings, data, resources, trainer, search, notes, cluster)


def _space(
    planner: Planner, base: BaseSpec, ceilings: tuple[Ceiling, ...] = (), program: str = ""
) -> SearchSpace:
    """The search space; an empty one for a plain training."""
    if not planner.gate.searches or base.rules.schema is None:
        return SearchSpace()
    return planner.space_of(base, program, ceilings)


def _config(
    planner: Planner, setup: _Setup, objective: Objective, data: DataSources
) -> StudyConfig:
    """Every setting resolved."""
    settings, searches, trainer = planner.settings, planner.gate.searches, setup.trainer
    parent: Path | None = settings["parent_checkpoint"]
    return StudyConfig(
        name=planner.name,
        skill_dir=str(planner.skill.folder),
        policy=str(planner.policy.value),
        policy_source=planner.policy.source,
        objective=objective,
        data=data,
        overrides=setup.base.overrides,
        spec_file=str(settings["spec"] or ""),
        search=setup.search,
        limits=choose_limits(settings, searches=searches),
        resources=setup.resources,
        trainer=trainer.name,
        trainer_options=trainer.options,
        keep=Keep(settings["keep"]),
        searches=searches,
        origin=origins(settings, trainer.name, trainer.origin),
        keys=setup.base.keys,
        resume_from="" if planner.resumes is None else planner.resumes.path,
        parent_checkpoint=str(parent.absolute()) if parent else "",
        report_images=settings["report_images"],
        price_per_gpu_hour=settings["price_per_gpu_hour"],
        ray_address=settings["ray_address"] or "",
        study_store=settings["study_store"],
        metrics=planner.metrics,
        require=settings["require"],
        mirrors=settings["mirror"],
        storage_url=settings["storage"] or "",
    )


def _earlier(planner: Planner, setup: _Setup, objective: Objective) -> Earlier:
    """What earlier studies tell of this one; nothing where none is named or nothing searched."""
    settings = planner.settings
    names: tuple[str, ...] = settings["warm_start"] or ()
    if not names or not planner.gate.searches:
        return Earlier()
    asked = WarmStart(
        names=names,
        accept_drift=settings["accept_drift"],
        studies_dir=planner.request.studies_dir,
        objective=objective,
        space=setup.space,
        base=setup.base.tree,
        data=setup.data,
        is_fake=setup.trainer.name == FAKE_TRAINER,
    )
    return take_earlier(asked)


def _notes(planner: Planner, setup: _Setup) -> tuple[str, ...]:
    idle: tuple[str, ...] = ()
    if not planner.gate.searches:
        idle = (planner.gate.message, *idle_flags(planner.settings))
    return (*idle, *planner.policy.notes, *setup.notes)


def _taken(earlier: Earlier) -> tuple[str, ...]:
    """What was taken from which study."""
    return tuple(f"warm start: {study}" for study in earlier.studies)


def _refusals(config: StudyConfig) -> tuple[str, ...]:
    """What ``run`` will refuse although a plan can be made."""
    text = "automl run refuses containers without a GPU, unless --gpus-per-trial 0 asks for them"
    return (text,) if lacks_gpu(config) else ()


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
