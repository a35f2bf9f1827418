"""What one attempt takes of a node."""

from dataclasses import dataclass

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
