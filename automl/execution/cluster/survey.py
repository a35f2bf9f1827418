"""A look at a cluster before anything is spent: its nodes, and which of them are fit."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.execution.cluster.connection import connected
from automl.execution.cluster.losses import Losses
from automl.execution.cluster.probe import NodeFacts, SharedFolder
from automl.execution.cluster.probing import Probing
from automl.execution.cluster.roster import Roster
from automl.execution.cluster.tasks import Tasks
from automl.execution.driver import TrainerChoice
from automl.study.nodes import NodeRecord

__all__ = ["Survey", "survey"]

_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Survey:
    """What a cluster has.

    Attributes:
        address: As it was asked for.
        ray: Version of Ray.
        nodes: Every node, with what keeps trials from it.
        versions: What a node must have to be fit: this package, Python, torch.
    """

    address: str
    ray: str
    nodes: tuple[NodeRecord, ...]
    versions: str

    @property
    def fit(self) -> tuple[NodeRecord, ...]:
        """The nodes that trials may run on."""
        return tuple(node for node in self.nodes if not node.refused and not node.is_gone)

    def __str__(self) -> str:
        """``10.0.0.1:6379, Ray 2.60.0; automl 0.1.0, Python 3.11.7, torch 2.10.0``."""
        return f"{self.address}, Ray {self.ray}; {self.versions}"

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write."""
        return {
            "address": self.address,
            "ray": self.ray,
            "versions": self.versions,
            "nodes": [node.to_json() for node in self.nodes],
        }


def survey(
    address: str,
    data: Sequence[str] = (),
    folder: Path | None = None,
    trainer: TrainerChoice | None = None,
    store: str = "",
) -> Survey:
    """Joins a cluster, probes every node, and leaves again.

    Args:
        address: ``auto`` or ``HOST:PORT``.
        data: Folders that every node must see.
        folder: A folder that every node must see and write to; None where that is not to be
            checked yet.
        trainer: What is to train there; None where that is not to be checked yet.
        store: Where the study's store has the study, for nodes that do not see the folder.

    Raises:
        PrepareMachine: There is no such cluster, or this machine is none of its nodes.
        OSError: Nothing can be written into the folder.
    """
    here = NodeFacts.here(data)
    shared = SharedFolder() if folder is None else SharedFolder.marked(folder, store)
    try:
        with connected(address, "automl survey") as ray:
            probing = Probing(Tasks(ray), here, shared, trainer, moves=False)
            roster = Roster(ray, probing, Losses(), lambda _: None)
            roster.look()
            while not roster.is_settled:
                time.sleep(_POLL_S)
                roster.look()
            return Survey(address, ray.__version__, roster.records(), _versions(here))
    finally:
        shared.clear()


def _versions(here: NodeFacts) -> str:
    torch = f", torch {here.torch}" if here.torch else ""
    return f"automl {here.version}, Python {here.python}{torch}"
