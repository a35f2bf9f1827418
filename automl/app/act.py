"""One action on a checkpoint (evaluate, inference, export, gen_trt_engine), planned.

The policy of searches has no say here: an action never searches.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.app.action_data import action_data
from automl.app.action_request import ActRequest
from automl.app.encrypted import refuse_encrypted
from automl.app.inputs import parse_inputs, resolved_inputs
from automl.app.metric_scale import with_known_size
from automl.app.parents import Parent, exported_from, find_parent
from automl.app.tuned_settings import read_overlay
from automl.errors import FixInput
from automl.skill.deploy import deploy_skill, has_deploy_side
from automl.skill.model import Skill
from automl.skill.read import own_skill_dir, read_skill
from automl.skill.tree import Tree, get
from automl.spec.action import INPUTS_FLAG, ActionRequest, ActionSpec, build_action
from automl.spec.build import SpecRequest, build_base
from automl.spec.inferred import Surroundings
from automl.spec.values import parse_assignment
from automl.study.actions import new_folder
from automl.study.config import DataSources
from automl.study.layout import AttemptPaths
from automl.trainers.base import Preview, Previewing, Trainer, TrialTask
from automl.trainers.entry import ActionAsked, TrainerEntry
from automl.trainers.process import OWN_PROGRAMS
from automl.trainers.process_entry import PYTHON
from automl.trainers.table import CONTAINER, DEFAULT, make_trainer, trainer_entry
from automl.yamltext import load_yaml

__all__ = ["ActPlan", "ActRequest", "plan_action"]

ENGINE = "gen_trt_engine"


@dataclass(frozen=True, slots=True)
class ActPlan:
    """What an action will do.

    Attributes:
        request: What was asked.
        skill: The skill, its deploy side for a deploy action.
        parent: What it starts from.
        spec: Its complete spec.
        folder: Takes the results; not made yet.
        trainer: What runs it.
        options: Options of that trainer alone.
        preview: What will be started.
        notes: What a reader should know.
    """

    request: ActRequest
    skill: Skill
    parent: Parent
    spec: ActionSpec
    folder: Path
    trainer: TrainerEntry
    options: Mapping[str, Any]
    preview: Preview
    notes: tuple[str, ...]

    @property
    def spec_path(self) -> Path:
        """The spec file that it is started with."""
        return AttemptPaths(self.folder).spec


def plan_action(request: ActRequest) -> ActPlan:
    """Works out what an action will do; writes nothing.

    Raises:
        FixInput: The checkpoint, a setting or the data cannot be had as asked.
        ResolveConflict: The checkpoint is not the one that its trial has recorded.
    """
    parent = find_parent(
        request.studies_dir, request.study, request.trial, request.checkpoint, request.tell
    )
    trained_skill = _skill(request, parent)
    deploys = request.deploy or (request.action == ENGINE and not _has_own(trained_skill))
    trainer = _trainer(request, parent, trained_skill)
    skill = deploy_skill(trained_skill) if deploys else trained_skill
    trained, notes = _trained(request, parent, trained_skill)
    named = [("--checkpoint", Path(parent.origin.path))]
    in_container = trainer.container is not None
    refuse_encrypted(trained_skill, trained, named, in_container=in_container)
    parent = _model(request, parent, trainer)
    folder = _folder(request, parent)
    recorded = parent.config.data if parent.config is not None else DataSources()
    data, data_notes = action_data(
        request.action, skill, request.data, recorded, trained, request.tell
    )
    around = Surroundings(
        skill.network_arch,
        folder,
        str(get(trained, "encryption_key", "") or ""),
        Path(parent.origin.path),
    )
    overrides = dict(parse_assignment(text) for text in request.overrides)
    tuned = {} if request.tuned is None else read_overlay(request.tuned)
    texts = parse_inputs(request.inputs, INPUTS_FLAG)
    inputs = resolved_inputs(texts, INPUTS_FLAG, request.tell, None)
    asked = ActionRequest(trained, around, overrides, data, inputs, deploys, tuned=tuned)
    spec = build_action(skill, request.action, asked)
    _check_data_taken(request, spec)
    options = _options(request, parent, trainer, deploys=deploys)
    runner = make_trainer(trainer.name, skill, options, request.action)
    preview = _preview(runner, spec, folder)
    image = None if trainer.container is None else preview.image
    spec = with_known_size(spec, request, trained_skill, image)
    return ActPlan(
        request,
        skill,
        parent,
        spec,
        folder,
        trainer,
        options,
        preview,
        (*notes, *data_notes, *spec.notes),
    )


def _check_data_taken(request: ActRequest, spec: ActionSpec) -> None:
    given = {split: value for split, value in request.data.items() if value}
    if given and not spec.data:
        split, value = next(iter(given.items()))
        raise FixInput(
            f"the skill must say which setting of {request.action} takes the {split} data",
            got=str(value),
            where=f"--{split}-data",
            fix=f"name the setting: --set KEY={value}",
        )


def _has_own(skill: Skill) -> bool:
    """Whether a skill builds engines by an action of its own, in an image that this names."""
    info = skill.actions.get(ENGINE)
    return info is not None and bool(info.container_image) and not has_deploy_side(skill)


def _skill(request: ActRequest, parent: Parent) -> Skill:
    if request.skill_dir is not None:
        return read_skill(request.skill_dir)
    return read_skill(Path(parent.config.skill_dir) if parent.config else own_skill_dir())


def _trainer(request: ActRequest, parent: Parent, skill: Skill) -> TrainerEntry:
    """What runs the action: as asked, else as the study trained; an engine needs the container.

    Raises:
        FixInput: The action belongs to the container and a process was asked for.
    """
    chosen = trainer_entry(request.trainer) if request.trainer else _usual(request, parent)
    is_ours = skill.network_arch in OWN_PROGRAMS
    if chosen.container is not None or not (request.action == ENGINE or request.deploy):
        return chosen
    if request.action == ENGINE:
        raise FixInput(
            "a TensorRT engine must be built in the deploy container",
            got=f"the trainer {chosen.name}",
            where="--trainer",
            fix=f"give --trainer {CONTAINER.name}; automl evaluate --deploy scores the ONNX file "
            "without one",
        )
    if not is_ours:
        raise FixInput(
            "deploy actions must run in the deploy container",
            got=f"the trainer {chosen.name}",
            where="--trainer",
            fix=f"give --trainer {CONTAINER.name}",
        )
    return chosen


def _usual(request: ActRequest, parent: Parent) -> TrainerEntry:
    """What runs the action where nobody names a trainer."""
    if request.action == ENGINE:
        return CONTAINER
    trained_by = trainer_entry(parent.config.trainer) if parent.config is not None else DEFAULT
    return DEFAULT if trained_by.trains_only else trained_by


def _options(
    request: ActRequest, parent: Parent, trainer: TrainerEntry, *, deploys: bool
) -> Mapping[str, Any]:
    """The options of the trainer, of those that the study trained with and what is asked for."""
    config = parent.config
    is_study_s = config is not None and config.trainer == trainer.name
    options = config.trainer_options if config is not None and is_study_s else {}
    if trainer.container is None:
        if request.image:
            raise FixInput(
                f"an image must go with --trainer {CONTAINER.name}",
                got=request.image,
                where="--image",
            )
        return {PYTHON: options[PYTHON]} if PYTHON in options else {}
    return trainer.container.action_options(ActionAsked(options, request.image, deploys))


def _trained(request: ActRequest, parent: Parent, skill: Skill) -> tuple[Tree, tuple[str, ...]]:
    """What the network was trained with, and a note where that is a guess."""
    if request.spec_file is not None:
        tree = load_yaml(request.spec_file)
        if not isinstance(tree, dict):
            raise FixInput("a spec must be a mapping of settings", where=str(request.spec_file))
        return tree, ()
    if parent.spec is not None:
        return parent.spec, ()
    template = build_base(skill, "train", SpecRequest()).tree
    note = "no training spec lies beside the checkpoint: the network is taken to be the template's"
    return template, (f"{note}; name its spec with --spec FILE",)


def _model(request: ActRequest, parent: Parent, trainer: TrainerEntry) -> Parent:
    """The file the action reads: the checkpoint, or what was made from it before.

    Without a container an exported network stands for its engine: onnxruntime runs it.
    """
    if request.action == ENGINE or (request.deploy and trainer.container is None):
        return exported_from(parent, "export", ".onnx", f"run {_again('export', parent)} first")
    if request.deploy:
        fix = f"run {_again('gen-trt-engine', parent)} first"
        return exported_from(parent, ENGINE, ".engine", fix)
    return parent


def _again(command: str, parent: Parent) -> str:
    if parent.paths is None:
        return f"automl {command} --checkpoint {shlex.quote(parent.origin.path)}"
    trial = "" if parent.origin.trial is None else f" --trial {parent.origin.trial}"
    return f"automl {command} --study {shlex.quote(parent.paths.folder.name)}{trial}"


def _folder(request: ActRequest, parent: Parent) -> Path:
    if request.results is not None:
        folder = request.results.expanduser().absolute()
        if folder.exists():
            raise FixInput(
                "the results of an action must go into a folder of its own",
                got=f"{folder}, which exists",
                where="--results",
            )
        return folder
    home = parent.paths.actions if parent.paths is not None else request.studies_dir / "actions"
    word = request.action.replace("_", "-")
    return new_folder(home.absolute(), f"deploy-{word}" if request.deploy else word)


def _preview(trainer: Trainer, spec: ActionSpec, folder: Path) -> Preview:
    """What will be started; nothing that is known beforehand of a trainer that does not tell."""
    if not isinstance(trainer, Previewing):
        return Preview(())
    paths = AttemptPaths(folder)
    return trainer.preview(spec.tree, TrialTask("", 0, 1, folder, paths.spec, paths.log), ())
