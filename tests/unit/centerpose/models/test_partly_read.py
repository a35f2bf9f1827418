"""Head maps read in a few cells, against the same maps read whole."""

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from automl.centerpose.models.heads import HEADS  # noqa: E402
from automl.centerpose.models.nano import Nano  # noqa: E402
from automl.centerpose.models.partly_read import PartlyRead  # noqa: E402
from automl.centerpose.training.losses import (  # noqa: E402
    LossForm,
    LossWeights,
    centerpose_loss,
    gather,
)

CELLS = 16


def network() -> Nano:
    torch.manual_seed(0)
    made = Nano()
    made.train()
    for parameter in made.parameters():  # its last layers begin at zero
        parameter.data.add_(0.05 * torch.randn_like(parameter))
    return made


def image(side: int = 4 * CELLS) -> Tensor:
    drawn: Tensor = torch.randn(2, 3, side, side + 32, generator=torch.Generator().manual_seed(1))
    return drawn


def targets(rows: int, n: int) -> dict[str, Tensor]:
    """Random ones; the last object is not there."""
    torch.manual_seed(2)
    there = torch.ones(2, rows, n)
    there[..., -1] = 0.0
    return {
        "hm": torch.rand(2, rows, 1, CELLS, CELLS),
        "hm_hp": torch.rand(2, rows, 8, CELLS, CELLS),
        "ind": torch.randint(CELLS**2, (2, rows, n)),
        "hp_ind": torch.randint(CELLS**2, (2, rows, 8 * n)),
        "reg_mask": there,
        "hps_mask": there.unsqueeze(3).expand(-1, -1, -1, 16),
        "hp_mask": there.repeat(1, 1, 8),
        "hp_offset": torch.rand(2, rows, 8 * n, 2),
        **{head: torch.rand(2, rows, n, HEADS[head]) for head in ("reg", "wh", "hps", "scale")},
    }


def test_a_cell_reads_what_the_whole_map_has_there() -> None:
    maps = network()(image())  # 16 x 24 cells
    assert isinstance(maps, PartlyRead)
    own = torch.tensor([[[0, 23, 24, 383]], [[200, 200, 101, 37]]])
    others = torch.tensor([[[5], [66]], [[7], [380]]])
    found = maps.at({"wh": own, "scale": own, "hp_offset": others})
    for head, cells in (("wh", own), ("scale", own), ("hp_offset", others)):
        torch.testing.assert_close(found[head], gather(maps[head], cells))


def test_it_is_a_mapping_of_all_heads() -> None:
    trained = network()
    maps = trained(image())
    assert list(maps) == list(HEADS)
    assert len(maps) == len(HEADS)
    assert {head: value.shape[1] for head, value in maps.items()} == HEADS
    assert "answer" not in maps
    trained.eval()
    assert type(trained(image())) is dict


@pytest.mark.parametrize("dense", [False, True])
def test_a_training_learns_the_same_from_a_few_cells(dense: bool) -> None:
    losses, gradients = [], []
    for whole in (False, True):
        trained = network()
        maps = trained(torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(3)))
        outputs = {head: maps[head] for head in maps} if whole else maps
        loss = centerpose_loss(outputs, targets(2, 3), LossWeights(), LossForm(dense=dense))
        loss.backward()  # type: ignore[no-untyped-call]
        losses.append(loss.item())
        gradients.append([parameter.grad for parameter in trained.parameters()])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    for few, all_ in zip(*gradients, strict=True):
        torch.testing.assert_close(few, all_, rtol=1e-3, atol=1e-4)


def test_an_answer_in_half_precision_is_read_in_full() -> None:
    trained = network()
    cells = torch.tensor([[[3, 9]], [[4, 0]]])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        maps = trained(image())
        whole = trained(image())["wh"]
    found = maps.at({"wh": cells})["wh"]
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, gather(whole, cells), rtol=0.05, atol=0.5)
