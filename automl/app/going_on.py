"""What a study goes on with, checked and read before anything of it is changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from automl.app.checks import check_seed
from automl.app.drift import check_drift
from automl.app.drive import store_of
from automl.app.extending import extended, moved
from automl.app.from_store import bring_attempts
from automl.app.image import hold_to_image
from automl.app.lock_check import check_locks
from automl.app.required import check_required
from automl.app.resume_point import check_still_there
from automl.app.room import check_room
from automl.app.session import check_trainer
from automl.search.engine import Engine
from automl.search.recovery import Recovered
from automl.search.retrying import Retry
from automl.skill.model import Skill
from automl.skill.read import read_skill
from automl.skill.tree import Tree
from automl.space.model import SearchSpace
from automl.spec.rules import rules_for
from automl.study.config import StudyConfig
from automl.study.folder import has_keys, read_base_spec, read_config, read_provenance, read_space
from automl.study.layout import AttemptPaths, StudyPaths
from automl.study.records import Measurement
from automl.study.storage import read_study
from automl.trainers.checkpoints import CheckpointFile, checkpoints_in, newest_whole
from automl.trainers.metrics.table import history_of

__all__ = ["GoingOn", "Ready", "ready_to_go_on", "recover"]


@dataclass(frozen=True, slots=True)
class GoingOn:
    """What is asked of a study that goes on.

    Attributes:
        limits: Other limits by the names of their fields, and ``ray_address``, ``require``; None
            keeps the old one.
        accept_drift: Whether to keep the stored space although the skill gives another one now.
        accept_image: Whether to go on although the image's name stands for another image now.
        retry: Failed trials that are trained again; None for none.
    """

    limits: Mapping[str, Any] = field(default_factory=dict)
    accept_drift: bool = False
    accept_image: bool = False
    retry: Retry | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """A study that may go on.

    Attributes:
        paths: The study.
        config: Its configuration, with what was asked for.
        skill: Its skill, as it is now.
        space: What it searches.
        base_spec: The spec of its trial 0.
        notes: What a reader should know.
    """

    paths: StudyPaths
    config: StudyConfig
    skill: Skill
    space: SearchSpace
    base_spec: Tree
    notes: tuple[str, ...]


def ready_to_go_on(paths: StudyPaths, asked: GoingOn, *, writes: bool = True) -> Ready:
    """Reads a study, and makes sure that it may go on as asked.

    Args:
        paths: The study.
        asked: What is asked of it.
        writes: Whether another image, where one is accepted, is entered in its provenance.

    Raises:
        FixInput: The folder is no study, or something asked for breaks a rule.
        PrepareMachine: The trainer cannot be started here.
        ResolveConflict: It is not what it was.
    """
    stored = read_config(paths)
    skill = read_skill(Path(stored.skill_dir))
    kept = moved(_with_keys(paths, stored, skill), asked.limits)
    kept, notes = hold_to_image(paths, kept, skill, accept=asked.accept_image, writes=writes)
    _check_machine(paths, kept, skill)
    check_still_there(paths, kept.resume_from, read_provenance(paths))
    notes += check_drift(paths, kept, skill, accept=asked.accept_drift)
    config = extended(kept, asked.limits)
    check_required(config.require, config.objective, "--require")
    space, base_spec = SearchSpace.from_json(read_space(paths)), read_base_spec(paths)
    check_seed(rules_for(skill, "train", base_spec), config.limits)
    if (store := store_of(kept)) and writes:
        bring_attempts(store, paths)
    elif store:
        notes += ("checkpoints that nodes have left in the study's store are brought first",)
    read_study(paths, config)  # refuses to begin again over the folders of lost trials
    return Ready(paths, config, skill, space, base_spec, notes)


def _with_keys(paths: StudyPaths, config: StudyConfig, skill: Skill) -> StudyConfig:
    """The configuration with what the skill's keys mean, where an older version left them out."""
    return config if has_keys(paths) else replace(config, keys=skill.keys)


def _check_machine(paths: StudyPaths, config: StudyConfig, skill: Skill) -> None:
    """Whether the study can go on here: locks, disk and trainer."""
    check_locks(paths.folder)
    check_room(paths.folder, "free some, then automl resume goes on; all that ended is safe")
    check_trainer(config, skill, paths.folder)


def recover(
    engine: Engine, ready: Ready, held: frozenset[Path], retry: Retry | None
) -> tuple[Recovered, ...]:
    """Recovers what a driver left running, then queues what is to be trained again.

    Args:
        engine: The search, over the study or a copy of it.
        ready: The study.
        held: Folders of the attempts whose trainings still run.
        retry: Failed trials that are trained again; None for none.
    """
    config = ready.config

    def find(attempt: AttemptPaths, epoch: int | None) -> CheckpointFile | None:
        return newest_whole(checkpoints_in(attempt.folder), epoch)

    def measured(attempt: AttemptPaths) -> tuple[Measurement, ...]:
        return history_of(config.metrics, attempt, config.objective.metric)

    return engine.recover(ready.paths, measured, find, held, retry)
