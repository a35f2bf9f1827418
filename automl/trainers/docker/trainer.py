"""Training in a container: the docker trainer."""

import hashlib
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from automl.errors import FixInput
from automl.files import write_text
from automl.skill.model import Skill
from automl.skill.tree import MISSING, Tree, get, with_value
from automl.study.layout import AttemptPaths, StudyPaths
from automl.study.records import FailureClass
from automl.trainers.base import CannotStart, Handle, Pinned, Preview, Problem, TrialTask
from automl.trainers.docker.engine import Engine, EngineAway, connect
from automl.trainers.docker.handle import ContainerHandle, EndedContainer
from automl.trainers.docker.images import image_name, image_to_run, missing_image
from automl.trainers.docker.leftovers import (
    containers_below,
    leftover_containers,
    remove_leftovers,
)
from automl.trainers.docker.mounts import Mounts, mounts_for, rewritten
from automl.trainers.docker.options import DockerOptions, size_bytes
from automl.trainers.docker.plan import ContainerPlan, Labels, Limits
from automl.trainers.docker.record import ContainerRecord, note_plan, read_record
from automl.trainers.shared_memory import shm_bytes
from automl.yamltext import dump_yaml, load_yaml

__all__ = ["DockerTrainer"]

DEFAULTS = DockerOptions()
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_WORKERS, _BATCH = ("dataset.workers", "dataset.num_workers"), ("dataset.batch_size",)


@dataclass(frozen=True)
class DockerTrainer:
    """Runs the command of a skill's action in a container of the skill's image.

    The attempt's ``spec.yaml`` keeps the host's paths and stays what reproduces the attempt. The
    container reads ``spec.container.yaml`` beside it: the same, with each path as the container
    sees it. ``container.json`` says how the two are related, and which image it was.

    A container outlives the driver. ``start`` on the task of one that still runs, or that ended
    unseen, goes on with it.

    Attributes:
        skill: The model skill whose command is run.
        options: Image, limits, network.
        action: Which of the skill's actions; ``options.deploy`` runs it in the deploy container.
    """

    skill: Skill
    options: DockerOptions = DEFAULTS
    action: str = "train"

    @cached_property
    def engine(self) -> Engine:
        """The engine, asked for once.

        Raises:
            EngineAway: It does not answer.
        """
        return connect()

    @property
    def image(self) -> str:
        """Name of the image as asked for; empty if nobody names one."""
        return image_name(self.skill, self.action, self.options)

    def check(self) -> Sequence[Problem]:
        """An engine that does not answer, or an image that it does not have."""
        try:
            problem = missing_image(self._made_of(), self.engine)
        except EngineAway as error:
            return [_away(error)]
        return [] if problem is None else [problem]

    def check_paths(self, paths: Sequence[Path]) -> Sequence[Problem]:
        """The paths that the engine's machine does not have.

        With an engine on another machine, data and studies must lie at the same place there.
        """
        try:
            missing = self.engine.missing(self._made_of(), [str(path) for path in paths])
        except EngineAway as error:
            return [_away(error)]
        return [
            Problem(
                "a container sees folders of the machine that its engine runs on",
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
            return self._found(task) or self._new(task, gpus)
        except EngineAway as error:
            text = f"the Docker engine does not answer: {error}"
            raise CannotStart(FailureClass.IMAGE, text) from error

    def left_running(self, trials: Path) -> frozenset[Path]:
        """Folders of the attempts below ``trials`` that ``start`` would go on with.

        Raises:
            EngineAway: The engine does not answer.
        """
        left = {
            Path(each.labels.folder)
            for each in containers_below(self.engine, trials)
            if each.status != "created"
        }
        ended = {path.parent for path in trials.glob(f"*/*/{AttemptPaths(trials).container.name}")}
        left |= {folder for folder in ended if _exit_code(folder) is not None}
        return frozenset(each for each in left if not AttemptPaths(each).outcome.exists())

    def end(self, folder: Path) -> None:
        """Kills and removes whatever container the attempt of this folder has."""
        for each in containers_below(self.engine, folder):
            self.engine.remove(each.id)

    def discard(self, study: Path, kept: frozenset[Path]) -> None:
        """Removes the containers of a study that no attempt goes on with.

        Raises:
            EngineAway: The engine does not answer.
        """
        left = leftover_containers(study, self.engine, mine=True)
        remove_leftovers((each for each in left if each.folder not in kept), self.engine)

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

    def preview(
        self,
        spec: Mapping[str, Any],
        task: TrialTask,
        gpus: Sequence[str],
        study: Path | None = None,
    ) -> Preview:
        """The container that ``start`` would create."""
        plan = self.plan(spec, task, gpus, study)
        return Preview(plan.command, self.image, plan.command_line())

    def plan(
        self,
        spec: Mapping[str, Any],
        task: TrialTask,
        gpus: Sequence[str],
        study: Path | None = None,
    ) -> ContainerPlan:
        """The container for a spec; asks no engine.

        Args:
            spec: The spec of the task, with the host's paths.
            task: What is trained, and where.
            gpus: Ids or UUIDs of the GPUs it gets.
            study: Folder of the study; None to look for it above the task's.

        Raises:
            FixInput: The skill has no command for the action.
        """
        mounts = mounts_for(spec, study or study_folder(task.folder), Path.exists)
        folder = PurePosixPath(mounts.inside(str(task.folder)) or task.folder)
        threads = dict.fromkeys(_THREADS, str(task.threads))
        return ContainerPlan(
            image=self._made_of(),
            command=self._command(folder / AttemptPaths(task.folder).container_spec.name),
            name=container_name(task),
            labels=Labels(task.study, task.number, task.attempt, str(task.folder), self.action),
            mounts=mounts,
            workdir=folder,
            user=f"{os.getuid()}:{os.getgid()}",
            groups=tuple(str(group) for group in sorted({*os.getgroups()} - {os.getgid()})),
            limits=self._limits(spec, tuple(gpus)),
            environment=threads | dict(task.environment),
            secrets=tuple(name for name in self.options.env if name in os.environ),
        )

    def container_spec(self, spec: Mapping[str, Any], mounts: Mounts, gpus: Sequence[str]) -> Tree:
        """The spec as the container reads it: its own paths, and its GPUs counted from 0."""
        tree = rewritten(spec, mounts.inside)
        if gpus:
            given = {"num_gpus": len(gpus), "gpu_ids": list(range(len(gpus)))}
            for name, value in given.items():
                key = f"{self.action}.{name}"
                tree = with_value(tree, key, value) if get(tree, key) is not MISSING else tree
        return tree

    def _made_of(self) -> str:
        return image_to_run(self.skill, self.action, self.options)

    def _new(self, task: TrialTask, gpus: Sequence[str]) -> Handle:
        spec = load_yaml(task.spec_path)
        plan = self.plan(spec, task, gpus)
        paths, record = AttemptPaths(task.folder), ContainerRecord.of(plan)
        tree = self.container_spec(spec, plan.mounts, gpus)
        write_text(paths.container_spec, dump_yaml(tree))
        note_plan(paths, record)
        container = self.engine.create(plan)
        self.engine.start(container, plan.image)
        return ContainerHandle(self.engine, container, task, record, self._secret_values())

    def _found(self, task: TrialTask) -> Handle | None:
        """The container that this very attempt has already; None if it has none that ran."""
        record = read_record(AttemptPaths(task.folder))
        if record is None:
            return None
        for each in containers_below(self.engine, task.folder):
            if each.status != "created":
                return ContainerHandle(self.engine, each.id, task, record, self._secret_values())
            self.engine.remove(each.id)
        code = record.exit_code
        return None if code is None else EndedContainer(task, record, code)

    def _command(self, spec: PurePosixPath) -> tuple[str, ...]:
        info = self.skill.actions.get(self.action)
        words = shlex.split(info.command) if info else []
        if not words:
            raise FixInput(
                f"the skill needs a command for the action '{self.action}'",
                got="none",
                where=str(self.skill.folder / "references" / "skill_info.yaml"),
            )
        return tuple(word.replace("{config_path}", str(spec)) for word in words)

    def _limits(self, spec: Mapping[str, Any], gpus: tuple[str, ...]) -> Limits:
        options = self.options
        needed = shm_bytes(_count(spec, _WORKERS), _count(spec, _BATCH), len(gpus))
        return Limits(
            shm_bytes=size_bytes(options.shm_size) if options.shm_size else needed,
            memory_bytes=size_bytes(options.memory) if options.memory else None,
            pids=options.pids_limit,
            network=options.network,
            gpus=gpus,
        )

    def _secret_values(self) -> tuple[str, ...]:
        return tuple(os.environ.get(name, "") for name in self.options.env)


def study_folder(folder: Path) -> Path:
    """The study that a folder lies in; the folder itself if in none."""
    above = (each for each in folder.parents if StudyPaths(each).resolved.is_file())
    return next(above, folder)


def container_name(task: TrialTask) -> str:
    """A name that no other attempt has: two studies in different places may share theirs."""
    word = re.sub(r"[^A-Za-z0-9_.-]+", "-", task.study)[:60]
    mark = hashlib.sha256(str(task.folder).encode()).hexdigest()[:8]
    return f"automl-{word}-{task.number:04d}-{task.attempt}-{mark}"


def _count(spec: Mapping[str, Any], keys: Sequence[str]) -> int:
    values = (get(spec, key, None) for key in keys)
    return next((value for value in values if isinstance(value, int)), 0)


def _exit_code(folder: Path) -> int | None:
    record = read_record(AttemptPaths(folder))
    return record.exit_code if record else None


def _away(error: EngineAway) -> Problem:
    host = os.environ.get("DOCKER_HOST")
    return Problem(
        "the Docker engine must answer",
        got=str(error),
        fix=f"check that {host} is right (DOCKER_HOST)"
        if host
        else "start it, or set DOCKER_HOST",
    )
