"""Augmented inputs and targets have the moments of the slow, independent computation."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from automl.centerpose.batches.assemble import DeviceBatchMaker
from automl.centerpose.batches.images import DeviceImages
from automl.centerpose.batches.loader import Loader, Split, read_split, to_input
from automl.centerpose.config.dataset import Dataset
from tests.unit.centerpose.batches.slow_data import (
    slow_colour,
    slow_cut,
    slow_draw,
    slow_noise,
    slow_targets,
)

SETTINGS = Dataset(batch_size=12, input_res=16, output_res=32)
SLOW_VIEWS, FAST_EPOCHS = 360, 90
_LEAST_ERROR = 1e-9

Table = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """One image as a network would get it."""

    pixels: npt.NDArray[Any]  # (3, R, R)
    targets: dict[str, npt.NDArray[Any]]

    def moments(self) -> list[float]:
        """Numbers whose averages over many samples are to agree."""
        t, pixels = self.targets, self.pixels
        there = t["reg_mask"].astype(bool)
        return [
            *pixels.mean((1, 2)),
            *pixels.std((1, 2)),
            *(pixels**3).mean((1, 2)),
            (pixels[0] * pixels[2]).mean(),
            (pixels[:, :, 1:] * pixels[:, :, :-1]).mean(),
            *(t["hm"].sum() / cell for cell in (1.0, 10.0)),
            (t["hm"] ** 2).sum(),
            *t["hm_hp"].sum((0, 2, 3)),
            (t["hm_hp"] == 1.0).sum(),
            there.sum(),
            t["hps_mask"].sum(),
            t["hp_mask"].sum(),
            *(t["reg"].sum((0, 1))),
            *(t["wh"].sum((0, 1))),
            *(t["scale"].sum((0, 1))),
            *(t["hps"].sum((0, 1))),
            *((t["hps"] ** 2).sum((0, 1))),
            *(t["hp_offset"].sum((0, 1))),
            (t["ind"] % 32).sum(),
            (t["ind"] // 32).sum(),
        ]


@pytest.fixture(scope="module")
def split(small_data: Path) -> Split:
    return read_split(str(small_data / "train"), "dataset.train_data", SETTINGS, 1)


@pytest.fixture(scope="module")
def slow(split: Split) -> Table:
    rng = np.random.default_rng(11)
    rows = []
    for k in range(SLOW_VIEWS):
        index = k % len(split)
        image, scene = split.stored.frames.pixels(index), split.annotations[index]
        view = slow_draw(rng, scene.width, scene.height, SETTINGS)
        cut = slow_cut(image, view, SETTINGS.input_res)
        pixels = slow_colour(cut, slow_noise(rng, SETTINGS), SETTINGS).transpose(2, 0, 1)
        rows.append(Sample(pixels, slow_targets(scene, view, SETTINGS)).moments())
    return np.array(rows)


def loader(split: Split, kind: str) -> Loader:
    if kind == "host":
        return Loader(split, 12, 1)
    cpu = torch.device("cpu")
    split.stored.frames.resident = DeviceImages(split.stored.frames.sizes, cpu)
    return Loader(split, 12, 1, preparing=DeviceBatchMaker(split, cpu))


@pytest.mark.parametrize("kind", ["host", "device"])
def test_moments_of_inputs_and_targets_agree(split: Split, slow: Table, kind: str) -> None:
    rows = []
    for epoch in range(FAST_EPOCHS):
        (batch,) = loader(split, kind).training(seed=1, epoch=epoch)
        inputs = to_input(batch).numpy()
        for k in range(len(inputs)):
            targets = {name: value[k].numpy() for name, value in batch.targets.items()}
            rows.append(Sample(inputs[k], targets).moments())
    fast = np.array(rows)
    # Both see each image equally often, so that images add nothing to the difference.
    error = np.sqrt(slow.var(0) / len(slow) + fast.var(0) / len(fast)) + _LEAST_ERROR
    score = (fast.mean(0) - slow.mean(0)) / error
    assert np.abs(score).max() < 4.5, score.round(1)
    spread = fast.std(0) / np.maximum(slow.std(0), _LEAST_ERROR)
    assert np.all((slow.std(0) < 1e-6) | ((spread > 0.75) & (spread < 1.33))), spread.round(2)
