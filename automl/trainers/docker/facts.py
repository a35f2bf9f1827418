"""What an engine says of its images and containers."""

from dataclasses import dataclass

from automl.trainers.docker.plan import Labels

__all__ = ["ContainerState", "Image", "OwnContainer"]


@dataclass(frozen=True, slots=True)
class Image:
    """An image that the engine has.

    Attributes:
        id: Hash of its content's description; what containers are made of.
        digests: Names by which registries know it (``repository@sha256:...``); none if it was
            built or imported here.
    """

    id: str
    digests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContainerState:
    """Where a container stands.

    Attributes:
        status: ``created``, ``running``, ``exited``, ...
        exit_code: Of its first process; meaningful once it has ended.
        was_memory_kill: Whether the kernel has killed a process of it for memory.
        age_s: Seconds since it was started; 0 if it never was.
        pid: Process id of its first process on the engine's machine; 0 if it does not run.
    """

    status: str
    exit_code: int
    was_memory_kill: bool
    age_s: float
    pid: int = 0

    @property
    def has_ended(self) -> bool:
        """Whether it ran and will not run again."""
        return self.status in ("exited", "dead", "removing")


@dataclass(frozen=True, slots=True)
class OwnContainer:
    """A container of ours that the engine has.

    Attributes:
        id: Its id.
        name: Its name.
        status: ``created``, ``running``, ``exited``, ...
        labels: Whose it is.
    """

    id: str
    name: str
    status: str
    labels: Labels
