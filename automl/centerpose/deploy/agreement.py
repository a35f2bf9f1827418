"""Whether a written graph answers like the network it was written from."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from automl.centerpose.deploy.graph import OUTPUTS, DecodingNetwork
from automl.centerpose.deploy.runtime import OnnxNetwork

__all__ = ["TOLERANCE", "check_agreement", "largest_difference"]

Values = npt.NDArray[np.float32]

TOLERANCE: Final = 1e-4  # absolute, and relative to what the network says
_MARGIN: Final = 1e-4  # relative: by how much a score must exceed the last one selected
_MAY_DIFFER: Final = 0.05  # share of detections
_SEED: Final = 20


def check_agreement(
    graph: DecodingNetwork, written: OnnxNetwork, side_px: int, batches: Sequence[int]
) -> float:
    """Runs both on the same noise images and compares every output.

    Args:
        graph: The network with its decoder, on the CPU.
        written: The same as a file.
        side_px: Width and height of the input.
        batches: How many images to run at once; one comparison each.

    Returns:
        The largest difference found, as ``largest_difference`` counts it.

    Raises:
        RuntimeError: It exceeds the tolerance.
    """
    generator = torch.Generator().manual_seed(_SEED)
    worst = 0.0
    for batch in batches:
        images = torch.randn(batch, 3, side_px, side_px, generator=generator)
        with torch.inference_mode():
            expected = dict(
                zip(OUTPUTS, (values.numpy() for values in graph(images)), strict=True)
            )
        worst = max(worst, largest_difference(expected, written.run(images.numpy())))
    if not worst <= TOLERANCE:
        raise RuntimeError(
            f"the exported graph differs from the network by {worst:.3g}, more than {TOLERANCE}: "
            "nothing was written"
        )
    return worst


def largest_difference(expected: Mapping[str, Values], given: Mapping[str, Values]) -> float:
    """The largest difference of any output, divided by ``max(1, |value|)``.

    Each detection of either side is compared in all outputs with the one of the same image on the
    other side that is most like it, because all but equal scores may come in either order. One
    detection in twenty is left out, those that differ most: of two neighbouring cells that are
    all but equal, either may be the peak.
    """
    images = range(len(expected["scores"]))
    pairs = ((expected, given), (given, expected))
    rows = np.concatenate([_unlike(one, other, i) for one, other in pairs for i in images])
    kept = np.sort(rows)[: len(rows) - int(len(rows) * _MAY_DIFFER)]
    return float(kept.max(initial=0.0))


def _unlike(one: Mapping[str, Values], other: Mapping[str, Values], i: int) -> Values:
    """How far each detection of image ``i`` is from the other side's that is most like it."""
    scores = one["scores"][i, :, 0]
    # Beyond the last detection there may be more as good as it, any of which may be selected.
    sure = scores > scores[-1] * (1.0 + _MARGIN)
    apart = np.zeros((int(sure.sum()), len(scores)), dtype=np.float32)
    for name in OUTPUTS:
        value, others = one[name][i][sure][:, None], other[name][i][None]
        with np.errstate(invalid="ignore"):  # infinity less infinity is counted as infinity
            off = np.abs(others - value) / np.maximum(1.0, np.abs(value))
        apart = np.maximum(apart, np.nan_to_num(off.max(axis=2), nan=np.inf))
    return np.asarray(apart.min(axis=1), dtype=np.float32)
