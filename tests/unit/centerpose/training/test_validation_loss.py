"""The loss that a validation reports, against one image at a time."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from automl.centerpose.batches.batch import Batch, to_input
from automl.centerpose.batches.loader import Loader, make_loader, read_split
from automl.centerpose.batches.sharding import Shard
from automl.centerpose.config.dataset import Dataset
from automl.centerpose.config.load import load_spec
from automl.centerpose.models.build import build_network
from automl.centerpose.program.train import train
from automl.centerpose.session.checkpoints import latest_in, load_weights, read_checkpoint
from automl.centerpose.session.interrupt import Interrupt
from automl.centerpose.session.run import Run
from automl.centerpose.session.status import StatusLog
from automl.centerpose.training.losses import LossWeights, centerpose_loss
from automl.centerpose.training.scoring import ImageLosses, ValidationLoss

CPU = torch.device("cpu")
PUBLISHED = {"hm": 1.0, "hm_hp": 1.0, "wh": 0.1, "offset": 1.0, "hps": 1.0, "hp_offset": 1.0}


def loader_of(data: Path, batch: int, shard: Shard) -> Loader:
    settings = Dataset(batch_size=1, input_res=128, output_res=32)
    split = read_split(str(data / "val"), "dataset.val_data", settings, 1)
    return make_loader(split, batch, 1, device=CPU, shard=shard)


def loss_of(network: nn.Module, batches: list[Batch]) -> ValidationLoss:
    found = ValidationLoss()
    with torch.inference_mode():
        for batch in batches:
            found.add(network(to_input(batch)), batch)
    return found


def slow_mean(network: nn.Module, data: Path) -> float:
    """The mean over images, each alone, with every weight written out."""
    weights = LossWeights(**PUBLISHED, scale=1.0)
    losses = []
    for batch in loader_of(data, 1, Shard()).scoring(targets=True):
        with torch.no_grad():
            outputs: dict[str, Tensor] = network(to_input(batch))
            losses.append(centerpose_loss(outputs, batch.targets, weights).item())
    return sum(losses) / len(losses)


@pytest.fixture
def network(spec_tree: dict[str, Any]) -> nn.Module:
    torch.manual_seed(3)
    return build_network(load_spec(spec_tree, "train").model).eval()


def test_it_is_the_mean_over_images_whatever_the_batches(
    network: nn.Module, small_data: Path
) -> None:
    wanted = slow_mean(network, small_data)
    for batch in (1, 2, 5):  # of five images: the last batch of two holds one
        batches = list(loader_of(small_data, batch, Shard()).scoring(targets=True))
        assert loss_of(network, batches).mean() == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("world", [2, 7])
def test_every_process_gets_the_mean_of_one(
    network: nn.Module, small_data: Path, world: int
) -> None:
    """Seven share five images: some have none."""
    parts = [
        loss_of(network, list(loader_of(small_data, 2, Shard(rank, world)).scoring(targets=True)))
        for rank in range(world)
    ]
    held: ImageLosses = [loss for part in reversed(parts) for loss in part.losses()]
    assert sorted(index for index, _ in held) == list(range(5))
    means = {part.mean(lambda _: held) for part in parts}
    assert list(means) == [pytest.approx(slow_mean(network, small_data), rel=1e-5)]


def reported(spec_tree: dict[str, Any], folder: Path) -> list[dict[str, str]]:
    run = Run(folder, StatusLog(folder), Interrupt(), lambda _: None)
    train(load_spec(spec_tree, "train"), run)
    lines = map(json.loads, (folder / "status.json").read_text().splitlines())
    return [line["kpi"] for line in lines if "val_loss" in line.get("kpi", {})]


@pytest.mark.parametrize(
    "weighed", [{}, {"wh_weight": 3.0, "hm_hp_weight": 2, "mse_loss": True, "obj_scale": False}]
)
def test_a_training_reports_it_by_the_default_weights(
    spec_tree: dict[str, Any], small_data: Path, tmp_path: Path, weighed: dict[str, Any]
) -> None:
    spec_tree["train"] |= {"loss_config": weighed}
    kpis = reported(spec_tree, tmp_path / "run")
    assert len(kpis) == 2
    path = latest_in(tmp_path / "run")
    assert path is not None
    network = build_network(load_spec(spec_tree, "train").model)
    load_weights(network, read_checkpoint(path), path)
    wanted = slow_mean(network.eval(), small_data)
    assert float(kpis[-1]["val_loss"]) == pytest.approx(wanted, rel=1e-5)
    assert 0.0 < float(kpis[-1]["val_candidate_accuracy"]) < 1.0
    assert all(math.isfinite(float(value)) for kpi in kpis for value in kpi.values())


def test_augmentation_does_not_change_what_is_measured(
    network: nn.Module, small_data: Path
) -> None:
    settings = Dataset(batch_size=1, input_res=128, output_res=32, flip=1.0)
    split = read_split(str(small_data / "val"), "dataset.val_data", settings, 1)
    batches = list(make_loader(split, 5, 1, device=CPU).scoring(targets=True))
    found = loss_of(network, batches).mean()
    assert found == pytest.approx(slow_mean(network, small_data), rel=1e-5)
