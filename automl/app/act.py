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
from automl.app.parents import Parent, exported_from, find_parent
from automl.errors import FixInput
from automl.skill.deploy import deploy_skill
from automl.skill.model import Skill
from automl.skill.read import own_skill_dir, read_skill
from automl.skill.tree import Tree, get
from automl.spec.action import ActionRequest, ActionSpec, build_action
from automl.spec.build import SpecRequest, build_base
from automl.spec.inferred import Surroundings
from automl.spec.values import parse_assignment
from automl.study.actions import new_folder
from automl.study.config import DataSources
from automl.study.layout import AttemptPaths
from automl.trainers.docker.images import image_name
from automl.trainers.docker.mounts import mounts_for
from automl.trainers.docker.options import DockerOptions
from automl.trainers.docker.trainer import study_folder
from automl.trainers.process import ProcessTrainer
from automl.trainers.table import TRAINERS
from automl.yamltext import load_yaml

__all__ = ["ActPlan", "ActRequest", "plan_action"]

ENGINE = "gen_trt_engine"
_CONTAINER = "docker"


@dataclass(frozen=True, slots=True)
class ActPlan:
    """What an action will do.

    Attributes:
        request: What was asked.
        skill: The skill, its deploy side for a deploy action.
        parent: What it starts from.
        spec: Its complete spec.
        folder: Takes the results; not made yet.
        trainer: Name of what runs it.
        options: Settings of that trainer alone.
        command: The command as it will be started; inside the container for docker.
        image: The container image; empty for a process.
        notes: What a reader should know.
    """

    request: ActRequest
    skill: Skill
    parent: Parent
    spec: ActionSpec
    folder: Path
    trainer: str
    options: Mapping[str, Any]
    command: tuple[str, ...]
    image: str
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
    parent = find_parent(request.studies_dir, request.study, request.trial, request.checkpoint)
    deploys = request.deploy or request.action == ENGINE
    trained_skill = _skill(request, parent)
    trainer = _trainer(request, parent, trained_skill)
    skill = deploy_skill(trained_skill) if deploys else trained_skill
    trained, notes = _trained(request, parent, trained_skill)
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
    asked = ActionRequest(trained, around, overrides, data, deploys)
    spec = build_action(skill, request.action, asked)
    _check_data_taken(request, spec)
    options = _options(request, parent, trainer, deploys=deploys)
    is_process = trainer != _CONTAINER
    image = ""
    if not is_process:
        image = image_name(skill, request.action, DockerOptions.from_options(options))
    return ActPlan(
        request,
        skill,
        parent,
        spec,
        folder,
        trainer,
        options,
        _command(skill, spec, folder, is_process=is_process),
        image,
        (*notes, *data_notes),
    )


def _check_data_taken(request: ActRequest, spec: ActionSpec) -> None:
    given = {split: value for split, value in request.data.items() if value}
    if given and not spec.data:
        split, value = next(iter(given.items()))
        raise FixInput(
            f"the skill says which setting of {request.action} takes the {split} data",
            got=str(value),
            where=f"--{split}-data",
            fix=f"name the setting: --set KEY={value}",
        )


def _skill(request: ActRequest, parent: Parent) -> Skill:
    if request.skill_dir is not None:
        return read_skill(request.skill_dir)
    return read_skill(Path(parent.config.skill_dir) if parent.config else own_skill_dir())


def _trainer(request: ActRequest, parent: Parent, skill: Skill) -> str:
    """What runs the action: as asked, else as the study trained; an engine needs the container.

    Raises:
        FixInput: The action belongs to the container and a process was asked for.
    """
    known = parent.config.trainer if parent.config is not None else "process"
    usual = _CONTAINER if request.action == ENGINE and _CONTAINER in TRAINERS else known
    chosen = request.trainer or ("process" if usual == "scripted" else usual)
    is_ours = skill.network_arch == "centerpose"
    if chosen == _CONTAINER or not (request.action == ENGINE or request.deploy):
        return chosen
    if request.action == ENGINE:
        raise FixInput(
            "a TensorRT engine is built in the deploy container",
            got=f"the trainer {chosen}",
            where="--trainer",
            fix="give --trainer docker; automl evaluate --deploy scores the ONNX file without one",
        )
    if not is_ours:
        raise FixInput(
            "deploy actions run in the deploy container",
            got=f"the trainer {chosen}",
            where="--trainer",
            fix="give --trainer docker",
        )
    return chosen


def _options(
    request: ActRequest, parent: Parent, trainer: str, *, deploys: bool
) -> dict[str, Any]:
    """The study's settings of the container, with the image that was asked for.

    The study's image is the one that trains: the deploy container has another.
    """
    if trainer != _CONTAINER:
        if request.image:
            raise FixInput("an image is for --trainer docker", got=request.image, where="--image")
        return {}
    config = parent.config
    known = config is not None and config.trainer == _CONTAINER
    options = dict(config.trainer_options) if config is not None and known else {}
    if deploys or request.image:
        options.pop("image_id", None)
    if request.image:
        options["deploy_image" if deploys else "image"] = request.image
    return options | ({"deploy": True} if deploys else {})


def _trained(request: ActRequest, parent: Parent, skill: Skill) -> tuple[Tree, tuple[str, ...]]:
    """What the network was trained with, and a note where that is a guess."""
    if request.spec_file is not None:
        tree = load_yaml(request.spec_file)
        if not isinstance(tree, dict):
            raise FixInput("a spec is a mapping of settings", where=str(request.spec_file))
        return tree, ()
    if parent.spec is not None:
        return parent.spec, ()
    template = build_base(skill, "train", SpecRequest()).tree
    note = "no training spec lies beside the checkpoint: the network is taken to be the template's"
    return template, (f"{note}; name its spec with --spec FILE",)


def _model(request: ActRequest, parent: Parent, trainer: str) -> Parent:
    """The file the action reads: the checkpoint, or what was made from it before.

    Without a container an exported network stands for its engine: onnxruntime runs it.
    """
    if request.action == ENGINE or (request.deploy and trainer != _CONTAINER):
        return exported_from(parent, "export", ".onnx", f"run {_again('export', parent)} first")
    if request.deploy:
        mend = f"run {_again('gen-trt-engine', parent)} first"
        return exported_from(parent, ENGINE, ".engine", mend)
    return parent


def _again(command: str, parent: Parent) -> str:
    if parent.paths is None:
        return f"automl {command} --checkpoint {parent.origin.path}"
    trial = "" if parent.origin.trial is None else f" --trial {parent.origin.trial}"
    return f"automl {command} --study {parent.paths.folder.name}{trial}"


def _folder(request: ActRequest, parent: Parent) -> Path:
    if request.results is not None:
        folder = request.results.expanduser().absolute()
        if folder.exists():
            raise FixInput(
                "the results of an action go into a folder of its own",
                got=f"{folder}, which exists",
                where="--results",
            )
        return folder
    home = parent.paths.actions if parent.paths is not None else request.studies_dir / "actions"
    word = request.action.replace("_", "-")
    return new_folder(home.absolute(), f"deploy-{word}" if request.deploy else word)


def _command(skill: Skill, spec: ActionSpec, folder: Path, *, is_process: bool) -> tuple[str, ...]:
    """The command as it is started: on this machine, or inside the container."""
    action, paths = spec.rules.action, AttemptPaths(folder)
    if is_process:
        return tuple(ProcessTrainer(skill, action).command(paths.spec))
    mounts = mounts_for(spec.tree, study_folder(folder), Path.exists)
    path = str(paths.container_spec)
    words = shlex.split(skill.actions[action].command)
    return tuple(word.replace("{config_path}", mounts.inside(path) or path) for word in words)
