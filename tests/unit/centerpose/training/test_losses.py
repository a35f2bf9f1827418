"""The loss, against computations one cell at a time."""

import math

import pytest
import torch
from torch import Tensor

from automl.centerpose.models.heads import HEADS
from automl.centerpose.training.losses import (
    LossForm,
    LossWeights,
    centerpose_loss,
    focal,
    gather,
    masked_l1,
    plain_focal,
    squared,
)


def slow_focal(logits: Tensor, truth: Tensor) -> float:
    gain, peaks = 0.0, 0
    for x, g in zip(logits.flatten().tolist(), truth.flatten().tolist(), strict=True):
        p = min(max(1 / (1 + math.exp(-x)), 1e-4), 1 - 1e-4)
        if g == 1.0:
            gain += (1 - p) ** 2 * math.log(p)
            peaks += 1
        else:
            gain += (1 - g) ** 4 * p**2 * math.log(1 - p)
    return -gain / max(1, peaks)


def test_focal_agrees_with_the_formula_per_image_and_row() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 3, 4, 4) * 3
    truth = torch.rand(2, 2, 3, 4, 4)
    truth[0, 0, 1, 2, 2] = truth[0, 0, 2, 0, 0] = truth[1, 1, 0, 3, 3] = 1.0
    found = focal(logits, truth)
    for i in range(2):
        for s in range(2):
            assert found[i, s].item() == pytest.approx(
                slow_focal(logits[i], truth[i, s]), rel=1e-4
            )


def test_focal_of_a_confident_half_precision_logit_is_finite() -> None:
    logits = torch.full((1, 1, 2, 2), 12.0, dtype=torch.float16).float().requires_grad_()
    loss = focal(logits, torch.zeros(1, 1, 1, 2, 2)).sum()
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.isfinite()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_squared_errors_are_divided_by_the_peaks() -> None:
    logits = torch.zeros(1, 1, 2, 2)
    truth = torch.tensor([[[[[1.0, 1.0], [0.5, 0.0]]]]])
    assert squared(logits, truth).tolist() == [[pytest.approx(0.75 / 2)]]
    assert squared(logits, torch.zeros(1, 1, 1, 2, 2)).tolist() == [[pytest.approx(1.0)]]
    # A confident answer of half precision, which the focal loss must clamp.
    assert squared(torch.full((1, 1, 2, 2), 40.0), truth).isfinite().all()


def slow_dense(maps: Tensor, targets: dict[str, Tensor], image: int, row: int) -> float:
    side, error, weight = maps.shape[-1], 0.0, 1e-4
    for n, place in enumerate(targets["ind"][image, row].tolist()):
        for y in range(-2, 3):
            for x in range(-2, 3):
                v, u = place // side + y, place % side + x
                if not (0 <= v < side and 0 <= u < side):
                    continue
                blob = targets["hm"][image, row, 0, v, u].item()
                for c in range(16):
                    truth = targets["hps"][image, row, n, c].item() - (y if c % 2 else x)
                    counts = blob * targets["hps_mask"][image, row, n, c].item()
                    error += counts * abs(maps[image, c, v, u].item() - truth)
                    weight += counts
    return error / weight


def test_dense_displacements_agree_with_the_formula() -> None:
    torch.manual_seed(1)
    maps = torch.randn(2, 16, 6, 6)
    targets = {
        "ind": torch.tensor([[[0, 14], [35, 0]], [[8, 9], [21, 0]]]),  # corners and neighbours
        "hm": torch.rand(2, 2, 1, 6, 6),
        "hps": 3 * torch.randn(2, 2, 2, 16),
        "hps_mask": (torch.rand(2, 2, 2, 16) > 0.3).float(),
    }
    only = LossWeights(hm=0, hm_hp=0, wh=0, offset=0, hps=2.0, hp_offset=0, scale=0)
    found = centerpose_loss({"hps": maps}, targets, only, LossForm(dense=True))
    best = [min(slow_dense(maps, targets, i, s) for s in range(2)) for i in range(2)]
    assert found.item() == pytest.approx(2.0 * sum(best) / 2, rel=1e-4)


def test_gather_reads_x_before_y() -> None:
    maps = torch.arange(2 * 4 * 4).view(1, 2, 4, 4)
    index = torch.tensor([[[1 * 4 + 3, 0]]])
    assert gather(maps, index).tolist() == [[[[7.0, 23.0], [0.0, 16.0]]]]


def test_masked_l1_counts_what_the_mask_lets_through() -> None:
    found = torch.zeros(1, 1, 3, 2)
    truth = torch.tensor([[[[1.0, 3.0], [5.0, 5.0], [9.0, 9.0]]]])
    whole = masked_l1(found, truth, torch.tensor([[[1, 0, 0]]]))
    assert whole.item() == pytest.approx(4.0 / 2.0, rel=1e-3)
    single = masked_l1(found, truth, torch.tensor([[[[1, 0], [0, 1], [0, 0]]]]))
    assert single.item() == pytest.approx(6.0 / 2.0, rel=1e-3)
    nothing = masked_l1(found, truth, torch.zeros(1, 1, 3))
    assert nothing.item() == 0.0


def blank(batch: int, rows: int, n: int = 2, cells: int = 4) -> dict[str, Tensor]:
    return {
        "hm": torch.zeros(batch, rows, 1, cells, cells),
        "hm_hp": torch.zeros(batch, rows, 8, cells, cells),
        "ind": torch.zeros(batch, rows, n, dtype=torch.int64),
        "reg": torch.zeros(batch, rows, n, 2),
        "wh": torch.zeros(batch, rows, n, 2),
        "scale": torch.zeros(batch, rows, n, 3),
        "reg_mask": torch.zeros(batch, rows, n, dtype=torch.uint8),
        "hps": torch.zeros(batch, rows, n, 16),
        "hps_mask": torch.zeros(batch, rows, n, 16, dtype=torch.uint8),
        "hp_ind": torch.zeros(batch, rows, 8 * n, dtype=torch.int64),
        "hp_offset": torch.zeros(batch, rows, 8 * n, 2),
        "hp_mask": torch.zeros(batch, rows, 8 * n, dtype=torch.uint8),
    }


def outputs(batch: int, cells: int = 4) -> dict[str, Tensor]:
    return {head: torch.zeros(batch, count, cells, cells) for head, count in HEADS.items()}


ONLY_SCALE = LossWeights(hm=0, hm_hp=0, wh=0, offset=0, hps=0, hp_offset=0, scale=1)


def test_each_image_takes_its_own_best_row_and_rows_without_objects_do_not_count() -> None:
    targets = blank(batch=2, rows=3)
    for i, s, value in ((0, 0, 5.0), (0, 1, 2.0), (1, 0, 1.0), (1, 1, 4.0)):
        targets["ind"][i, s, 0] = 5
        targets["reg_mask"][i, s, 0] = 1
        targets["scale"][i, s, 0] = value
    found = centerpose_loss(outputs(2), targets, ONLY_SCALE)
    assert found.item() == pytest.approx((2.0 + 1.0) / 2, rel=1e-3)


def test_an_image_without_objects_counts_with_its_heatmaps() -> None:
    found = centerpose_loss(outputs(1), blank(batch=1, rows=2), LossWeights(hm_hp=0))
    assert found.item() == pytest.approx(16 * 0.25 * math.log(2.0), rel=1e-4)


@pytest.mark.parametrize("term", ["hm", "hm_hp", "wh", "offset", "hps", "hp_offset", "scale"])
def test_a_term_of_weight_zero_leaves_no_trace(term: str) -> None:
    torch.manual_seed(2)
    targets = blank(batch=1, rows=1)
    targets["ind"][0, 0, 0] = 5
    for name in ("reg_mask", "hps_mask", "hp_mask"):
        targets[name][0, 0, 0] = 1
    for name in ("reg", "wh", "scale", "hps", "hp_offset"):
        targets[name] += 1.5
    maps = {head: value.clone().requires_grad_() for head, value in outputs(1).items()}
    weights = LossWeights(**{term: 0.0})
    centerpose_loss(maps, targets, weights).backward()  # type: ignore[no-untyped-call]
    head = {"offset": "reg"}.get(term, term)
    untouched = [name for name, value in maps.items() if value.grad is None]
    assert untouched == [head]


GPU = pytest.param(
    "cuda",
    marks=[
        pytest.mark.gpu,
        pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
    ],
)


@pytest.mark.parametrize("device", ["cpu", GPU])
@pytest.mark.parametrize("rows", [1, 3])
def test_the_focal_loss_in_fewer_passes_is_the_plain_one(device: str, rows: int) -> None:
    torch.manual_seed(0)
    both = 4.0 * torch.randn(3, 9, 20, 28)
    both[0, 1, 0, :4] = torch.tensor([20.0, -20.0, 0.0, 9.3])  # beyond the clamp too
    truth = torch.rand(3, rows, 8, 20, 28) ** 4
    truth[truth > 0.9] = 1.0
    truth[2, :, 3, 5, 6:8] = 1.0
    truth[0, 0] = 0.0  # no peak
    both[2, 4, 5, 6:8] = torch.tensor([20.0, -20.0])  # peaks beyond the clamp
    by = torch.randn(3, rows)
    here = both.to(device).requires_grad_()
    exact = both.double().requires_grad_()
    found = focal(here[:, 1:], truth.to(device))
    wanted = plain_focal(exact[:, 1:], truth.double())
    (of_found,) = torch.autograd.grad(found, here, by.to(device))
    (of_wanted,) = torch.autograd.grad(wanted, exact, by.double())
    torch.testing.assert_close(
        found.detach().cpu().double(), wanted.detach(), rtol=1e-4, atol=1e-4
    )
    torch.testing.assert_close(of_found.cpu().double(), of_wanted, rtol=1e-4, atol=1e-5)


def test_the_focal_loss_may_be_asked_for_its_gradient_again() -> None:
    logits = torch.linspace(-3.0, 3.0, 16).view(1, 1, 4, 4).requires_grad_()
    truth = torch.zeros(1, 1, 1, 4, 4)
    truth[0, 0, 0, 1, 2] = 1.0
    loss = focal(logits, truth).sum()
    (one,) = torch.autograd.grad(loss, logits, retain_graph=True)
    (two,) = torch.autograd.grad(loss, logits)
    assert torch.equal(one, two)
    with torch.inference_mode():
        assert focal(logits, truth).sum().item() == loss.item()
