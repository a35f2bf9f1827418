"""The use-cases that drive a study: start a new one, go on with one that was left."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from typing import Any

from automl.app.going_on import GoingOn, ready_to_go_on
from automl.app.gpu_use import gpus_of, shared_use
from automl.app.image import left_running, pinned
from automl.app.lock_check import check_locks
from automl.app.plan import Plan
from automl.app.prepare import Preparer
from automl.app.required import held_to_requirement
from automl.app.resume_plan import check_may_go_on, plan_going_on
from automl.app.room import check_room
from automl.app.screen import Ending, Screen
from automl.app.session import Session, check_trainer
from automl.app.startable import check_startable
from automl.app.trainer_choice import check_container_gpu
from automl.execution.control import Control, Stage
from automl.execution.driver import Note
from automl.files import write_json
from automl.search.engine import Engine
from automl.skill.model import Skill
from automl.skill.tree import Tree
from automl.space.model import SearchSpace
from automl.study.config import StudyConfig
from automl.study.database_lock import DatabaseLock
from automl.study.folder import (
    NewStudy,
    create_folder,
    has_keys,
    read_config,
    write_study,
)
from automl.study.layout import StudyPaths
from automl.study.lock import StudyLock
from automl.study.patience import Patience
from automl.study.storage import check_new, open_storage, open_study
from automl.trainers.leftovers import end_leftovers

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


def go_on(paths: StudyPaths, screen: Screen, asked: GoingOn | None = None) -> Ending:
    """Recovers every trial that a driver left running, then drives the study to its end.

    Args:
        paths: The study.
        screen: Who watches; hears first what will be done.
        asked: What is asked of the study; None for no more than that it goes on.

    Raises:
        FixInput: The folder is no study, or the total is below what has been started.
        PrepareMachine: The trainer cannot be started here.
        ResolveConflict: Another driver has the study, or it is not what it was.
    """
    asked = asked or GoingOn()
    with ExitStack() as stack:
        control = stack.enter_context(_handling_signals(paths, screen))
        lock = stack.enter_context(StudyLock(paths))
        control.hold()
        stored = read_config(paths)
        database = stack.enter_context(DatabaseLock(stored.storage_url, stored.name))
        ready = ready_to_go_on(paths, asked)
        config, skill = ready.config, ready.skill
        driven = _Driven(paths, config, skill, ready.space, ready.base_spec)
        claims = stack.enter_context(gpus_of(config))
        session = driven.session(lock, screen, control, database)
        check_may_go_on(session.engine, config, asked)
        if config != stored or not has_keys(paths):
            write_json(paths.resolved, config.to_json())
        end_leftovers(paths)
        held = left_running(paths, config, skill)
        session.preparer.attached = held
        plan = plan_going_on(session.engine, ready, held, asked.retry)
        return held_to_requirement(session.drive([*shared_use(claims), *plan.lines()]))


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
