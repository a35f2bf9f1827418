"""The container of a task, worked out without asking an engine."""

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.errors import FixInput
from automl.skill.keys import NetworkKeys
from automl.skill.model import ActionInfo, Skill
from automl.skill.tree import MISSING, Tree, get, whole_number, with_value
from automl.spec.formats import spec_text
from automl.spec.rules import rules_for
from automl.study.layout import AttemptPaths
from automl.trainers.base import TrialTask
from automl.trainers.docker.images import image_to_run
from automl.trainers.docker.mounts import RESULTS, Mounts, mounts_for, rewritten
from automl.trainers.docker.options import DockerOptions, size_bytes
from automl.trainers.docker.plan import ContainerLimits, ContainerPlan, Labels
from automl.trainers.program import Filled, command_of, thread_variables
from automl.trainers.shared_memory import shm_bytes

__all__ = ["ContainerPlanner"]


@dataclass(frozen=True, slots=True)
class ContainerPlanner:
    """Plans the containers of one skill's action.

    Attributes:
        skill: The model skill whose command is run.
        options: Image, limits, network.
        action: Which of the skill's actions.
    """

    skill: Skill
    options: DockerOptions
    action: str

    @property
    def image(self) -> str:
        """What containers are made of: the image that the study recorded, else the one named."""
        return image_to_run(self.skill, self.action, self.options)

    def plan(self, spec: Mapping[str, Any], task: TrialTask, gpus: Sequence[str]) -> ContainerPlan:
        """The container for a spec; asks no engine.

        Args:
            spec: The spec of the task, with the host's paths.
            task: What is trained, and where.
            gpus: Ids or UUIDs of the GPUs it gets.

        Raises:
            FixInput: The skill has no command for the action.
        """
        attempt = AttemptPaths(task.folder)
        mounts = mounts_for(spec, attempt, Path.exists, self._wanted())
        info = self._info
        if info.execution is not None:
            raise FixInput(
                "an action that is a script must run as a process",
                got=f"trainer docker for {info.execution.script.name}",
                fix="give --trainer process",
            )
        inside = RESULTS / attempt.container_config(info.config_format).name
        filled = Filled(str(inside), str(RESULTS), rewritten(spec, mounts.inside))
        return ContainerPlan(
            image=self.image,
            command=tuple(command_of(self.skill, self.action, filled)),
            name=container_name(task),
            labels=Labels(task.study, task.number, task.attempt, str(task.folder), self.action),
            mounts=mounts,
            workdir=RESULTS,
            user=f"{os.getuid()}:{os.getgid()}",
            groups=tuple(str(group) for group in sorted({*os.getgroups()} - {os.getgid()})),
            limits=self._limits(spec, tuple(gpus)),
            environment=thread_variables(task.threads) | dict(task.environment),
            secrets=tuple(name for name in self.options.env if name in os.environ),
        )

    @property
    def _info(self) -> ActionInfo:
        return self.skill.actions.get(self.action) or ActionInfo(self.action)

    def config(self, folder: Path, tree: Tree) -> tuple[Path, str]:
        """The file that the container's program reads, and its text.

        Args:
            folder: The attempt's folder.
            tree: The spec as the container reads it.
        """
        config_format = self._info.config_format
        path = AttemptPaths(folder).container_config(config_format)
        return path, spec_text(tree, config_format)

    def _wanted(self) -> dict[str, str]:
        """Where the skill expects the files that it links to, by dotted key."""
        links = self._info.links
        return {key: link.destination for key, link in links.items() if link.destination}

    def container_spec(self, spec: Mapping[str, Any], mounts: Mounts, gpus: Sequence[str]) -> Tree:
        """The spec as the container reads it: its own paths, and its GPUs counted from 0."""
        tree = rewritten(spec, mounts.inside)
        if gpus:
            keys = self._keys(spec)
            for key, value in ((keys.gpus, len(gpus)), (keys.gpu_ids, list(range(len(gpus))))):
                is_there = key and get(tree, key) is not MISSING
                tree = with_value(tree, key, value) if is_there else tree
        return tree

    def _keys(self, spec: Mapping[str, Any]) -> NetworkKeys:
        return rules_for(self.skill, self.action, dict(spec)).keys

    def _limits(self, spec: Mapping[str, Any], gpus: tuple[str, ...]) -> ContainerLimits:
        options = self.options
        keys = self._keys(spec)
        workers, batch = (whole_number(spec, key) or 0 for key in (keys.workers, keys.batch))
        needed = shm_bytes(workers, batch, len(gpus))
        return ContainerLimits(
            shm_bytes=size_bytes(options.shm_size) if options.shm_size else needed,
            memory_bytes=size_bytes(options.memory) if options.memory else None,
            pids=options.pids_limit,
            network=options.network,
            gpus=gpus,
        )


def container_name(task: TrialTask) -> str:
    """A name that no other attempt has: two studies in different places may share theirs."""
    word = re.sub(r"[^A-Za-z0-9_.-]+", "-", task.study)[:60]
    mark = hashlib.sha256(os.fsencode(task.folder)).hexdigest()[:8]
    return f"automl-{word}-{task.number:04d}-{task.attempt}-{mark}"
