"""Containers of a study: what is asked of them, and the image that the study is held to."""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from automl.app.settings import Layers
from automl.errors import ResolveConflict
from automl.files import write_json
from automl.skill.model import Skill
from automl.study.config import StudyConfig
from automl.study.folder import read_provenance
from automl.study.layout import StudyPaths
from automl.trainers.base import Outliving, TrialTask
from automl.trainers.docker.engine import EngineAway, Image
from automl.trainers.docker.images import image_name, is_nvidias, is_same_image
from automl.trainers.docker.leftovers import leftover_containers, remove_leftovers
from automl.trainers.docker.options import DockerOptions
from automl.trainers.docker.trainer import DockerTrainer
from automl.trainers.table import make_trainer

__all__ = [
    "DOCKER",
    "SETTINGS",
    "container_notes",
    "container_options",
    "container_preview",
    "hold_to_image",
    "image_record",
    "left_running",
    "pinned",
    "program_of",
]

DOCKER = "docker"
#: Settings of the study file and of the command line that speak of containers.
SETTINGS = ("image", "shm_size", "memory", "pids_limit", "network", "env")


def container_options(layers: Layers, skill: Skill) -> dict[str, Any]:
    """The docker trainer's options, the image's name resolved once and for all.

    Raises:
        FixInput: A setting has a value that it cannot have.
    """
    given = {name: layers.pick(name) for name in SETTINGS}
    options = DockerOptions.from_options(given)
    if not options.image:
        layers.origin["image"] = f"skill {skill.name}"
    named = replace(options, image=image_name(skill, "train", options))
    defaults = DockerOptions()
    values = {each.name: getattr(named, each.name) for each in fields(named)}
    told = {name: each for name, each in values.items() if each != getattr(defaults, name)}
    return {name: list(each) if isinstance(each, tuple) else each for name, each in told.items()}


def container_notes(layers: Layers, trainer: str) -> tuple[str, ...]:
    """What to say of flags that speak of containers where there are none."""
    if trainer == DOCKER:
        return ()
    given = [name for name in SETTINGS if layers.pick(name) is not None]
    flags = [layers.origin[name] for name in given if layers.origin[name].startswith("--")]
    for name in SETTINGS:
        layers.origin.pop(name, None)
    return (f"{', '.join(flags)}: without effect on the trainer {trainer}",) if flags else ()


def container_preview(
    config: StudyConfig, skill: Skill, spec: Mapping[str, Any], studies: Path
) -> str:
    """The ``docker run`` of trial 0, as far as it is known; empty for other trainers."""
    trainer = make_trainer(config.trainer, skill, config.trainer_options)
    if not isinstance(trainer, DockerTrainer):
        return ""
    paths = StudyPaths((studies / config.name).absolute())
    attempt = paths.attempt(0, 1)
    count, ids = config.resources.gpus_per_trial, config.resources.gpu_ids
    task = TrialTask(
        *(config.name, 0, 1, attempt.folder, attempt.spec, attempt.log),
        threads=config.resources.threads_per_trial,
    )
    gpus = [str(index) for index in (range(count) if ids is None else ids[:count])]
    return trainer.plan(spec, task, gpus, study=paths.folder).command_line()


def program_of(trainer: str, options: Mapping[str, Any]) -> str:
    """By which trainer's rules settings are judged.

    ``docker`` stands for NVIDIA's container. In another image runs the trainer of this package,
    as it does as a process.
    """
    return "process" if trainer == DOCKER and not is_nvidias(options.get("image", "")) else trainer


def image_record(name: str, image: Image) -> dict[str, Any]:
    """What a study's provenance says of its image."""
    return {"name": name, "id": image.id, "digests": list(image.digests)}


def pinned(config: StudyConfig, skill: Skill) -> tuple[StudyConfig, dict[str, Any]]:
    """The configuration held to the image that its name stands for now, and the record of that.

    Other trainers, and an image that cannot be had, leave the configuration as it is.

    Raises:
        FixInput: The options are wrong.
    """
    trainer = make_trainer(config.trainer, skill, config.trainer_options)
    if not isinstance(trainer, DockerTrainer):
        return config, {}
    try:
        image = trainer.engine.image(trainer.image)
    except EngineAway:
        image = None
    if image is None:
        return config, {}
    options = {**config.trainer_options, "image_id": image.id}
    return replace(config, trainer_options=options), image_record(trainer.image, image)


def hold_to_image(
    paths: StudyPaths, config: StudyConfig, skill: Skill, *, accept: bool = False
) -> tuple[StudyConfig, tuple[str, ...]]:
    """The configuration to go on with, and what to tell, once its image is known to be the same.

    Args:
        paths: The study.
        config: What it was resolved to.
        skill: Its skill.
        accept: Whether to go on with another image than the one it began with.

    Raises:
        ResolveConflict: The image's name stands for another image now.
    """
    held, now = pinned(config, skill)
    provenance = read_provenance(paths) if now else {}
    known = provenance.get("image", {})
    is_same = is_same_image(known, Image(now["id"], tuple(now["digests"]))) if now else True
    if is_same:
        return config, ()
    if not accept:
        raise ResolveConflict(
            "a study is resumed with the image that it began with",
            got=f"{now['id']} for {now['name']}, which was {known.get('id', 'not recorded')}",
            where=str(paths.provenance),
            fix=f"give the name back to the old one with docker tag, or go on with the new one: "
            f"automl resume {paths.folder.name} --accept-image",
        )
    before = [*provenance.get("images_before", []), known]
    write_json(paths.provenance, {**provenance, "image": now, "images_before": before})
    write_json(paths.resolved, held.to_json())
    return held, (f"from here on trials run in {now['id']}, not in {known.get('id')}",)


def left_running(paths: StudyPaths, config: StudyConfig, skill: Skill) -> frozenset[Path]:
    """Folders of the attempts whose trainings go on, or ended unseen; what is useless is removed.

    To be called by the driver that holds the study's lock.
    """
    trainer = make_trainer(config.trainer, skill, config.trainer_options)
    if not isinstance(trainer, Outliving):
        return frozenset()
    held = trainer.left_running(paths.trials)
    if isinstance(trainer, DockerTrainer):
        left = leftover_containers(paths.folder, trainer.engine, mine=True)
        remove_leftovers((each for each in left if each.folder not in held), trainer.engine)
    return held
