"""What one attempt takes of a node."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from automl.execution.cluster.connection import Node

__all__ = ["Need"]


@dataclass(frozen=True, slots=True)
class Need:
    """What one attempt takes of a node.

    Attributes:
        cpus: CPUs, as the cluster counts them.
        gpus: GPUs; a share of one where trials share.
    """

    cpus: float
    gpus: float = 0.0

    def fits(self, cpus: float, gpus: float) -> int:
        """How many attempts find room at once in so much."""
        by_gpu = int(gpus / self.gpus + 1e-6) if self.gpus else None
        by_cpu = int(cpus / self.cpus) if self.cpus else by_gpu
        return min(by_cpu or 0, by_gpu if by_gpu is not None else by_cpu or 0)

    @property
    def bundle(self) -> dict[str, float]:
        """As Ray writes it."""
        return {"CPU": self.cpus, **({"GPU": self.gpus} if self.gpus else {})}

    def within(self, nodes: Sequence[Node]) -> "Need":
        """What to ask for so that one of the nodes has room: if it must be, fewer whole GPUs.

        Args:
            nodes: The nodes that trials may run on.

        Returns:
            The same where a node can have it, or where no number of GPUs would help.
        """
        if self.gpus <= 1 or any(self.fits(node.cpus, node.gpus) for node in nodes):
            return self
        each = self.cpus / self.gpus
        fewer = (
            replace(self, cpus=max(1.0, each * gpus), gpus=float(gpus))
            for gpus in range(int(self.gpus) - 1, 0, -1)
        )
        able = (need for need in fewer if any(need.fits(n.cpus, n.gpus) for n in nodes))
        return next(able, self)
