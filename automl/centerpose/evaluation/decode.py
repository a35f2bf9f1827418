"""From head maps to detections in pixels.

A detection is a local maximum of the centre map. Everything else about it is read from the other
maps at that cell. Cells are counted from the map's top left; the network's input is a square of
the image, so one scale and one shift lead back to pixels.
"""

from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own documentation calls it F

from automl.centerpose.evaluation.detections import Detections
from automl.data.geometry import Array

__all__ = ["decode", "soft_nms", "to_pixels"]

_HEADS = ("hm", "hps", "wh", "reg", "scale")
_SIGMA = 0.5  # of the Gaussian that soft-NMS lowers scores by


def decode(outputs: Mapping[str, torch.Tensor], num_select: int) -> list[Detections]:
    """The strongest peaks of each image of a batch, in cells of the maps, best first.

    Args:
        outputs: Head maps before any sigmoid, on any device and in any floating type: ``hm``
            (B, 1, H, W), ``hps`` (B, 16, H, W), ``wh`` and ``reg`` (B, 2, H, W), ``scale``
            (B, 3, H, W). Further heads are ignored.
        num_select: Peaks per image, at most the number of cells.

    Returns:
        One entry per image with ``num_select`` detections each; scores of cells that are no peak
        are 0.

    Raises:
        ValueError: A head is missing.
    """
    missing = [name for name in _HEADS if name not in outputs]
    if missing:
        raise ValueError(f"decoding needs the heads {', '.join(_HEADS)}; missing: {missing}")
    with torch.no_grad():
        values = _peaks(outputs, num_select)
    # One transfer for the whole batch: a copy per head would wait for the device each time.
    return [_detections(rows) for rows in values.cpu().double().numpy()]


def _peaks(outputs: Mapping[str, torch.Tensor], num_select: int) -> torch.Tensor:
    """(B, K, 26): score, column, row, then hps, wh, reg and scale at each peak."""
    # The sigmoid is monotone, so peaks are found before it, where no two logits have saturated.
    heat = outputs["hm"].float()
    summit = F.max_pool2d(heat, kernel_size=3, stride=1, padding=1)
    heat = torch.where(heat == summit, heat, torch.full_like(heat, -torch.inf))
    width = heat.shape[-1]
    logits, cells = heat.flatten(1).topk(num_select, dim=1)
    columns, rows = cells % width, cells // width
    read = [torch.stack([logits.sigmoid(), columns.float(), rows.float()], dim=2)]
    for name in _HEADS[1:]:
        values = outputs[name].flatten(2)
        index = cells[:, None, :].expand(-1, values.shape[1], -1)
        read.append(values.gather(2, index).transpose(1, 2).float())
    return torch.cat(read, dim=2)


def _detections(rows: Array) -> Detections:
    """The detections of one image from its (K, 26) rows of ``_peaks``."""
    peaks = rows[:, 1:3]
    points = rows[:, 3:19].reshape(-1, 8, 2) + peaks[:, None, :]
    half, centers, scale = rows[:, 19:21] / 2.0, rows[:, 21:23] + peaks, rows[:, 23:26]
    boxes = np.concatenate([centers - half, centers + half], axis=1)
    return Detections(rows[:, 0], boxes, centers, points, scale)


def to_pixels(found: Detections, center: Array, size: float, cells: int) -> Detections:
    """The detections in pixels of the stored image.

    Args:
        found: Detections in cells of the maps.
        center: (2,) pixel in the middle of the network's input.
        size: Side in pixels of the square that the input covers.
        cells: Side of the maps in cells.
    """
    pixel = size / cells
    shift = np.asarray(center, dtype=np.float64) - size / 2.0
    return Detections(
        found.scores,
        found.boxes * pixel + np.tile(shift, 2),
        found.centers * pixel + shift,
        found.points * pixel + shift,
        found.scale,
    )


def soft_nms(found: Detections, threshold: float) -> Detections:
    """The detections left after each has lowered the scores of those that it overlaps.

    Gaussian soft-NMS: the best detection is taken, the scores of all others are multiplied by
    ``exp(-iou^2 / 0.5)``, those that fall below ``threshold`` are dropped, and so on with the
    rest. Boxes count their border pixels: a box from 3 to 5 is three pixels wide.

    Args:
        found: Detections in pixels.
        threshold: Scores below it are dropped, in [0, 1].

    Returns:
        What is left, best first, with the lowered scores.
    """
    scores = found.scores.copy()
    rest = np.flatnonzero(scores >= threshold)
    taken: list[int] = []
    while len(rest):
        # A stable order among equal scores: the first one wins.
        best = int(rest[np.argmax(scores[rest])])
        taken.append(best)
        rest = rest[rest != best]
        overlap = _overlaps(found.boxes[best], found.boxes[rest])
        scores[rest] *= np.exp(-(overlap**2) / _SIGMA)
        rest = rest[scores[rest] >= threshold]
    order = np.array(taken, dtype=np.intp)
    left = found.take(order)
    return Detections(scores[order], left.boxes, left.centers, left.points, left.scale)


def _overlaps(box: Array, others: Array) -> Array:
    """(N,) 2D intersection over union of one box (4,) with others (N, 4), borders included."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]) + 1.0
    common = np.where((sides > 0.0).all(axis=1), sides[:, 0] * sides[:, 1], 0.0)
    area = np.prod(box[2:] - box[:2] + 1.0)
    areas = np.prod(others[:, 2:] - others[:, :2] + 1.0, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.nan_to_num(common / (area + areas - common)))
