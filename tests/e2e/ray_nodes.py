"""A real Ray cluster of several nodes on this machine: a raylet each, at its own address."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automl.processes import children_of, started_at
from tests.e2e.other_host import OtherHost
from tests.e2e.terminal import eventually

__all__ = ["RayCluster", "RayNode", "ray_cluster"]

#: So that the death of a node is noticed within seconds; Ray's own defaults take fifteen.
_HEALTH = {
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "4",
}
_ENVIRONMENT = {
    "RAY_AUTH_MODE": "disabled",
    "RAY_USAGE_STATS_ENABLED": "0",
}
_OF_RAY = ("RAY_", "TUNE_")
_STARTS_S = 90.0
#: What a guest may have left, as Ray's state tells it to another guest.
_LOOK = """
import json, logging, sys
import ray
from ray._private.state import actors
from ray.util.placement_group import placement_group_table
ray.init(address=sys.argv[1], log_to_driver=False, logging_level=logging.CRITICAL)
print(json.dumps({
    "actors": [each["State"] for each in actors().values() if each["State"] != "DEAD"],
    "groups": [e["state"] for e in placement_group_table().values() if e["state"] != "REMOVED"],
    "ids": {n["NodeManagerAddress"]: n["NodeID"] for n in ray.nodes() if n["Alive"]},
    "free": ray.available_resources().get("CPU"),
}))
"""


def _descendants(pid: int) -> Iterator[int]:
    for child in children_of(pid):
        yield child
        yield from _descendants(child)


def _command_of(pid: int) -> str:
    """The command line of a process, its words parted by zeros; empty where it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""


@dataclass
class RayNode:
    """One node.

    Attributes:
        address: Its address.
        starter: The program that started it, and waits.
    """

    address: str
    starter: subprocess.Popen[bytes]

    @property
    def raylet(self) -> int:
        """Process id of its raylet."""
        for pid in _descendants(self.starter.pid):
            if _command_of(pid).partition("\0")[0].endswith("/raylet"):
                return pid
        raise AssertionError(f"no raylet of {self.address}")

    def kill(self) -> None:
        """Ends the node as a power cut would, but for what its workers have started."""
        for pid in (self.raylet, self.starter.pid):
            os.kill(pid, signal.SIGKILL)
        self.starter.wait()

    def clear(self) -> None:
        """Ends everything of it."""
        family = [*_descendants(self.starter.pid)]
        self.starter.kill()
        self.starter.wait()
        for pid in family:
            if started_at(pid):
                os.kill(pid, signal.SIGKILL)


@dataclass
class RayCluster:
    """A head and nodes, in a folder of its own.

    Attributes:
        folder: Ray's sockets and logs; short, because sockets' paths must be.
        port: The head's.
        head: The head's address, which Ray takes to be this machine's.
        nodes: Address to node.
        n_started: How many were added.
    """

    folder: Path
    port: int
    head: str = ""
    nodes: dict[str, RayNode] = field(default_factory=dict)
    n_started: int = 0

    @property
    def address(self) -> str:
        return f"{self.head}:{self.port}"

    def environment(self) -> dict[str, str]:
        """What this cluster's nodes and guests need."""
        # A search on a Ray of its own leaves these in its process, which may be the tests' own.
        own = {name: value for name, value in os.environ.items() if not name.startswith(_OF_RAY)}
        return {**own, **_ENVIRONMENT}

    def start_head(self, cpus: int, environment: Mapping[str, str]) -> None:
        words = ["--head", f"--port={self.port}", f"--temp-dir={self.folder}"]
        self._start(
            "head", cpus, [*words, "--include-dashboard=false"], {**_HEALTH, **environment}
        )
        said = (self.folder / "head.log").read_text()
        self.head = said.partition("Local node IP: ")[2].split()[0]

    def start_node(
        self,
        cpus: int,
        environment: Mapping[str, str] | None = None,
        host: OtherHost | None = None,
        hidden: Sequence[Path] = (),
    ) -> RayNode:
        """Adds a node, at an address that none has had.

        Args:
            cpus: What the cluster is to count there.
            environment: What its workers are to find.
            host: The host that it runs on; None for this one.
            hidden: Folders in whose places the node of another host has empty ones of its own.
        """
        self.n_started += 1
        address = f"127.0.0.{1 + self.n_started}" if host is None else host.address
        words = [f"--address={self.address}", f"--node-ip-address={address}"]
        there = [] if host is None else host.command([*hidden, self.folder])
        return self._start(address, cpus, words, environment or {}, there)

    def _start(
        self,
        name: str,
        cpus: int,
        words: list[str],
        environment: Mapping[str, str],
        there: Sequence[str] = (),
    ) -> RayNode:
        ports = ["--min-worker-port=0", "--max-worker-port=0"]
        words += [f"--num-cpus={cpus}", *ports]
        log = (self.folder / f"{name}.log").open("wb")
        starter = subprocess.Popen(
            [*there, sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *words],
            env={**self.environment(), **environment},
            cwd="/",
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        log.close()
        node = self.nodes[name] = RayNode(name, starter)
        text = self.folder / f"{name}.log"
        started = eventually(lambda: "Ray runtime started" in text.read_text(), _STARTS_S)
        assert started, text.read_text()
        return node

    def drain(self, address: str, within_s: int) -> None:
        """Gives notice that a node will be taken away."""
        node = self.look()["ids"][address]
        words = ["drain-node", f"--address={self.address}", f"--node-id={node}"]
        why = ["--reason=DRAIN_NODE_REASON_PREEMPTION", "--reason-message=a spot market"]
        subprocess.run(
            [
                *(sys.executable, "-m", "ray.scripts.scripts", *words, *why),
                f"--deadline-remaining-seconds={within_s}",
            ],
            env=self.environment(),
            capture_output=True,
            check=True,
        )

    def look(self) -> Mapping[str, Any]:
        """What is in the cluster, as another guest sees it."""
        done = subprocess.run(
            [sys.executable, "-c", _LOOK, self.address],
            env=self.environment(),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=True,
        )
        (line,) = [line for line in done.stdout.splitlines() if line.startswith("{")]
        found: Mapping[str, Any] = json.loads(line)
        return found

    def workers(self) -> list[int]:
        """Processes below the raylets that run an actor of ours."""
        mine = [pid for node in self.nodes.values() for pid in _descendants(node.starter.pid)]
        return [pid for pid in mine if "AttemptWorker" in _command_of(pid)]


def ray_cluster(cpus: int, environment: Mapping[str, str] | None = None) -> Iterator[RayCluster]:
    """A head; nothing of it, and of nodes that are added, outlives its last use."""
    folder = Path(tempfile.mkdtemp(prefix="ac-", dir="/tmp"))
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port = tried.getsockname()[1]
    cluster = RayCluster(folder, port)
    try:
        cluster.start_head(cpus, environment or {})
        yield cluster
    finally:
        for node in cluster.nodes.values():
            node.clear()
        shutil.rmtree(folder, ignore_errors=True)
