"""The data path on a GPU, against the same code on the CPU."""

from pathlib import Path

import pytest
import torch

from automl.centerpose.batches.assemble import DeviceBatchMaker
from automl.centerpose.batches.loader import Loader, make_loader, read_split, to_input
from automl.centerpose.config.dataset import Dataset
from tests.unit.centerpose.waiting import no_waiting

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

SETTINGS = Dataset(batch_size=4, input_res=128, output_res=32, category="chair")


@pytest.mark.parametrize("fits", [True, False])
def test_a_gpu_makes_the_batches_of_the_cpu(
    small_data: Path, fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("automl.centerpose.batches.images.fits_on", lambda *_, **__: fits)
    root, cuda = str(small_data / "train"), torch.device("cuda", 0)
    split = read_split(root, "dataset.train_data", SETTINGS, 1)
    loader = make_loader(split, 4, 2, device=cuda)
    assert (split.stored.frames.resident is not None) == fits
    other = read_split(root, "dataset.train_data", SETTINGS, 1)
    slow = Loader(other, 4, 1, preparing=DeviceBatchMaker(other, torch.device("cpu")))
    for epoch in (0, 1):
        for wanted, found in zip(slow.training(3, epoch), loader.training(3, epoch), strict=True):
            assert found.images.device == cuda
            for name, value in wanted.targets.items():
                assert torch.equal(found.targets[name].cpu(), value), name
            torch.testing.assert_close(
                to_input(found).cpu(), to_input(wanted), rtol=1e-4, atol=1e-3
            )


def test_nothing_waits_for_the_gpu(small_data: Path) -> None:
    """Once the images lie there, an epoch is launched without a synchronisation."""
    split = read_split(str(small_data / "train"), "dataset.train_data", SETTINGS, 1)
    loader = make_loader(split, 4, 2, device=torch.device("cuda", 0))
    list(loader.training(0, 0))
    with no_waiting():
        assert len(list(loader.training(0, 1))) == 3


def test_scoring_on_a_gpu_and_then_training_share_the_store(small_data: Path) -> None:
    split = read_split(str(small_data / "train"), "dataset.train_data", SETTINGS, 1)
    loader = make_loader(split, 4, 2, device=torch.device("cuda", 0))
    with torch.inference_mode():
        assert sum(len(batch.metas) for batch in loader.scoring()) == 12
    assert sum(len(batch.images) for batch in loader.training(0, 0)) == 12
