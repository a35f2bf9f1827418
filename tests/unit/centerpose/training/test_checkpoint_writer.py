"""Checkpoints written beside the training: the state of the moment, in order, whole or not."""

import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from automl.centerpose.session.checkpoints import latest_in, read_checkpoint, save_checkpoint
from automl.centerpose.training import checkpoint_writer as writer_module
from automl.centerpose.training.checkpoint_writer import CheckpointWriter
from automl.trainers.contract import CheckpointName


def test_what_changes_afterwards_is_not_written(tmp_path: Path) -> None:
    weights = torch.ones(4)
    writer = CheckpointWriter(tmp_path)
    writer.write(CheckpointName(0, 1), {"state_dict": {"w": weights}, "more": [weights, 3]})
    weights.zero_()
    writer.close()
    content = read_checkpoint(tmp_path / str(CheckpointName(0, 1)))
    assert content["state_dict"]["w"].tolist() == [1.0] * 4
    assert content["more"][0].tolist() == [1.0] * 4


def test_the_training_goes_on_while_a_checkpoint_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, order = threading.Event(), []

    def slow(folder: Path, name: CheckpointName, content: dict[str, Any]) -> Path:
        assert go.wait(10)
        order.append(name.step)
        return save_checkpoint(folder, name, content)

    monkeypatch.setattr(writer_module, "save_checkpoint", slow)
    writer = CheckpointWriter(tmp_path)
    writer.write(CheckpointName(0, 1), {"state_dict": {}})
    assert latest_in(tmp_path) is None
    go.set()
    writer.write(CheckpointName(1, 2), {"state_dict": {}})
    assert order[0] == 1
    writer.close()
    assert order == [1, 2]
    assert latest_in(tmp_path) == (tmp_path / str(CheckpointName(1, 2))).resolve()


@pytest.mark.parametrize("later", ["write", "join", "close"])
def test_a_full_disk_is_reported_and_leaves_the_old_checkpoint(
    later: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = CheckpointWriter(tmp_path)
    writer.write(CheckpointName(0, 1), {"state_dict": {"w": torch.ones(2)}})
    writer.join()

    def full(content: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    writer.write(CheckpointName(1, 2), {"state_dict": {}})
    with pytest.raises(OSError, match="No space left"):
        writer.write(CheckpointName(2, 3), {}) if later == "write" else getattr(writer, later)()
    left = latest_in(tmp_path)
    assert left is not None
    assert left.name == str(CheckpointName(0, 1))
    assert read_checkpoint(left)["state_dict"]["w"].tolist() == [1.0, 1.0]
    assert len(list(tmp_path.iterdir())) == 2
