"""The nodes of a cluster: who is there, who was probed, and where no trial goes.

A node is probed by a small task before any trial goes there, and again when it comes back.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from automl.execution.cluster import probe_task
from automl.execution.cluster.connection import Node, nodes_of
from automl.execution.cluster.losses import Losses
from automl.execution.cluster.probe import NodeFacts, Offset, SharedFolder, clock_note, refusal
from automl.execution.ray_errors import said
from automl.study.nodes import NodeRecord

__all__ = ["Roster", "Tasks"]

#: Seconds between two looks at who is there.
_LOOK_S = 1.0
#: Seconds that a node gets to answer, the start of a first worker there included.
_ANSWERS_S = 90.0


class Tasks:
    """Sends the probe's tasks to nodes.

    Args:
        ray: The module, joined to the cluster.
    """

    def __init__(self, ray: Any) -> None:
        # By value: a node may have another version of this package, or none.
        ray.cloudpickle.register_pickle_by_value(probe_task)
        self._ray = ray
        self._answer = ray.remote(num_cpus=0, max_retries=0)(probe_task.answer)
        self._clock = ray.remote(num_cpus=0, max_retries=0)(probe_task.clock)

    def ask(self, node: str, question: dict[str, Any]) -> Any:
        """Asks a node; the reference of its answer."""
        return self._answer.options(scheduling_strategy=_on(node)).remote(question)

    def ask_time(self, node: str) -> Any:
        """Asks a node for the time; the reference of its answer."""
        return self._clock.options(scheduling_strategy=_on(node)).remote()

    def heard(self, reference: Any) -> tuple[Any, str] | None:
        """An answer, or why there is none; None while it is awaited."""
        if not self._ray.wait([reference], timeout=0)[0]:
            return None
        try:
            return self._ray.get(reference), ""
        except Exception as error:  # noqa: BLE001 -- whatever the task met there
            return None, f"the probe failed: {said(error)}"


def _on(node: str) -> Any:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(node, soft=False)


@dataclass(slots=True)
class _Probed:
    """A node and what its probe has shown so far."""

    node: Node
    reference: Any
    asked: float
    asked_at: float = 0.0
    is_clock: bool = False
    is_fit: bool = False
    refused: str = ""
    note: str = ""
    is_gone: bool = False
    is_apart: bool = False

    @property
    def is_open(self) -> bool:
        return not self.is_fit and not self.refused and not self.is_gone


class Roster:
    """Knows the nodes; to be asked to look again and again.

    Args:
        ray: The module, joined to the cluster.
        here: What is true of the driver's machine.
        shared: The folder that nodes must see.
        losses: Which nodes end trials.
        tell: Takes what a reader should know, a sentence each.
    """

    def __init__(
        self,
        ray: Any,
        here: NodeFacts,
        shared: SharedFolder,
        losses: Losses,
        tell: Callable[[str], None],
    ) -> None:
        self._ray = ray
        self._tasks = Tasks(ray)
        self._here = here
        self._shared = shared
        self._losses = losses
        self._tell = tell
        self._known: dict[str, _Probed] = {}
        self._left_alone: set[str] = set()
        self._ended: Counter[str] = Counter()
        self._looked_at = -_LOOK_S

    # Looking

    def look(self) -> None:
        """Takes in who has come and gone, and what the probes have shown."""
        now = time.monotonic()
        if now - self._looked_at >= _LOOK_S:
            self._looked_at = now
            self._take_in({node.id: node for node in nodes_of(self._ray)}, now)
        for probed in self._known.values():
            if probed.is_open:
                self._follow(probed, now)

    def _take_in(self, alive: dict[str, Node], now: float) -> None:
        for key, probed in self._known.items():
            if key not in alive and not probed.is_gone:
                probed.is_gone = True
                self._tell(f"node {probed.node.name} has left the cluster")
        data = [*self._here.data]
        for key, node in alive.items():
            if key not in self._known:
                reference = self._tasks.ask(key, self._shared.question(data, key))
                self._known[key] = _Probed(node, reference, now)

    def _follow(self, probed: _Probed, now: float) -> None:
        heard = self._tasks.heard(probed.reference)
        if heard is None:
            if now - probed.asked > _ANSWERS_S:
                self._refuse(probed, f"it did not answer within {_ANSWERS_S:.0f} s")
            return
        answer, error = heard
        if error:
            self._refuse(probed, error)
        elif probed.is_clock:
            clock = clock_note(Offset.of(answer, probed.asked_at, time.time()))
            apart = "uses the study's store" if probed.is_apart else ""
            probed.note = "; ".join(filter(None, (clock, apart)))
            probed.is_fit = True
            self._tell(f"node {self.record(probed.node.id)}")
        else:
            self._judge(probed, NodeFacts(**answer))

    def _judge(self, probed: _Probed, facts: NodeFacts) -> None:
        why = refusal(self._here, facts)
        unseen = "" if why else self._unseen(facts, probed.node.id)
        probed.is_apart = bool(unseen)
        if unseen and not self._shared.has_store:
            why = unseen
        if why:
            self._refuse(probed, why)
            return
        probed.is_clock, probed.asked_at = True, time.time()
        probed.reference = self._tasks.ask_time(probed.node.id)

    def _unseen(self, facts: NodeFacts, node: str) -> str:
        """Why a node does not share the study's folder; empty where it does."""
        if self._shared.folder is None:
            return ""
        if facts.error:
            return f"it does not see the study's folder: {facts.error}"
        if not self._shared.is_seen_both_ways(facts, node):
            return f"what it writes into {self._shared.folder} is not seen here"
        return ""

    def _refuse(self, probed: _Probed, why: str) -> None:
        probed.refused = why
        self._tell(f"node {self.record(probed.node.id)}")

    # Judging by what happened

    def ended(self, node: str) -> None:
        """An attempt has ended on a node, in whatever way; to be told after ``losses``."""
        self._ended[node] += 1
        name = self._known[node].node.name
        why = self._losses.refusal(name)
        if why and name not in self._left_alone:
            self._left_alone.add(name)
            self._tell(f"node {name} is left alone: {why}")

    # What is known

    @property
    def is_settled(self) -> bool:
        """Whether every node has been probed."""
        return bool(self._known) and not any(probed.is_open for probed in self._known.values())

    def is_alive(self, node: str) -> bool:
        """Whether a node is in the cluster, as of the last look."""
        probed = self._known.get(node)
        return probed is not None and not probed.is_gone

    def is_apart(self, node: str) -> bool:
        """Whether a node does not share the study's folder, and uses the study's store."""
        return self._known[node].is_apart

    def node(self, node: str) -> Node:
        """A node by its id."""
        return self._known[node].node

    def is_fit(self, node: str) -> bool | None:
        """Whether trials may run on a node; None while that is not known."""
        probed = self._known.get(node)
        if probed is None or probed.is_open:
            return None
        return probed.is_fit and not probed.is_gone and not self._losses.refusal(probed.node.name)

    def fit(self) -> list[Node]:
        """The nodes that trials may run on."""
        return [self._known[key].node for key in self._known if self.is_fit(key)]

    def unfit(self) -> Sequence[str]:
        """Ids of the nodes in the cluster that no trial may run on."""
        return [
            key
            for key, probed in self._known.items()
            if not probed.is_gone and self.is_fit(key) is False
        ]

    def record(self, node: str) -> NodeRecord:
        """What is to be shown of a node."""
        probed = self._known[node]
        at = probed.node
        return NodeRecord(
            at.name,
            at.cpus,
            at.gpus,
            at.gpu,
            self._ended[node],
            probed.refused or self._losses.refusal(at.name),
            probed.is_gone,
            probed.note,
        )

    def records(self) -> tuple[NodeRecord, ...]:
        """What is to be shown of every node that was ever there."""
        return tuple(self.record(key) for key in self._known)
