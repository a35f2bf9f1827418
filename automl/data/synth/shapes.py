"""How large the boxes of a category are."""

from collections.abc import Mapping
from typing import Final

__all__ = ["size_of"]

_SIZES: Final[Mapping[str, tuple[float, float, float]]] = {
    "bike": (0.50, 1.00, 1.65),
    "book": (0.17, 0.04, 0.24),
    "bottle": (0.08, 0.25, 0.08),
    "camera": (0.13, 0.09, 0.08),
    "cereal_box": (0.19, 0.29, 0.09),
    "chair": (0.50, 0.90, 0.50),
    "cup": (0.09, 0.10, 0.09),
    "laptop": (0.33, 0.22, 0.24),
    "shoe": (0.10, 0.12, 0.28),
}
_ANY: Final = (0.20, 0.25, 0.14)


def size_of(category: str) -> tuple[float, float, float]:
    """Typical edge lengths in metres along x, y (up) and z; a common box if it is not known."""
    return _SIZES.get(category, _ANY)
