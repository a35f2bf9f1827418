"""Being a guest of a Ray cluster: joining it, who is in it, and whether its head still answers."""

import logging
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from automl.errors import PrepareMachine
from automl.execution.ray_errors import said
from automl.execution.ray_job import own_job

__all__ = ["ClusterHead", "Node", "connected", "leaving", "nodes_of"]

_LOOK_S = 3.0
_ANSWERS_S = 3.0
_MISSES = 3
_CANNOT_JOIN = "start Ray on this machine with ray start, or leave out --ray-address"
_NO_HEAD = (
    "give the address that ray start --head said; where the cluster asks for a token, set "
    "RAY_AUTH_MODE=token and RAY_AUTH_TOKEN here"
)
#: What a guest decides for itself alone.
_SETTINGS = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_NUM_REDIS_GET_RETRIES": "3",  # tries to reach a head, each of which takes its time
}
_CONNECTS_S = 5.0
#: How Ray writes the versions of both sides where they differ: the cluster's stand first.
_VERSION = re.compile(r"Ray: (\S+)\s+Python: (\S+)")


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of the cluster.

    Attributes:
        id: Ray's id; a machine that comes back has another one.
        name: Its address and its host's name.
        cpus: CPUs that the cluster counts there.
        gpus: GPUs that the cluster counts there.
        gpu: The GPUs' model; empty where the cluster does not say.
    """

    id: str
    name: str
    cpus: float = 0.0
    gpus: float = 0.0
    gpu: str = ""

    @classmethod
    def of(cls, entry: dict[str, Any]) -> "Node":
        """A node as Ray lists it."""
        resources = entry.get("Resources", {})
        gpu = entry.get("Labels", {}).get("ray.io/accelerator-type", "")
        host, address = entry["NodeManagerHostname"], entry["NodeManagerAddress"]
        name = f"{address} ({host})" if host != address else str(address)
        cpus, gpus = float(resources.get("CPU", 0.0)), float(resources.get("GPU", 0.0))
        return cls(str(entry["NodeID"]), name, cpus, gpus, str(gpu))


def nodes_of(ray: Any) -> list[Node]:
    """The nodes that are alive, in the order of their names."""
    alive = [Node.of(entry) for entry in ray.nodes() if entry["Alive"]]
    return sorted(alive, key=lambda node: node.name)


def leaving(ray: Any) -> dict[str, float]:
    """The nodes that are to go away soon: ids, and by when in Unix seconds, 0 where nobody said.

    Ray tells a driver nothing of it, but its table of nodes knows (``ray drain-node``, the
    notice of an autoscaler or of a spot market). A Ray whose table has another form knows of none.
    """
    asked = getattr(ray._private.state.state, "get_draining_nodes", dict)
    return {str(node): deadline_ms / 1e3 for node, deadline_ms in asked().items()}


@contextmanager
def connected(address: str, purpose: str) -> Iterator[Any]:
    """The module ``ray``, joined to a cluster; what this process had there is gone afterwards.

    Nothing is started: the driver of a study is a guest. Ray ends the actors and the placement
    groups of a guest with it, however it ends.

    Args:
        address: ``auto`` for the cluster that this machine belongs to, else ``HOST:PORT``.
        purpose: What the cluster's users see this guest as.

    Raises:
        PrepareMachine: There is no such cluster, or this machine is none of its nodes.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    import ray

    logging.getLogger("ray").setLevel(logging.CRITICAL)
    _knock(address)
    with _signals_kept():
        try:
            ray.init(
                address=address,
                log_to_driver=False,
                logging_level=logging.CRITICAL,
                job_config=own_job(purpose),
            )
        except Exception as error:  # Ray raises whatever it met
            raise _explained(address, error) from error
    try:
        yield ray
    finally:
        with _signals_kept():
            ray.shutdown()


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Ray takes SIGTERM for itself where it is joined from the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        with suppress(ValueError, TypeError):
            signal.signal(signal.SIGTERM, before)


def _knock(address: str) -> None:
    """Makes sure that somebody listens at an address: Ray itself tries for minutes.

    Raises:
        PrepareMachine: Nobody does.
    """
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECTS_S).close()
    except OSError as error:
        why = error.strerror or str(error)
        raise _unreachable(address, f"nobody who answers there ({why})") from error


def _explained(address: str, error: Exception) -> PrepareMachine:
    """What Ray raised when it was to join a cluster, in our words."""
    versions = _VERSION.findall(str(error))
    if len(versions) > 1:
        cluster, own = (f"Ray {ray} and Python {python}" for ray, python in versions[:2])
        return PrepareMachine(
            "a study and its Ray cluster must have the same versions of Ray and of Python",
            got=f"{cluster} in the cluster, {own} here",
            where=f"--ray-address {address}",
            fix="install the cluster's versions here, or start a cluster with these",
        )
    if isinstance(error, ConnectionError) and address != "auto":
        return _unreachable(address, "somebody who listens there, but lets nobody join", _NO_HEAD)
    return _unreachable(address, said(error))


def _unreachable(address: str, got: str, fix: str = _CANNOT_JOIN) -> PrepareMachine:
    return PrepareMachine(
        "the Ray cluster must be there, and this machine one of its nodes",
        got=got,
        where=f"--ray-address {address}",
        fix=fix,
    )


class ClusterHead:
    """Watches, from a thread of its own, whether the cluster's head takes connections.

    Ray notices a head that is gone after a minute, and then ends this process without a word.
    """

    def __init__(self) -> None:
        self._address: tuple[str, int] | None = None
        self._misses = 0
        threading.Thread(target=self._watch, name="head", daemon=True).start()

    @property
    def dead(self) -> str:
        """The head, in words, where it has not answered several times in a row; else empty."""
        if self._address is None or self._misses < _MISSES:
            return ""
        return f"the head of the Ray cluster at {self._address[0]}:{self._address[1]}"

    def at(self, address: str) -> None:
        """Says where it is.

        Args:
            address: ``HOST:PORT``.
        """
        host, _, port = address.rpartition(":")
        self._address = (host.strip("[]"), int(port))

    def leave(self) -> None:
        """Does nothing: the head is not ours."""

    def _watch(self) -> None:
        while True:
            time.sleep(_LOOK_S)
            if self._address is not None:
                self._misses = 0 if self._answers(self._address) else self._misses + 1

    def _answers(self, address: tuple[str, int]) -> bool:
        try:
            with socket.create_connection(address, timeout=_ANSWERS_S):
                return True
        except OSError:
            return False
