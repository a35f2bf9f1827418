"""The penalty-reduced focal loss and its gradient in one pass each, as Triton kernels.

Heatmaps of an image are a row of cells; an image has a row of truth for each symmetry.
"""

import triton
import triton.language as tl

__all__ = ["focal_grad", "focal_sums"]


@triton.jit
def _probability(logits, place, mask, least):  # type: ignore[no-untyped-def]
    """The probability at some cells, kept within its bounds and as it is."""
    free = tl.sigmoid(tl.load(logits + place, mask=mask, other=0.0))
    return tl.minimum(tl.maximum(free, least), 1.0 - least), free


@triton.jit(do_not_specialize=["n_rows", "n_parts", "least"])
def focal_sums(  # type: ignore[no-untyped-def]
    logits, truth, sums, n_cells, n_rows, n_parts, least, tile: tl.constexpr
):
    """Sums by part of what each row of truth gains, and of its peaks."""
    row, part = tl.program_id(0) // n_parts, tl.program_id(0) % n_parts
    image = (row // n_rows).to(tl.int64)
    gain = tl.zeros((tile,), tl.float32)
    peaks = tl.zeros((tile,), tl.float32)
    for start in range(part * tile, n_cells, n_parts * tile):
        cell = start + tl.arange(0, tile)
        mask = cell < n_cells
        p, _ = _probability(logits, image * n_cells + cell, mask, least)
        target = tl.load(truth + row.to(tl.int64) * n_cells + cell, mask=mask, other=0.0)
        is_peak, away = target == 1.0, (1.0 - target) * (1.0 - target)
        found = tl.where(
            is_peak, (1.0 - p) * (1.0 - p) * tl.log(p), away * away * p * p * tl.log(1.0 - p)
        )
        gain += tl.where(mask, found, 0.0)
        peaks += tl.where(mask & is_peak, 1.0, 0.0)
    tl.store(sums + tl.program_id(0) * 2, tl.sum(gain, 0))
    tl.store(sums + tl.program_id(0) * 2 + 1, tl.sum(peaks, 0))


@triton.jit(do_not_specialize=["n_rows", "n_parts", "least"])
def focal_grad(  # type: ignore[no-untyped-def]
    logits, truth, weights, of_logits, n_cells, n_rows, n_parts, least, tile: tl.constexpr
):
    """Writes the gradient of the logits, with so much weight for each row of truth."""
    image, part = (tl.program_id(0) // n_parts).to(tl.int64), tl.program_id(0) % n_parts
    cell = part * tile + tl.arange(0, tile)
    mask = cell < n_cells
    p, free = _probability(logits, image * n_cells + cell, mask, least)
    rest = 1.0 - p
    at_peak = rest * rest / p - 2.0 * rest * tl.log(p)
    elsewhere = 2.0 * p * tl.log(rest) - p * p / rest
    found = tl.zeros((tile,), tl.float32)
    for row in range(n_rows):
        target = tl.load(truth + (image * n_rows + row) * n_cells + cell, mask=mask, other=0.0)
        away = (1.0 - target) * (1.0 - target)
        by = tl.load(weights + image * n_rows + row)
        found += by * tl.where(target == 1.0, at_peak, away * away * elsewhere)
    moves = (free >= least) & (free <= 1.0 - least)
    found = tl.where(moves, found * free * (1.0 - free), 0.0)
    tl.store(of_logits + image * n_cells + cell, found, mask=mask)
