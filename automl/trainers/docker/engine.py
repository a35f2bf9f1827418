"""The Docker engine as the trainer needs it; nothing else of the package talks to one."""

import os
import weakref
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from automl.trainers.base import CannotStart
from automl.trainers.docker.create import create_options, probe_options
from automl.trainers.docker.errors import (
    CONFLICT,
    SOCKET,
    TIMEOUT_S,
    ContainerGone,
    EngineAway,
    engine_call,
    message_of,
    refusals,
)
from automl.trainers.docker.facts import ContainerState, Image, OwnContainer
from automl.trainers.docker.options import NO_NETWORK
from automl.trainers.docker.plan import LABEL_PREFIX, ContainerPlan, Labels

if TYPE_CHECKING:
    import docker

__all__ = [
    "ContainerGone",
    "DockerEngine",
    "EngineAway",
    "connect",
]

_PROBE = f"{LABEL_PREFIX}probe"


def connect() -> "DockerEngine":
    """The engine that ``DOCKER_HOST`` names (unix, tcp or ssh), else the machine's own.

    Raises:
        EngineAway: It does not answer.
    """
    import docker

    with engine_call():
        # The ssh program of the machine knows its keys and hosts; the library's own does not.
        is_ssh = os.environ.get("DOCKER_HOST", "").startswith("ssh://")
        engine = DockerEngine(docker.from_env(timeout=TIMEOUT_S, use_ssh_client=is_ssh))
        engine.ping()
    return engine


class DockerEngine:
    """One engine.

    Args:
        client: The connection.
    """

    def __init__(self, client: "docker.DockerClient") -> None:
        self._client = client
        self._api: Any = client.api
        # Its open connections close with it.
        weakref.finalize(self, client.close)

    @property
    def address(self) -> str:
        """Where it is, as a person would name it."""
        return os.environ.get("DOCKER_HOST") or f"unix://{SOCKET}"

    def ping(self) -> None:
        """Makes sure that it answers.

        Raises:
            EngineAway: It does not.
        """
        with engine_call():
            self._client.ping()

    def version(self) -> str:
        """The engine's version."""
        with engine_call():
            return str(self._client.version().get("Version", ""))

    def runtimes(self) -> tuple[str, ...]:
        """Names of the container runtimes that it has."""
        with engine_call():
            return tuple(self._client.info().get("Runtimes") or ())

    def image(self, name: str) -> Image | None:
        """The image of a name or id; None if the engine has none. Never pulls."""
        try:
            with engine_call():
                facts = self._api.inspect_image(name)
        except ContainerGone:
            return None
        return Image(str(facts["Id"]), tuple(facts.get("RepoDigests") or ()))

    def pull(self, name: str) -> None:
        """Fetches an image from its registry, with whatever the machine's user is logged in with.

        Raises:
            CannotStart: The registry or the engine refused.
            EngineAway: The engine does not answer.
        """
        with refusals(name):
            self._client.images.pull(name)

    def create(self, plan: ContainerPlan) -> str:
        """Makes a container and returns its id; it does not run yet.

        Raises:
            CannotStart: The engine refused it, for the reason that its class says.
            EngineAway: The engine does not answer.
        """
        with refusals(plan.image):
            return str(self._client.containers.create(plan.image, **create_options(plan)).id)

    def create_probe(self, image: str, gpus: Sequence[str]) -> str:
        """Makes a container that only says which GPUs it sees; it does not run yet.

        Raises:
            CannotStart: The engine refused it.
            EngineAway: The engine does not answer.
        """
        with refusals(image):
            options = probe_options(gpus, _PROBE)
            return str(self._client.containers.create(image, **options).id)

    def start(self, container: str, image: str) -> None:
        """Starts a container that was made; one that cannot start is removed.

        Raises:
            CannotStart: It cannot run: no such program in the image, no GPU for it, ...
            EngineAway: The engine does not answer.
        """
        try:
            with refusals(image):
                self._api.start(container)
        except CannotStart:
            self.remove(container)
            raise

    def state(self, container: str) -> ContainerState:
        """Where a container stands.

        Raises:
            ContainerGone: There is none of this id.
            EngineAway: The engine does not answer.
        """
        with engine_call():
            state = self._api.inspect_container(container)["State"]
        return ContainerState(
            str(state["Status"]),
            int(state["ExitCode"]),
            bool(state["OOMKilled"]),
            _age_s(str(state["StartedAt"])),
            int(state.get("Pid") or 0),
        )

    def logs(self, container: str) -> Iterator[bytes]:
        """Everything that a container has written, from its start, and on as it writes.

        The end of the stream does not mean the end of the container: an engine that is stopped
        ends its streams in good order.
        """
        from docker.errors import APIError

        try:
            with engine_call():
                yield from self._api.logs(container, stream=True, follow=True)
        except APIError as error:
            # One that is being removed has no log any more.
            gone = error.status_code == CONFLICT
            raise (ContainerGone if gone else EngineAway)(message_of(error)) from error

    def kill(self, container: str, signal: str) -> None:
        """Sends a signal to a container; one that has ended is left alone."""
        from docker.errors import APIError

        try:
            with engine_call():
                self._api.kill(container, signal)
        except ContainerGone:
            return
        except APIError as error:
            if error.status_code != CONFLICT:
                raise EngineAway(message_of(error)) from error

    def remove(self, container: str) -> None:
        """Removes a container, running or not; one that is gone is left alone."""
        from docker.errors import APIError

        try:
            with engine_call():
                self._api.remove_container(container, force=True, v=True)
        except ContainerGone:
            return
        except APIError as error:
            # A removal that is already under way is as good as ours.
            if error.status_code != CONFLICT:
                raise EngineAway(message_of(error)) from error

    def own_containers(self) -> tuple[OwnContainer, ...]:
        """Every container that this package has made and the engine still has."""
        with engine_call():
            listed = self._api.containers(all=True, filters={"label": f"{LABEL_PREFIX}folder"})
        own = []
        for facts in listed:
            labels = Labels.from_docker(facts.get("Labels") or {})
            if labels is not None:
                names = facts.get("Names") or [facts["Id"][:12]]
                own.append(OwnContainer(facts["Id"], names[0].lstrip("/"), facts["State"], labels))
        return tuple(own)

    def missing(self, image: str, paths: Sequence[str]) -> tuple[str, ...]:
        """The paths that do not exist on the engine's machine.

        Asked of the engine itself, which may be another machine than this one: a container with
        the path bound is made, and removed again without having run.
        """
        return tuple(path for path in paths if not self._can_bind(image, path))

    def _can_bind(self, image: str, path: str) -> bool:
        from docker.errors import APIError
        from docker.types import Mount

        mount = Mount("/probe", path, type="bind", read_only=True)
        try:
            with engine_call():
                probe = self._client.containers.create(
                    image, ["true"], mounts=[mount], network_mode=NO_NETWORK, labels=[_PROBE]
                )
        except APIError as error:
            if "bind source path does not exist" in message_of(error):
                return False
            raise EngineAway(message_of(error)) from error
        self.remove(str(probe.id))
        return True


def _age_s(started_at: str) -> float:
    """Seconds since a time as the engine writes it: UTC, nanoseconds, year 1 for never."""
    if not started_at or started_at.startswith("0001-"):
        return 0.0
    started = datetime.fromisoformat(started_at[:19]).replace(tzinfo=UTC)
    return max(0.0, (datetime.now(UTC) - started).total_seconds())
