"""Training in a container: the docker trainer."""

import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from automl.files import write_text
from automl.skill.model import Skill
from automl.study.layout import AttemptPaths
from automl.study.records import FailureClass
from automl.trainers.base import CannotStart, Handle, Pinned, Preview, Problem, TrialTask
from automl.trainers.docker.engine import ContainerGone, DockerEngine, EngineAway, connect
from automl.trainers.docker.guard import ContainerGuard
from automl.trainers.docker.handle import ContainerHandle, EndedContainer
from automl.trainers.docker.images import image_name, missing_image
from automl.trainers.docker.leftovers import (
    containers_below,
    leftover_containers,
    remove_leftovers,
)
from automl.trainers.docker.options import DockerOptions
from automl.trainers.docker.planner import ContainerPlanner
from automl.trainers.docker.record import ContainerRecord, read_record, write_plan
from automl.yamltext import load_yaml

__all__ = ["DockerTrainer"]

DEFAULTS = DockerOptions()
#: Exit codes of what SIGKILL or SIGTERM ended, and of what ran when the machine went down.
_TAKEN_DOWN = (128 + signal.SIGKILL, 128 + signal.SIGTERM, 255)


@dataclass(frozen=True)
class DockerTrainer:
    """Runs the command of a skill's action in a container of the skill's image.

    The attempt's ``spec.yaml`` keeps the host's paths and stays what reproduces the attempt. The
    container reads ``spec.container.yaml`` beside it: the same, with each path as the container
    sees it. ``container.json`` says how the two are related, and which image it was.

    A container outlives the driver. ``start`` on the task of one that still runs, or that ended
    unseen, goes on with it. On a node of a cluster it ends with the worker that follows it.

    Attributes:
        skill: The model skill whose command is run.
        options: Image, limits, network.
        action: Which of the skill's actions; ``options.deploy`` runs it in the deploy container.
    """

    skill: Skill
    options: DockerOptions = DEFAULTS
    action: str = "train"

    @cached_property
    def engine(self) -> DockerEngine:
        """The engine, asked for once.

        Raises:
            EngineAway: It does not answer.
        """
        return connect()

    @property
    def planner(self) -> ContainerPlanner:
        """Plans containers; asks no engine."""
        return ContainerPlanner(self.skill, self.options, self.action)

    @property
    def image(self) -> str:
        """Name of the image as asked for; empty if there is none."""
        return image_name(self.skill, self.action, self.options)

    def check(self) -> Sequence[Problem]:
        """An engine that does not answer, or an image that it does not have."""
        try:
            problem = missing_image(self.planner.image, self.engine)
        except EngineAway as error:
            return [_away(error)]
        return [] if problem is None else [problem]

    def fetchable(self) -> str:
        """The image, where the engine answers and does not have it."""
        try:
            problem = missing_image(self.planner.image, self.engine)
        except EngineAway:
            return ""
        return f"the image {self.image}" if problem is not None and self.image else ""

    def fetch(self) -> Sequence[Problem]:
        """Pulls the image by its name; what is still missing."""
        if not self.fetchable():
            return self.check()
        try:
            self.engine.pull(self.image)
        except (CannotStart, EngineAway) as error:
            got = f"no {self.image} in {self.engine.address}, and a pull failed: {error}"
            return [Problem("the image must be there before trials start", got)]
        return self.check()

    def check_paths(self, paths: Sequence[Path]) -> Sequence[Problem]:
        """The paths that the engine's machine does not have.

        With an engine on another machine, data and studies must lie at the same place there.
        """
        try:
            missing = self.engine.missing(self.planner.image, [str(path) for path in paths])
        except EngineAway as error:
            return [_away(error)]
        return [
            Problem(
                "a container must see folders of the machine that its engine runs on",
                got=f"no {path} there",
                fix=f"share the folder with the machine of {self.engine.address}, at that path",
            )
            for path in missing
        ]

    def start(self, task: TrialTask, gpus: Sequence[str]) -> Handle:
        """Starts a container for the task, or goes on with the one it has.

        Raises:
            CannotStart: No container can be had, for the reason that its class says.
            FixInput: The skill has no command for the action.
        """
        try:
            return self._existing(task) or self._new(task, gpus)
        except EngineAway as error:
            text = f"the Docker engine does not answer: {error}"
            raise CannotStart(FailureClass.IMAGE, text) from error

    def left_running(self, trials: Path) -> frozenset[Path]:
        """Folders of the attempts below ``trials`` that ``start`` would go on with.

        Those that a signal ended while nobody drove them are not among them: what ended the driver
        (a machine that went down, somebody who killed everything) most likely ended them too.

        Raises:
            EngineAway: The engine does not answer.
        """
        left = {
            Path(container.labels.folder)
            for container in containers_below(self.engine, trials)
            if container.status != "created" and not self._was_taken_down(container.id)
        }
        ended = {path.parent for path in trials.glob(f"*/*/{AttemptPaths(trials).container.name}")}
        left |= {folder for folder in ended if _exit_code(folder) not in (None, *_TAKEN_DOWN)}
        return frozenset(folder for folder in left if not AttemptPaths(folder).outcome.exists())

    def _was_taken_down(self, container: str) -> bool:
        try:
            state = self.engine.state(container)
        except ContainerGone:
            return True
        is_signal = state.has_ended and state.exit_code in _TAKEN_DOWN
        return is_signal and not state.was_memory_kill

    def end(self, folder: Path) -> None:
        """Kills and removes whatever container the attempt of this folder has."""
        for container in containers_below(self.engine, folder):
            self.engine.remove(container.id)

    def discard(self, study: Path, kept: frozenset[Path]) -> None:
        """Removes the containers of a study that no attempt goes on with.

        Raises:
            EngineAway: The engine does not answer.
        """
        left = leftover_containers(study, self.engine, mine=True)
        useless = (container for container in left if container.folder not in kept)
        remove_leftovers(useless, self.engine)

    def pinned(self) -> Pinned | None:
        """The image that the name stands for; None where the engine cannot say."""
        try:
            image = self.engine.image(self.image)
        except EngineAway:
            return None
        if image is None:
            return None
        options = replace(self.options, image_id=image.id).to_options()
        record = {"name": self.image, "id": image.id, "digests": list(image.digests)}
        return Pinned(options, record)

    def preview(self, spec: Mapping[str, Any], task: TrialTask, gpus: Sequence[str]) -> Preview:
        """The container that ``start`` would create."""
        plan = self.planner.plan(spec, task, gpus)
        return Preview(plan.command, self.image, plan.command_line())

    def _new(self, task: TrialTask, gpus: Sequence[str]) -> Handle:
        spec = load_yaml(task.spec_path)
        plan = self.planner.plan(spec, task, gpus)
        paths, record = AttemptPaths(task.folder), ContainerRecord.of(plan)
        tree = self.planner.container_spec(spec, plan.mounts, gpus)
        write_text(*self.planner.config(task.folder, tree))
        write_plan(paths, record)
        guard = ContainerGuard.over(task.folder) if task.node else None
        container = self.engine.create(plan)
        self.engine.start(container, plan.image)
        secrets = self._secret_values()
        return ContainerHandle(self.engine, container, task, record, secrets, guard)

    def _existing(self, task: TrialTask) -> Handle | None:
        """The container that this very attempt has already; None if it has none that ran."""
        record = read_record(AttemptPaths(task.folder))
        if record is None:
            return None
        secrets = self._secret_values()
        for container in containers_below(self.engine, task.folder):
            if container.status != "created":
                return ContainerHandle(self.engine, container.id, task, record, secrets)
            self.engine.remove(container.id)
        code = record.exit_code
        return None if code is None else EndedContainer(task, record, code)

    def _secret_values(self) -> tuple[str, ...]:
        return tuple(os.environ.get(name, "") for name in self.options.env)


def _exit_code(folder: Path) -> int | None:
    record = read_record(AttemptPaths(folder))
    return record.exit_code if record else None


def _away(error: EngineAway) -> Problem:
    host = os.environ.get("DOCKER_HOST")
    return Problem(
        "the Docker engine must answer",
        got=" ".join(str(error).split()),
        fix=f"check that {host} is right (DOCKER_HOST)"
        if host
        else "start it, or set DOCKER_HOST",
    )
