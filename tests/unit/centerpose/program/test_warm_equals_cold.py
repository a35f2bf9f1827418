"""A training in a process that has trained before equals one in a process of its own."""

from contextlib import nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from automl.centerpose.batches import split
from automl.centerpose.config.load import load_spec
from automl.centerpose.program.train import train
from automl.centerpose.session.cache import Cache
from automl.centerpose.session.checkpoints import latest_in, read_checkpoint
from automl.centerpose.session.interrupt import Interrupt
from automl.centerpose.session.run import Run
from automl.centerpose.session.status import StatusLog
from automl.centerpose.training import prepared
from automl.centerpose.training.loss_monitor import Diverged


def state_after(folder: Path, tree: dict[str, Any], cache: Cache | None) -> dict[str, Any]:
    """Everything that a training leaves: its last checkpoint and its metrics."""
    said: list[str] = []
    run = Run(folder, StatusLog(folder), Interrupt(), said.append)
    result = train(load_spec(tree, "train"), run, cache=cache)
    path = latest_in(folder)
    assert path is not None
    assert result is not None
    assert sum(line.startswith("first step after ") for line in said) == 1
    return read_checkpoint(path) | {"result": (result.ap50, result.mpe)}


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How often the costly things were made."""
    made = {"read_stored": 0, "tune_network": 0}

    def counting(room: ModuleType, name: str) -> None:
        real = getattr(room, name)

        def counted(*arguments: Any, **named: Any) -> Any:
            made[name] += 1
            return real(*arguments, **named)

        monkeypatch.setattr(room, name, counted)

    counting(split, "read_stored")
    counting(prepared, "tune_network")
    return made


@pytest.mark.parametrize(
    ("before", "again"),
    [
        ({"seed": 7, "optim": {"lr": 0.02}}, True),
        ({"optim": {"lr": 3e37}}, True),
        ({"precision": "bf16"}, False),
        ({"loss_config": {"hm_hp": False}}, True),
    ],
)
def test_bit_for_bit(
    before: dict[str, Any],
    again: bool,
    spec_tree: dict[str, Any],
    counted: dict[str, int],
    tmp_path: Path,
) -> None:
    other = spec_tree | {"train": spec_tree["train"] | before}
    cold = state_after(tmp_path / "cold", spec_tree, None)
    counted |= dict.fromkeys(counted, 0)
    cache = Cache(is_short=lambda: False)
    diverges = "optim" in before and before["optim"]["lr"] > 1
    with pytest.raises(Diverged) if diverges else nullcontext():
        state_after(tmp_path / "other", other, cache)
    cache.begin()
    warm = state_after(tmp_path / "warm", spec_tree, cache)
    assert counted == {"read_stored": 2, "tune_network": 1 if again else 2}
    assert warm["result"] == cold["result"]
    longer = spec_tree | {"train": spec_tree["train"] | {"num_epochs": 3}}
    state_after(tmp_path / "longer", longer, cache)
    assert counted["tune_network"] == (2 if again else 3)
    for part in ("state_dict", "optimizer_states", "rng", "position"):
        torch.testing.assert_close(warm[part], cold[part], rtol=0, atol=0)
