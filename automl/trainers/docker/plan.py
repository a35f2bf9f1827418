"""One container before it is made: what it runs, what it sees and what it may use.

A pure value. ``ContainerPlan.command_line`` says it as the ``docker run`` that a person could type
instead.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from automl.trainers.docker.mounts import Mount, Mounts
from automl.trainers.docker.options import NO_NETWORK, size_text

__all__ = ["LABEL_PREFIX", "ContainerLimits", "ContainerPlan", "Labels"]

#: Where a container says whose it is. No label ever holds anything secret.
LABEL_PREFIX = "automl."
HOME = "/tmp"  # noqa: S108 -- the one folder of an image that any user may write to


@dataclass(frozen=True, slots=True)
class Labels:
    """Whose a container is.

    Attributes:
        study: Name of the study.
        trial: The trial's number.
        attempt: The attempt's number.
        folder: Absolute path of the attempt's folder on the host.
        action: The skill's action.
    """

    study: str
    trial: int
    attempt: int
    folder: str
    action: str = "train"

    def to_docker(self) -> dict[str, str]:
        """The labels as Docker holds them."""
        names = ("study", "trial", "attempt", "folder", "action")
        return {f"{LABEL_PREFIX}{name}": str(getattr(self, name)) for name in names}

    @classmethod
    def from_docker(cls, labels: Mapping[str, str]) -> "Labels | None":
        """The labels of a container; None if it is none of ours."""
        try:
            return cls(
                labels[f"{LABEL_PREFIX}study"],
                int(labels[f"{LABEL_PREFIX}trial"]),
                int(labels[f"{LABEL_PREFIX}attempt"]),
                labels[f"{LABEL_PREFIX}folder"],
                labels[f"{LABEL_PREFIX}action"],
            )
        except (KeyError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class ContainerLimits:
    """What a container may use.

    Attributes:
        shm_bytes: Size of its shared memory.
        memory_bytes: Its memory, swap included; None for no limit.
        pids: Processes and threads; None for no limit.
        network: Its network.
        gpus: Ids or UUIDs of its GPUs; empty for none.
    """

    shm_bytes: int
    memory_bytes: int | None = None
    pids: int | None = None
    network: str = NO_NETWORK
    gpus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContainerPlan:
    """One container.

    Attributes:
        image: Name, or id of the image.
        command: Program and arguments; the image's entry point gets them.
        name: The container's own name.
        labels: Whose it is.
        mounts: What it sees of the host.
        workdir: Folder that it starts in.
        user: ``uid:gid`` that it runs as.
        groups: Further group ids of that user.
        limits: What it may use.
        environment: Variables, none of them secret.
        secrets: Names of variables whose values come from the caller's environment.
    """

    image: str
    command: tuple[str, ...]
    name: str
    labels: Labels
    mounts: Mounts
    workdir: PurePosixPath
    user: str
    limits: ContainerLimits
    groups: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()

    def command_line(self) -> str:
        """The same container as a ``docker run`` for a POSIX shell, one option a line."""
        options = [
            *(["--detach"], ["--init"], ["--name", self.name]),
            *(["--label", f"{key}={value}"] for key, value in self.labels.to_docker().items()),
            ["--user", self.user],
            *(["--group-add", group] for group in self.groups),
            ["--security-opt", "no-new-privileges"],
            *self._limit_options(),
            *(["--mount", _bind(mount)] for mount in self.mounts.mounts),
            ["--workdir", str(self.workdir)],
            *(["--env", f"{key}={value}"] for key, value in self._variables()),
            *(["--env", name] for name in self.secrets),
        ]
        lines = [["docker", "run"], *options, [self.image], self.command]
        return " \\\n  ".join(shlex.join(words) for words in lines)

    def _limit_options(self) -> Sequence[list[str]]:
        limits = self.limits
        options = [
            ["--network", limits.network],
            ["--shm-size", size_text(limits.shm_bytes)],
        ]
        if limits.memory_bytes is not None:
            size = size_text(limits.memory_bytes)
            options.append(["--memory", size, "--memory-swap", size])
        if limits.pids is not None:
            options.append(["--pids-limit", str(limits.pids)])
        if limits.gpus:
            # Docker reads this as a line of CSV, in which one field may hold commas.
            options.append(["--gpus", _csv(f"device={','.join(limits.gpus)}", always=True)])
        return options

    def _variables(self) -> Sequence[tuple[str, str]]:
        return sorted(self.variables().items())

    def variables(self) -> dict[str, str]:
        """Every variable but the secret ones.

        Without GPUs of its own a container must not see any: NVIDIA's images ask for all of them
        where the engine's default runtime is NVIDIA's.
        """
        # The image may know no user of the caller's number, and has no home for one.
        own = {"HOME": HOME, "USER": "automl", "LOGNAME": "automl", "PYTHONUNBUFFERED": "1"}
        hidden = {} if self.limits.gpus else {"NVIDIA_VISIBLE_DEVICES": "void"}
        return own | hidden | dict(self.environment)


def _bind(mount: Mount) -> str:
    """A bind as ``docker run`` reads it: a line of CSV."""
    fields = ["type=bind", f"source={mount.host}", f"target={mount.inside}"]
    return ",".join(_csv(field) for field in [*fields, *(["readonly"] if mount.read_only else [])])


def _csv(field: str, *, always: bool = False) -> str:
    """A field of a line of CSV, in quotes if it needs them."""
    if not always and not any(sign in field for sign in ',"\r\n'):
        return field
    return '"' + field.replace('"', '""') + '"'
