"""The penalty-reduced focal loss on a GPU: two passes over the heatmaps instead of thirty."""

from typing import Any

import torch
from torch import Tensor

from automl.centerpose.training import focal_passes_gpu as passes

__all__ = ["focal"]

_TILE, _PROGRAMS = 1024, 1056


class _Focal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, truth: Tensor, least: float) -> Tensor:
        b, rows = truth.shape[:2]
        n_cells = logits.numel() // b
        n_parts = max(1, min(-(-n_cells // _TILE), _PROGRAMS // (b * rows)))
        sums = torch.empty(b, rows, n_parts, 2, device=logits.device)
        passes.focal_sums[(b * rows * n_parts,)](
            logits, truth, sums, n_cells, rows, n_parts, least, tile=_TILE
        )
        gain, n_peaks = sums.sum(2).unbind(2)
        n_peaks = n_peaks.clamp(min=1.0)
        ctx.save_for_backward(logits, truth, n_peaks)
        ctx.least = least
        return -gain / n_peaks

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        logits, truth, n_peaks = ctx.saved_tensors
        b, rows = truth.shape[:2]
        n_cells, of_logits = logits.numel() // b, torch.empty_like(logits)
        n_parts = -(-n_cells // _TILE)
        passes.focal_grad[(b * n_parts,)](
            logits, truth, (-grad / n_peaks).contiguous(), of_logits, n_cells, rows, n_parts,
            ctx.least, tile=_TILE,
        )  # fmt: skip
        return of_logits, None, None


def focal(logits: Tensor, truth: Tensor, least: float) -> Tensor:
    """(B, S): what ``losses.focal`` computes.

    Args:
        logits: (B, C, G, G) fp32.
        truth: (B, S, C, G, G) fp32.
        least: Probabilities are kept so far from 0 and 1.
    """
    found: Tensor = _Focal.apply(logits.contiguous(), truth.contiguous(), least)  # type: ignore[no-untyped-call]
    return found
