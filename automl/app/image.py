"""The container image of a study: the one that it began with, and trainings left in containers."""

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from automl.app.drive import is_elsewhere
from automl.errors import ResolveConflict
from automl.files import write_json
from automl.skill.model import Skill
from automl.study.config import StudyConfig
from automl.study.folder import read_provenance
from automl.study.layout import StudyPaths
from automl.trainers.base import Outliving, Pinned, Pinning
from automl.trainers.table import make_trainer

__all__ = ["hold_to_image", "left_running", "pinned"]


def pinned(config: StudyConfig, skill: Skill) -> tuple[StudyConfig, Mapping[str, Any]]:
    """The configuration held to the image that its name stands for now, and the record of that.

    Trainers without an image, and an image that cannot be had, leave the configuration as it is.

    Raises:
        FixInput: The options are wrong.
    """
    now = _pinned(config, skill)
    if now is None:
        return config, {}
    return replace(config, trainer_options=now.options), now.image


def _pinned(config: StudyConfig, skill: Skill) -> Pinned | None:
    trainer = make_trainer(config.trainer, skill, config.trainer_options)
    return trainer.pinned() if isinstance(trainer, Pinning) else None


def hold_to_image(
    paths: StudyPaths,
    config: StudyConfig,
    skill: Skill,
    *,
    accept: bool = False,
    writes: bool = True,
) -> tuple[StudyConfig, tuple[str, ...]]:
    """The configuration to go on with, and what to say, once its image is known to be the same.

    Args:
        paths: The study.
        config: What it was resolved to.
        skill: Its skill.
        accept: Whether to go on with another image than the one it began with.
        writes: Whether another image is entered in the study's provenance.

    Raises:
        ResolveConflict: The image's name stands for another image now.
    """
    now = _pinned(config, skill)
    provenance = read_provenance(paths) if now is not None else {}
    began_with = provenance.get("image", {})
    if now is None or now.is_same(began_with):
        return config, ()
    before = began_with.get("id", "not recorded")
    if not accept:
        raise ResolveConflict(
            "a study must be resumed with the image that it began with",
            got=f"{now.image['id']} for {now.image['name']}, which was {before}",
            where=str(paths.provenance),
            fix=f"give the name back to the old one with docker tag, or go on with the new one: "
            f"automl resume {shlex.quote(paths.folder.name)} --accept-image",
        )
    if writes:
        earlier = [*provenance.get("images_before", []), began_with]
        write_json(paths.provenance, {**provenance, "image": now.image, "images_before": earlier})
    held = replace(config, trainer_options=now.options)
    return held, (f"from here on trials run in {now.image['id']}, not in {before}",)


def left_running(
    paths: StudyPaths, config: StudyConfig, skill: Skill, *, discards: bool = True
) -> frozenset[Path]:
    """Folders of the attempts whose trainings go on, or ended unseen.

    To be called by the driver that holds the study's lock.

    Args:
        paths: The study.
        config: What it was resolved to.
        skill: Its skill.
        discards: Whether what is useless is removed.
    """
    trainer = make_trainer(config.trainer, skill, config.trainer_options)
    if not isinstance(trainer, Outliving) or is_elsewhere(config):
        return frozenset()
    held = trainer.left_running(paths.trials)
    if discards:
        trainer.discard(paths.folder, held)
    return held
