"""The CenterPose loss: focal on two kinds of heatmaps, masked L1 on five regressions.

Every term is computed per image i and symmetry row s, so that the row which fits best can be
chosen per image before anything is averaged. All of it is in fp32, whatever the network computes
in: at half precision the clamp of the heatmaps rounds to 1 and its logarithm to infinity.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from automl.centerpose.models.kernels import has_kernels
from automl.centerpose.models.partly_read import PartlyRead
from automl.centerpose.training import focal_cpu

__all__ = [
    "LossForm",
    "LossWeights",
    "centerpose_loss",
    "focal",
    "image_losses",
    "masked_l1",
    "plain_focal",
    "squared",
]

_CLAMP = 1e-4
_REACH = 2  # cells from the centre's, to each side, that a dense displacement is learnt in
_REGRESSIONS = (
    # head, target, index, mask, weight
    ("wh", "wh", "ind", "reg_mask", "wh"),
    ("reg", "reg", "ind", "reg_mask", "offset"),
    ("hps", "hps", "ind", "hps_mask", "hps"),
    ("hp_offset", "hp_offset", "hp_ind", "hp_mask", "hp_offset"),
    ("scale", "scale", "ind", "reg_mask", "scale"),
)


@dataclass(frozen=True, slots=True)
class LossWeights:
    """The weight of each term; 0 leaves the term out.

    Attributes:
        hm: Centre heatmap.
        hm_hp: Corner heatmaps.
        wh: 2D box.
        offset: Centre's position within its cell.
        hps: Corner displacements.
        hp_offset: Corners' positions within their cells.
        scale: Edge lengths of the 3D box.
    """

    hm: float = 1.0
    hm_hp: float = 1.0
    wh: float = 0.1
    offset: float = 1.0
    hps: float = 1.0
    hp_offset: float = 1.0
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class LossForm:
    """Which formula a term takes, where there is a choice.

    Attributes:
        squared: Squared errors on the heatmaps instead of the focal loss.
        dense: Corner displacements are learnt around the centre's cell too.
    """

    squared: bool = False
    dense: bool = False


_ORDINARY = LossForm()


def centerpose_loss(
    outputs: Mapping[str, Tensor],
    targets: Mapping[str, Tensor],
    weights: LossWeights,
    form: LossForm = _ORDINARY,
) -> Tensor:
    """The batch's loss, a scalar: the mean of ``image_losses``, whose arguments these are."""
    return image_losses(outputs, targets, weights, form).mean()


def image_losses(
    outputs: Mapping[str, Tensor],
    targets: Mapping[str, Tensor],
    weights: LossWeights,
    form: LossForm = _ORDINARY,
) -> Tensor:
    """(B,): the loss of each image, that of its best symmetry row.

    Args:
        outputs: Head maps (B, C, G, G) of any floating type; heatmaps as logits.
        targets: The maps of ``targets.draw_targets``, stacked over B images.
        weights: How the terms add up.
        form: Which formulas they take.
    """
    heatmap = squared if form.squared else focal
    total = torch.zeros(targets["ind"].shape[:2], device=targets["ind"].device)  # (B, S)
    for name, weight in (("hm", weights.hm), ("hm_hp", weights.hm_hp)):
        if weight:
            total = total + weight * heatmap(outputs[name].float(), targets[name])
    terms = [term for term in _REGRESSIONS if getattr(weights, term[-1])]
    plain = [term for term in terms if not (form.dense and term[0] == "hps")]
    predicted = _read(outputs, {head: targets[index] for head, _, index, *_ in plain})
    for head, target, _, mask, by in terms:
        if head in predicted:
            error = masked_l1(predicted[head], targets[target], targets[mask])
        else:
            error = _dense_displacements(outputs, targets)
        total = total + getattr(weights, by) * error
    return _best_row(total, targets["ind"])


def focal(logits: Tensor, truth: Tensor) -> Tensor:
    """(B, S): the penalty-reduced focal loss of each image and symmetry row.

    Args:
        logits: (B, C, G, G).
        truth: (B, S, C, G, G) in [0, 1]; exactly 1 at the peaks.
    """
    if has_kernels(logits):
        from automl.centerpose.training import focal_gpu

        return focal_gpu.focal(logits, truth, _CLAMP)
    if logits.device.type == "cpu":
        return focal_cpu.focal(logits, truth, _CLAMP)
    return plain_focal(logits, truth)


def plain_focal(logits: Tensor, truth: Tensor) -> Tensor:
    """What ``focal`` computes, as operators of torch for any device."""
    p = _in_order(logits).sigmoid().clamp(_CLAMP, 1.0 - _CLAMP)
    # What depends on the prediction alone is computed once, not once a symmetry row.
    at_peak = ((1.0 - p) ** 2 * p.log()).unsqueeze(1)  # (B, 1, C, G, G)
    elsewhere = (p**2 * (1.0 - p).log()).unsqueeze(1)
    is_peak = truth.eq(1.0)
    n_peaks = is_peak.sum((2, 3, 4))  # (B, S)
    gain = torch.where(is_peak, at_peak, (1.0 - truth) ** 4 * elsewhere).sum((2, 3, 4))
    return -gain / n_peaks.clamp(min=1)


def _in_order(logits: Tensor) -> Tensor:
    """In the targets' own order: maps of two orders meet cell by cell, slowly, on a GPU."""
    return logits.contiguous()


def squared(logits: Tensor, truth: Tensor) -> Tensor:
    """(B, S): the squared errors of each image and symmetry row, summed and divided by the peaks.

    Args:
        logits: (B, C, G, G).
        truth: (B, S, C, G, G) in [0, 1]; exactly 1 at the peaks.
    """
    error = (_in_order(logits).sigmoid().unsqueeze(1) - truth).square().sum((2, 3, 4))
    return error / truth.eq(1.0).sum((2, 3, 4)).clamp(min=1)


def _dense_displacements(outputs: Mapping[str, Tensor], targets: Mapping[str, Tensor]) -> Tensor:
    """(B, S): the mean absolute error of the displacements in the cells about each centre.

    A cell counts as much as the centre's blob is high there: 1 at the centre, nothing outside.
    Seen from the cell (x, y) off the centre's a corner's displacement is smaller by (x, y).

    Args:
        outputs: Head maps, of which ``hps`` is read.
        targets: The maps of ``targets.draw_targets``, stacked over B images.
    """
    index, side = targets["ind"], targets["hm"].shape[-1]  # (B, S, N)
    steps = torch.arange(-_REACH, _REACH + 1, device=index.device)
    y, x = (axis.flatten() for axis in torch.meshgrid(steps, steps, indexing="ij"))  # (K,)
    rows, columns = index[..., None] // side + y, index[..., None] % side + x  # (B, S, N, K)
    inside = (rows >= 0) & (rows < side) & (columns >= 0) & (columns < side)
    cells = (rows.clamp(0, side - 1) * side + columns.clamp(0, side - 1)).flatten(2)
    blob = targets["hm"][:, :, 0].flatten(2).gather(2, cells).view(inside.shape) * inside
    predicted = _read(outputs, {"hps": cells})["hps"].view(*inside.shape, -1)
    truth = targets["hps"].unsqueeze(3) - torch.stack([x, y], 1).repeat(1, predicted.shape[4] // 2)
    mask = targets["hps_mask"].unsqueeze(3) * blob.unsqueeze(4)  # (B, S, N, K, 16)
    error = ((predicted - truth).abs() * mask).sum((2, 3, 4))
    return error / (mask.sum((2, 3, 4)) + 1e-4)


def _read(outputs: Mapping[str, Tensor], places: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """(B, S, N, C) in fp32 by head: the values of head maps at flat cells (B, S, N)."""
    if isinstance(outputs, PartlyRead) and places:
        return outputs.at(places)
    return {head: gather(outputs[head], cells) for head, cells in places.items()}


def gather(maps: Tensor, index: Tensor) -> Tensor:
    """(B, S, N, C) in fp32: the values of (B, C, G, G) maps at flat cells (B, S, N)."""
    rows = index.flatten(1).unsqueeze(2).expand(-1, -1, maps.shape[1])  # (B, S*N, C)
    cells = maps.permute(0, 2, 3, 1).flatten(1, 2)  # (B, G*G, C), no copy in either layout
    return cells.gather(1, rows).float().reshape(*index.shape, maps.shape[1])


def masked_l1(predicted: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """(B, S): the mean absolute error over the elements that ``mask`` lets through.

    Args:
        predicted: (B, S, N, C).
        truth: (B, S, N, C).
        mask: (B, S, N), or (B, S, N, C) where elements are masked one by one.
    """
    if mask.dim() < truth.dim():
        mask = mask.unsqueeze(-1)
    mask = mask.expand_as(truth).to(truth.dtype)
    error = ((predicted - truth).abs() * mask).sum((2, 3))
    return error / (mask.sum((2, 3)) + 1e-4)


def _best_row(total: Tensor, index: Tensor) -> Tensor:
    """(B,): the smallest total over the rows that hold an object; row 0 of an empty image."""
    filled = index.sum(2) > 0  # (B, S)
    filled[:, 0] |= ~filled.any(1)
    return total.masked_fill(~filled, torch.inf).amin(1)
