"""Whether poses are in metres, and by what: a known size, or a network that says metres itself."""

from dataclasses import dataclass
from typing import Any

import torch

from automl.centerpose.config.experiment import Experiment
from automl.centerpose.evaluation.detections import Detections
from automl.poses.known_size import KnownSize, read_known_size

__all__ = ["Scale", "scale_of"]

_KEY = "inference.known_size"
_UP_TO_SCALE = (
    f"nothing: lengths are in heights of the object; give {_KEY} or --known-height for metres"
)


@dataclass(frozen=True, slots=True)
class Scale:
    """What the unit of poses is.

    Attributes:
        category: Of the network.
        absolute: Whether the network was trained to say metres (``dataset.use_absolute_scale``).
        known: What is known of the object; None for nothing.
    """

    category: str = ""
    absolute: bool = False
    known: KnownSize | None = None

    @property
    def is_metric(self) -> bool:
        """Whether metres can be said at all."""
        return self.absolute or self.known is not None

    def shaped(self, detections: Detections) -> Detections:
        """Detections with the known proportions, where all edges are known.

        A pose solved with the true proportions does not take over the network's error in them.
        """
        if self.known is None or self.known.edges is None:
            return detections
        edges = torch.tensor(self.known.edges, dtype=torch.float64, device=detections.scale.device)
        scale = (edges / self.known.height).to(detections.scale.dtype).expand_as(detections.scale)
        boxes, centers, points = detections.boxes, detections.centers, detections.points
        return Detections(detections.scores, boxes, centers, points, scale)

    def metres_per_unit(self, height: float) -> float | None:
        """The factor from the unit of a pose to metres; None where nothing says it.

        Args:
            height: Of the object, in that unit; one that is not above 0 says nothing.
        """
        if self.known is not None:
            return self.known.height / height if height > 0.0 else None
        return 1.0 if self.absolute else None

    def to_json(self) -> dict[str, Any]:
        """What was assumed, for a reader of the poses."""
        by = _UP_TO_SCALE
        if self.known is not None:
            by = str(self.known)
        elif self.absolute:
            by = "the network, which was trained to say metres (dataset.use_absolute_scale)"
        return {"is_metric": self.is_metric, "category": self.category, "from": by}


def scale_of(spec: Experiment) -> Scale:
    """The scale of a spec's inference.

    Raises:
        FixInput: The known size is none, or of another category.
    """
    category = spec.dataset.category
    known = read_known_size(spec.inference.known_size, category, _KEY)
    return Scale(category, spec.dataset.use_absolute_scale, known)
