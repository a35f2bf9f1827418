"""Checkpoints to resume: what one must hold, and that what lacks is named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from automl.centerpose.config.load import load_spec
from automl.centerpose.models.build import build_network
from automl.centerpose.models.dla import DLA34
from automl.centerpose.program.train import train
from automl.centerpose.session.checkpoints import weights_of
from automl.centerpose.session.interrupt import Interrupt
from automl.centerpose.session.run import Run
from automl.centerpose.session.status import StatusLog
from automl.centerpose.session.tao_weights import to_tao
from automl.centerpose.training.resumable import read_resumable
from automl.errors import FixData

Change = Callable[[dict[str, Any]], object]


def whole() -> dict[str, Any]:
    """A checkpoint of ``nano`` after one step, with the optimiser's state of one weight."""
    network = build_network(
        load_spec({"model": {"backbone": {"model_type": "nano"}}}, "train").model
    )
    first = next(network.parameters())
    moments = {name: torch.zeros_like(first) for name in ("exp_avg", "exp_avg_sq")}
    return {
        "epoch": 0,
        "global_step": 1,
        "state_dict": weights_of(network),
        "optimizer_states": [
            {"state": {0: {"step": torch.ones(()), **moments}}, "param_groups": [{"lr": 1e-4}]}
        ],
        "scaler": {},
        "lr_schedulers": [{"lr": 1e-4, "steps": (2, 3), "decay": 0.1}],
        "position": {"epoch": 0, "batch": 1, "step": 1, "loss_sum": 1.0},
        "images_per_step": 2,
        "seed": 3,
        "rng": {"torch": torch.get_rng_state(), "cuda": []},
    }


def saved(folder: Path, change: Change | None = None) -> Path:
    content = whole()
    if change is not None:
        change(content)
    path = folder / "model_epoch_000_step_00001.pth"
    torch.save(content, path)
    return path


def test_what_a_training_writes_is_read(tmp_path: Path) -> None:
    assert read_resumable(saved(tmp_path)).content["seed"] == 3


def of_the_container(epoch: object = 4) -> dict[str, Any]:
    with torch.device("meta"):
        theirs = to_tao(DLA34(32, use_gru=False).state_dict())
    weights = {f"model.{name}": torch.zeros_like(w, device="cpu") for name, w in theirs.items()}
    return {"epoch": epoch, "global_step": 20, "state_dict": weights, "loops": {}}


def test_one_of_the_container_needs_its_epoch_alone(tmp_path: Path) -> None:
    path = tmp_path / "model_epoch_004_step_00020.pth"
    torch.save(of_the_container(), path)
    assert read_resumable(path).is_of_tao
    torch.save(of_the_container(epoch="4"), path)
    with pytest.raises(FixData, match="epoch of another form"):
        read_resumable(path)


@pytest.mark.slow
def test_a_training_goes_on_from_one_of_the_container(
    spec_tree: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "model_epoch_000_step_00020.pth"
    source = DLA34(64, use_gru=True)
    theirs = {f"model.{name}": value for name, value in to_tao(source.state_dict()).items()}
    torch.save({"epoch": 0, "global_step": 20, "state_dict": theirs}, path)
    spec_tree["model"] = {"head_conv": 64, "backbone": {"model_type": "DLA34"}}
    spec_tree["train"]["num_epochs"] = 2
    spec_tree["train"]["resume_training_checkpoint_path"] = str(path)
    said: list[str] = []
    folder = tmp_path / "results"
    train(load_spec(spec_tree, "train"), Run(folder, StatusLog(folder), Interrupt(), said.append))
    written = [each.name for each in folder.glob("model_epoch_*.pth")]
    assert written
    assert all(name.startswith("model_epoch_001_") for name in written)
    assert any("the optimiser begins anew" in line for line in said)


def test_one_of_another_program_is_refused_with_all_that_lacks(tmp_path: Path) -> None:
    """What the container writes holds weights and an epoch, and no place within it."""
    path = tmp_path / "model_epoch_009_step_00090.pth"
    kept = {name: whole()[name] for name in ("epoch", "global_step", "state_dict")}
    torch.save({**kept, "loops": {}, "optimizer_states": [], "lr_schedulers": [{}]}, path)
    with pytest.raises(FixData) as error:
        read_resumable(path)
    assert "one without seed, position, scaler, rng" in error.value.got
    assert "optimizer_states of another form" in error.value.got
    assert error.value.where == str(path)
    assert "train.pretrained_model_path" in error.value.fix


CHANGES: list[tuple[str, Change]] = [
    ("seed", lambda c: c.update(seed="3")),
    ("seed", lambda c: c.update(seed=-1)),
    ("seed", lambda c: c.update(seed=2**70)),
    ("global_step", lambda c: c.update(global_step=None)),
    ("position", lambda c: c["position"].pop("loss_sum")),
    ("position", lambda c: c["position"].update(batch=-4)),
    ("lr_schedulers", lambda c: c.update(lr_schedulers=[])),
    ("lr_schedulers", lambda c: c["lr_schedulers"][0].update(steps="2, 3")),
    ("optimizer_states", lambda c: c["optimizer_states"][0]["state"][0].pop("exp_avg")),
    ("optimizer_states", lambda c: c["optimizer_states"][0].update(param_groups=[])),
    ("scaler", lambda c: c.update(scaler=[1.0])),
    ("scaler", lambda c: c.update(scaler={"scale": "large"})),
    ("rng", lambda c: c["rng"].update(torch=torch.zeros(3, dtype=torch.uint8))),
    ("rng", lambda c: c["rng"].update(ranks=[{}])),
    ("images_per_step", lambda c: c.update(images_per_step=0.5)),
]


@pytest.mark.parametrize(("part", "change"), CHANGES)
def test_a_part_of_another_form_is_named(tmp_path: Path, part: str, change: Change) -> None:
    with pytest.raises(FixData, match=f"{part} of another form"):
        read_resumable(saved(tmp_path, change))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c["state_dict"].popitem(), "weights must fit .* 1 layers missing"),
        (
            lambda c: c["optimizer_states"][0]["state"][0].update(
                exp_avg=torch.zeros(5), exp_avg_sq=torch.zeros(5)
            ),
            r"optimizer_states of a weight 0 of shape \(5,\)",
        ),
        (
            lambda c: c["optimizer_states"][0]["state"].update(
                {999: c["optimizer_states"][0]["state"][0]}
            ),
            "optimizer_states of a weight 999",
        ),
    ],
)
def test_what_does_not_fit_the_network_is_refused_before_the_first_step(
    spec_tree: dict[str, Any], tmp_path: Path, change: Change, words: str
) -> None:
    path = saved(tmp_path, change)
    spec_tree["train"]["resume_training_checkpoint_path"] = str(path)
    folder = tmp_path / "results"
    with pytest.raises(FixData, match=words):
        train(
            load_spec(spec_tree, "train"),
            Run(folder, StatusLog(folder), Interrupt(), lambda _: None),
        )
