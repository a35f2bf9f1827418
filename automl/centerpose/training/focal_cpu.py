"""The penalty-reduced focal loss on a CPU: its gradient is found on the way, in place.

As operators of autograd the same takes five times as long. Masks and choices between two values
are what torch's CPU operators are slow at, so there are none: a peak's own penalty is zero in the
formula of all other cells, and peaks, which are few, are looked up and treated by themselves.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["focal"]


class _FocalOnCpu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, truth: Tensor, least: float) -> Tensor:
        b, rows = truth.shape[:2]
        free = logits.sigmoid().flatten(1)  # (B, N)
        p = free.clamp(least, 1.0 - least)
        rest = 1.0 - p
        log_rest, square = rest.log(), p * p
        away = (1.0 - truth.flatten(2)).square_().square_()  # (B, S, N), 0 at the peaks
        gain = (away * (square * log_rest).unsqueeze(1)).sum(2)
        row, cell = _peaks(truth)
        n_peaks = gain.new_zeros(b * rows).index_add_(0, row, gain.new_ones(len(row)))
        n_peaks = n_peaks.view(b, rows).clamp(min=1.0)
        image = row // rows
        at_peak, slope_at_peak = _of_peaks(p[image, cell], free[image, cell], least)
        gain.view(-1).index_add_(0, row, at_peak)
        if ctx.needs_input_grad[0]:
            slope = rest.mul_(log_rest).mul_(2.0).sub_(p).mul_(square)
            slope = _where_free(slope, free, least)
            ctx.save_for_backward(slope, away, n_peaks, slope_at_peak, row, cell)
            ctx.shape = logits.shape
        return -gain / n_peaks

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        slope, away, n_peaks, slope_at_peak, row, cell = ctx.saved_tensors
        _, rows, n_cells = away.shape
        by = -grad / n_peaks  # (B, S)
        found = away[:, 0] * by[:, :1]
        for other in range(1, rows):
            found.addcmul_(away[:, other], by[:, other : other + 1])
        found.mul_(slope)
        place = row // rows * n_cells + cell
        found.view(-1).index_add_(0, place, slope_at_peak * by.flatten()[row])
        return found.view(ctx.shape), None, None


def _peaks(truth: Tensor) -> tuple[Tensor, Tensor]:
    """(K,) twice: in which of all rows, and in which of a row's cells, the truth is exactly 1."""
    b, rows = truth.shape[:2]
    flat = np.flatnonzero(truth.detach().numpy() == 1.0)  # torch's own takes ten times as long
    row, cell = np.divmod(flat, truth.numel() // (b * rows))
    return torch.from_numpy(row), torch.from_numpy(cell)


def _of_peaks(p: Tensor, free: Tensor, least: float) -> tuple[Tensor, Tensor]:
    """(K,) twice: what peaks gain, and its slope by the logit."""
    rest, log_p = 1.0 - p, p.log()
    gain = rest * rest * log_p
    return gain, _where_free(rest * rest * rest - 2.0 * p * rest * rest * log_p, free, least)


def _where_free(slope: Tensor, free: Tensor, least: float) -> Tensor:
    """The slope where the probability is not held at a bound, else 0."""
    found: Tensor = torch.ops.aten.hardtanh_backward(slope, free, least, 1.0 - least)
    return found


def focal(logits: Tensor, truth: Tensor, least: float) -> Tensor:
    """(B, S): what ``losses.focal`` computes.

    Args:
        logits: (B, C, G, G).
        truth: (B, S, C, G, G).
        least: Probabilities are kept so far from 0 and 1.
    """
    found: Tensor = _FocalOnCpu.apply(logits, truth.contiguous(), least)  # type: ignore[no-untyped-call]
    return found
