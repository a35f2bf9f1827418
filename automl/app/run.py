"""The use-cases that drive a study: start a new one, go on with one that was left."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from automl.app.checks import check_seed
from automl.app.drift import check_drift
from automl.app.extending import check_affordable, check_total, extended, moved
from automl.app.gpu_use import gpus_of, shared_use
from automl.app.image import hold_to_image, left_running, pinned
from automl.app.lock_check import check_locks
from automl.app.plan import Plan
from automl.app.prepare import Preparer
from automl.app.required import check_required, held_to_requirement
from automl.app.resume_point import check_still_there
from automl.app.room import check_room
from automl.app.screen import Ending, Screen
from automl.app.session import Session, check_trainer
from automl.app.startable import check_startable
from automl.app.trainer_choice import check_container_gpu
from automl.execution.control import Control, Stage
from automl.execution.driver import Note
from automl.files import write_json
from automl.search.engine import Engine
from automl.search.recovery import Recovered
from automl.skill.model import Skill
from automl.skill.read import read_skill
from automl.skill.tree import Tree
from automl.space.model import SearchSpace
from automl.spec.rules import rules_for
from automl.study.config import StudyConfig
from automl.study.confirmation import searched
from automl.study.database_lock import DatabaseLock
from automl.study.folder import (
    NewStudy,
    create_folder,
    has_keys,
    read_base_spec,
    read_config,
    read_provenance,
    read_space,
    write_study,
)
from automl.study.layout import AttemptPaths, StudyPaths
from automl.study.lock import StudyLock
from automl.study.patience import Patience
from automl.study.records import Measurement
from automl.study.storage import check_new, open_storage, open_study, read_study
from automl.trainers.checkpoints import CheckpointFile, checkpoints_in, newest_whole
from automl.trainers.leftovers import end_leftovers
from automl.trainers.metrics.table import history_of

__all__ = ["go_on", "start"]


def start(plan: Plan, screen: Screen) -> Ending:
    """Makes the study of a plan and drives it to its end.

    Raises:
        PrepareMachine: The trainer cannot be started here.
        ResolveConflict: There is a study of this name already.
    """
    check_startable(plan)
    check_container_gpu(plan.config)
    check_room(plan.studies_dir.absolute(), "free some, or choose another --studies-dir")
    check_locks(plan.studies_dir.absolute())
    check_trainer(plan.config, plan.skill, plan.studies_dir.absolute())
    config, image = pinned(plan.config, plan.skill)
    ahead = StudyPaths(plan.studies_dir.absolute() / plan.config.name)
    with (
        _handling_signals(ahead, screen) as control,
        DatabaseLock(config.storage_url, config.name) as database,
    ):
        check_new(config.storage_url, config.name)
        paths = create_folder(plan.studies_dir, plan.config.name)
        with StudyLock(paths) as lock, gpus_of(config) as claims:
            control.hold()
            _write(plan, config, image, paths)
            driven = _Driven(paths, config, plan.skill, plan.space, plan.base_spec)
            session = driven.session(lock, screen, control, database)
            return held_to_requirement(session.drive(shared_use(claims)))


def _write(plan: Plan, config: StudyConfig, image: Mapping[str, Any], paths: StudyPaths) -> None:
    provenance = {**plan.provenance, "image": image} if image else plan.provenance
    space = _space_record(plan)
    write_study(paths, NewStudy(plan.request, config, space, plan.base_spec, provenance))


@contextmanager
def _handling_signals(paths: StudyPaths, screen: Screen) -> Iterator[Control]:
    """What ends a study early, in force from before it is held until its report is written."""

    def notify(text: str) -> None:
        with suppress(OSError):
            screen.event(Note(text))

    control = Control(paths.stop, notify, paths.stop_gently, held=False)
    with control.handling_signals(to_the_end=True):
        yield control


def _space_record(plan: Plan) -> dict[str, Any]:
    """The space, its hash, and the bounds by the data with which it can be made again."""
    ceilings = [asdict(ceiling) for ceiling in plan.ceilings]
    return {**plan.space.to_json(), "digest": plan.space.digest, "ceilings": ceilings}


def go_on(
    paths: StudyPaths,
    screen: Screen,
    trials: int | None = None,
    *,
    limits: Mapping[str, Any] | None = None,
    accept_drift: bool = False,
    accept_image: bool = False,
) -> Ending:
    """Recovers every trial that a driver left running, then drives the study to its end.

    Args:
        paths: The study.
        screen: Who watches; hears first what became of each trial.
        trials: A new total, at least as large as the trials there are; None keeps the old one.
        limits: Other limits by the names of their fields, and ``ray_address``; None keeps the
            old one.
        accept_drift: Whether to keep the stored space although the skill gives another one now.
        accept_image: Whether to go on although the image's name stands for another image now.

    Raises:
        FixInput: The folder is no study, or the total is below what has been started.
        PrepareMachine: The trainer cannot be started here.
        ResolveConflict: Another driver has the study, or it is not what it was.
    """
    with ExitStack() as stack:
        control = stack.enter_context(_handling_signals(paths, screen))
        lock = stack.enter_context(StudyLock(paths))
        control.hold()
        kept = read_config(paths)
        database = stack.enter_context(DatabaseLock(kept.storage_url, kept.name))
        skill = read_skill(Path(kept.skill_dir))
        kept = moved(paths, _with_keys(paths, kept, skill), limits)
        kept, notes = hold_to_image(paths, kept, skill, accept=accept_image)
        _check_machine(paths, kept, skill)
        check_still_there(paths, kept.resume_from, read_provenance(paths))
        notes += check_drift(paths, kept, skill, accept=accept_drift)
        config = extended(kept, {"trials": trials, **(limits or {})})
        check_required(config.require, config.objective, "--require")
        space = SearchSpace.from_json(read_space(paths))
        base_spec = read_base_spec(paths)
        check_seed(rules_for(skill, "train", base_spec), config.limits)
        read_study(paths, config)  # refuses to begin again over the folders of lost trials
        driven = _Driven(paths, config, skill, space, base_spec)
        claims = stack.enter_context(gpus_of(config))
        session = driven.session(lock, screen, control, database)
        check_total(config, len(searched(session.engine.records())))
        check_affordable(session.engine.overdrawn(), {"trials": trials, **(limits or {})})
        if config is not kept:
            write_json(paths.resolved, config.to_json())
        end_leftovers(paths)
        held = left_running(paths, config, skill)
        session.preparer.attached = held
        recovered = map(str, _recover(session.engine, paths, config, held))
        return held_to_requirement(session.drive([*shared_use(claims), *notes, *recovered]))


def _check_machine(paths: StudyPaths, config: StudyConfig, skill: Skill) -> None:
    """Whether the study can go on here: locks, disk and trainer."""
    check_locks(paths.folder)
    check_room(paths.folder, "free some, then automl resume goes on; all that ended is safe")
    check_trainer(config, skill, paths.folder)


def _with_keys(paths: StudyPaths, config: StudyConfig, skill: Skill) -> StudyConfig:
    """The configuration with what the skill's keys mean, where an older version left them out."""
    if has_keys(paths):
        return config
    found = replace(config, keys=skill.keys)
    write_json(paths.resolved, found.to_json())
    return found


def _recover(
    engine: Engine, paths: StudyPaths, config: StudyConfig, held: frozenset[Path]
) -> tuple[Recovered, ...]:
    def find(attempt: AttemptPaths, epoch: int | None) -> CheckpointFile | None:
        return newest_whole(checkpoints_in(attempt.folder), epoch)

    def measured(attempt: AttemptPaths) -> tuple[Measurement, ...]:
        return history_of(config.metrics, attempt, config.objective.metric)

    return engine.recover(paths, measured, find, held)


class _Driven:
    """The parts of a driven study, however it came to be."""

    def __init__(
        self,
        paths: StudyPaths,
        config: StudyConfig,
        skill: Skill,
        space: SearchSpace,
        base_spec: Tree,
    ) -> None:
        self._paths = paths
        self._config = config
        self._skill = skill
        self._space = space
        self._base_spec = base_spec

    def session(
        self, lock: StudyLock, screen: Screen, control: Control, database: DatabaseLock
    ) -> Session:
        config, paths = self._config, self._paths
        storage = open_storage(paths, config.storage_url, _patience(screen, control, database))
        study = open_study(storage, config.name, config.objective)
        return Session(
            paths=paths,
            config=config,
            skill=self._skill,
            engine=Engine(study, self._space, config),
            preparer=Preparer(paths, config, self._skill, self._base_spec),
            lock=lock,
            screen=screen,
            control=control,
        )


def _patience(screen: Screen, control: Control, database: DatabaseLock) -> Patience:
    def tell(text: str) -> None:
        with suppress(OSError):
            screen.event(Note(text))

    return Patience(tell=tell, is_over=lambda: control.stage is Stage.NOW, regain=database.take)
