"""From head maps to detections in pixels, for all images of a batch at once.

A detection is a local maximum of the centre map. Everything else about it is read from the other
maps at that cell. Cells are counted from the map's top left; the network's input is a square of
the image, so one scale and one shift lead back to pixels. Nothing here waits for the device.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own documentation calls it F
from torch import Tensor

from automl.centerpose.evaluation.detections import Detections

__all__ = ["decode", "to_pixels"]

_HEADS = ("hm", "hps", "wh", "reg", "scale")


def decode(outputs: Mapping[str, Tensor], num_select: int) -> Detections:
    """The strongest peaks of each image of a batch, in cells of the maps, best first.

    Args:
        outputs: Head maps before any sigmoid, on any device and in any floating type: ``hm``
            (B, 1, H, W), ``hps`` (B, 16, H, W), ``wh`` and ``reg`` (B, 2, H, W), ``scale``
            (B, 3, H, W). Further heads are ignored.
        num_select: Peaks per image (K), at most the number of cells.

    Returns:
        (B, K) detections on the maps' device; scores of cells that are no peak are 0.

    Raises:
        ValueError: A head is missing.
    """
    missing = [name for name in _HEADS if name not in outputs]
    if missing:
        raise ValueError(f"decoding needs the heads {', '.join(_HEADS)}; missing: {missing}")
    n = len(outputs["hm"])
    with torch.no_grad():
        logits, cells = _peaks(outputs["hm"][:, 0].float(), num_select)
        width = outputs["hm"].shape[-1]
        peaks = torch.stack([cells % width, cells // width], dim=2).double()
        points = _read(outputs["hps"], cells).reshape(n, num_select, 8, 2) + peaks[:, :, None]
        centers = _read(outputs["reg"], cells) + peaks
        half = _read(outputs["wh"], cells) / 2.0
        boxes = torch.cat([centers - half, centers + half], dim=2)
        scores = logits.sigmoid().double()
        return Detections(scores, boxes, centers, points, _read(outputs["scale"], cells))


def _peaks(heat: Tensor, num_select: int) -> tuple[Tensor, Tensor]:
    """(B, K) logits and cells of the highest local maxima of (B, H, W) logits."""
    # The sigmoid is monotone, so peaks are found before it, where no two logits have saturated.
    # Shifted maxima, columns then rows: a tenth of the time of max_pool2d on a CPU.
    edged = F.pad(heat, (1, 1, 1, 1), value=-torch.inf)
    across = torch.maximum(torch.maximum(edged[:, :, :-2], edged[:, :, 1:-1]), edged[:, :, 2:])
    summit = torch.maximum(torch.maximum(across[:, :-2], across[:, 1:-1]), across[:, 2:])
    peaks = torch.where(heat == summit, heat, -torch.inf).flatten(1)
    logits, cells = peaks.topk(num_select, dim=1)
    return logits, cells


def _read(maps: Tensor, cells: Tensor) -> Tensor:
    """(B, K, C) values of maps (B, C, H, W) at cells (B, K)."""
    index = cells[:, None, :].expand(-1, maps.shape[1], -1)
    return maps.flatten(2).gather(2, index).transpose(1, 2).double()


def to_pixels(detections: Detections, center: Tensor, size: Tensor, cells: int) -> Detections:
    """The detections in pixels of the stored images.

    Args:
        detections: (B, K) detections in cells of the maps.
        center: (B, 2) pixel in the middle of the network's input.
        size: (B,) side in pixels of the square that the input covers.
        cells: Side of the maps in cells.
    """
    pixel = (size / cells)[:, None, None]
    shift = (center - size[:, None] / 2.0)[:, None]
    return Detections(
        detections.scores,
        detections.boxes * pixel + shift.repeat(1, 1, 2),
        detections.centers * pixel + shift,
        detections.points * pixel[..., None] + shift[:, :, None],
        detections.scale,
    )
