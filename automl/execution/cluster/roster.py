"""The nodes of a cluster: who is there, who was probed, and where no trial goes.

A node is probed by a small task before any trial goes there, and again when it comes back.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from automl.execution.cluster.connection import Node, leaving, nodes_of
from automl.execution.cluster.losses import Losses
from automl.execution.cluster.probing import Course, NodeVerdict, Probing
from automl.study.nodes import NodeRecord

__all__ = ["Roster"]

#: Seconds between two looks at who is there.
_LOOK_S = 1.0
#: Seconds until something is said of a probe that takes long, and between two words about it.
_FIRST_S = 3.0
_SAYS_S = 10.0


@dataclass(slots=True)
class _Known:
    """A node and what is known of it so far.

    Attributes:
        node: The node.
        course: Its probe.
        says_at: When it is next said what the probe is at, by the monotonic clock.
        verdict: What the probe has shown; None while it goes on.
        doing: What the probe is at; empty for a short question.
        is_gone: Whether the node has left.
        leaves_at: When it is to leave, in Unix seconds, 0 for soon; None where it is to stay.
    """

    node: Node
    course: Course
    says_at: float
    verdict: NodeVerdict | None = None
    doing: str = ""
    is_gone: bool = False
    leaves_at: float | None = None

    @property
    def is_open(self) -> bool:
        return self.verdict is None and not self.is_gone

    @property
    def refused(self) -> str:
        if self.leaves_at is not None and not self.is_gone:
            return "it is being drained"
        return self.verdict.refused if self.verdict is not None else ""


class Roster:
    """Knows the nodes; to be asked to look again and again.

    Args:
        ray: The module, joined to the cluster.
        probing: Probes a node.
        losses: Which nodes end trials.
        tell: Takes what a reader should know, a sentence each.
    """

    def __init__(
        self, ray: Any, probing: Probing, losses: Losses, tell: Callable[[str], None]
    ) -> None:
        self._ray = ray
        self._probing = probing
        self._losses = losses
        self._tell = tell
        self._known: dict[str, _Known] = {}
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
            self._take_leave(leaving(self._ray))
        for known in self._known.values():
            if known.is_open:
                self._follow(known, now)

    def _take_in(self, alive: dict[str, Node], now: float) -> None:
        for key, known in self._known.items():
            if key not in alive and not known.is_gone:
                known.is_gone = True
                self._tell(f"node {known.node.name} has left the cluster")
        for key, node in alive.items():
            if key not in self._known:
                course = self._probing.course(key)
                self._known[key] = _Known(node, course, now + _FIRST_S)

    def _take_leave(self, leaving: Mapping[str, float]) -> None:
        for key, known in self._known.items():
            if key in leaving and known.leaves_at is None and not known.is_gone:
                known.leaves_at = leaving[key]
                left_s = known.leaves_at - time.time()
                when = f"in {max(left_s, 0.0):.0f} s" if known.leaves_at else "soon"
                self._tell(f"node {known.node.name} is to leave the cluster {when}")

    def _follow(self, known: _Known, now: float) -> None:
        try:
            known.doing = next(known.course)
        except StopIteration as ended:
            known.verdict, known.doing = ended.value, ""
            self._tell(f"node {self.record(known.node.id)}")
            return
        if known.doing and now > known.says_at:
            known.says_at = now + _SAYS_S
            self._tell(f"node {known.node.name}: {known.doing}")

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
        return bool(self._known) and not any(known.is_open for known in self._known.values())

    def is_alive(self, node: str) -> bool:
        """Whether a node is in the cluster, as of the last look."""
        known = self._known.get(node)
        return known is not None and not known.is_gone

    def leaves_at(self, node: str) -> float | None:
        """When a node is to leave, in Unix seconds, 0 for soon; None where it is to stay."""
        return self._known[node].leaves_at

    def verdict(self, node: str) -> NodeVerdict:
        """What the probe of a node has shown that has been probed."""
        found = self._known[node].verdict
        assert found is not None  # noqa: S101 -- no slot is opened before
        return found

    def node(self, node: str) -> Node:
        """A node by its id."""
        return self._known[node].node

    def is_fit(self, node: str) -> bool | None:
        """Whether trials may run on a node; None while that is not known."""
        known = self._known.get(node)
        if known is None or known.is_open:
            return None
        refused = known.refused or self._losses.refusal(known.node.name)
        return not refused and not known.is_gone

    def fit(self) -> list[Node]:
        """The nodes that trials may run on."""
        return [self._known[key].node for key in self._known if self.is_fit(key)]

    def unfit(self) -> Sequence[str]:
        """Ids of the nodes in the cluster that no trial may run on."""
        return [
            key
            for key, known in self._known.items()
            if not known.is_gone and self.is_fit(key) is False
        ]

    def record(self, node: str) -> NodeRecord:
        """What is to be shown of a node."""
        known = self._known[node]
        at = known.node
        return NodeRecord(
            at.name,
            at.cpus,
            at.gpus,
            at.gpu,
            self._ended[node],
            known.refused or self._losses.refusal(at.name),
            known.is_gone,
            known.doing if known.verdict is None else known.verdict.note,
        )

    def records(self) -> tuple[NodeRecord, ...]:
        """What is to be shown of every node that was ever there."""
        return tuple(self.record(key) for key in self._known)
