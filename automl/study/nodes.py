"""The machines of a cluster that a study runs on, as its snapshot and reports show them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from automl.field_types import check_fields

__all__ = ["NodeRecord"]


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """One node.

    Attributes:
        name: Its address and its host's name.
        cpus: CPUs that the cluster counts there.
        gpus: GPUs that the cluster counts there.
        gpu: The GPUs' model; empty where the cluster does not say.
        n_attempts: Attempts that ended there since the driver began.
        refused: Why no trial goes there; empty where they do.
        is_gone: Whether it has left the cluster.
        note: What a reader should know of it beside that.
    """

    name: str
    cpus: float = 0.0
    gpus: float = 0.0
    gpu: str = ""
    n_attempts: int = 0
    refused: str = ""
    is_gone: bool = False
    note: str = ""

    def __str__(self) -> str:
        """``10.0.0.2 (ws-07): 16 CPUs, 2 GPUs (H200)``, and what is to be said of it."""
        model = f" ({self.gpu})" if self.gpu else ""
        gpus = f", {_some(self.gpus, 'GPU')}{model}" if self.gpus else ""
        parts = [f"{self.name}: {_some(self.cpus, 'CPU')}{gpus}"]
        if self.n_attempts:
            parts.append(f"{self.n_attempts} ended here")
        if self.is_gone:
            parts.append("has left the cluster")
        if self.refused:
            parts.append(f"no trials: {self.refused}")
        if self.note:
            parts.append(self.note)
        return "; ".join(parts)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The record that ``to_json`` wrote.

        Raises:
            TypeError: The value is no such record.
        """
        record = cls(**value)
        check_fields(record)
        return record

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write."""
        return asdict(self)


def _some(amount: float, noun: str) -> str:
    """``1 CPU``, ``0.5 GPUs``."""
    return f"{amount:g} {noun}{'' if amount == 1 else 's'}"
