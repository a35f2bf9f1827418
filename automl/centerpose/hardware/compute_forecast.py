"""How much one image costs a network, known without torch: what makes one slower than another.

The figures are those that ``describe`` counts.
"""

from collections.abc import Mapping

__all__ = ["GFLOP_FORWARD", "forecast_gflop"]

_SIDE = 512

#: Network to 1e9 operations of a forward pass over one image of 512 x 512, two a multiply-add.
GFLOP_FORWARD: Mapping[str, float] = {
    "fan_small": 216.38,
    "fan_base": 277.6,
    "fan_large": 350.84,
    "DLA34": 91.71,
    "nano": 0.53,
}


def forecast_gflop(model_type: str, side: int) -> float | None:
    """1e9 operations of a forward pass over one image; None for a network that is not known here.

    Args:
        model_type: ``model.backbone.model_type``.
        side: Width and height of an image, in pixels.
    """
    known = GFLOP_FORWARD.get(model_type)
    return None if known is None else known * (side / _SIDE) ** 2
