"""Checkpoints on disk: whole, found again, refused by name."""

import pickle
from pathlib import Path

import pytest
import torch
from torch import nn

from automl.centerpose.session.checkpoints import (
    latest_in,
    load_weights,
    read_checkpoint,
    save_checkpoint,
    weights_of,
)
from automl.errors import FixData
from automl.trainers.contract import LATEST_NAME, CheckpointName


def network(width: int = 3) -> nn.Module:
    return nn.Sequential(nn.Linear(2, width), nn.Linear(width, 1))


def test_weights_come_back_under_the_containers_prefix(tmp_path: Path) -> None:
    one, two = network(), network()
    path = save_checkpoint(tmp_path, CheckpointName(0, 3), {"state_dict": weights_of(one)})
    content = read_checkpoint(path)
    assert path.name == "model_epoch_000_step_00003.pth"
    assert all(name.startswith("model.") for name in content["state_dict"])
    load_weights(two, content, path)
    torch.testing.assert_close(one.state_dict(), two.state_dict())


def test_the_latest_link_is_relative_and_moves(tmp_path: Path) -> None:
    for epoch in range(2):
        save_checkpoint(tmp_path, CheckpointName(epoch, epoch + 1), {"state_dict": {}})
        link = tmp_path / LATEST_NAME
        assert str(link.readlink()) == str(CheckpointName(epoch, epoch + 1))
    assert latest_in(tmp_path) == (tmp_path / str(CheckpointName(1, 2))).resolve()
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        LATEST_NAME,
        "model_epoch_000_step_00001.pth",
        "model_epoch_001_step_00002.pth",
    ]


def test_a_folder_without_a_link_has_no_latest(tmp_path: Path) -> None:
    assert latest_in(tmp_path) is None


def test_a_link_to_nothing_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / LATEST_NAME).symlink_to("model_epoch_009_step_00001.pth")
    with pytest.raises(FixData, match="model_epoch_009_step_00001"):
        latest_in(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_checkpoint_is_refused_by_name(tmp_path: Path, share: float) -> None:
    content = {"state_dict": weights_of(network())}
    path = save_checkpoint(tmp_path, CheckpointName(4, 20), content)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(FixData, match=r"early|empty.*model_epoch_004_step_00020\.pth"):
        read_checkpoint(path)


class _Armed:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("/nonexistent/armed"),)  # type: ignore[return-value]


def test_nothing_in_a_checkpoint_is_executed(tmp_path: Path) -> None:
    path = tmp_path / "model_epoch_000_step_00001.pth"
    torch.save({"state_dict": {}, "extra": _Armed()}, path)
    with pytest.raises(FixData, match="must be whole and hold plain tensors"):
        read_checkpoint(path)
    path.write_bytes(pickle.dumps(_Armed(), protocol=2))
    with pytest.raises(FixData, match="must be whole and hold plain tensors"):
        read_checkpoint(path)


@pytest.mark.parametrize("name", ["model.etlt", "model.tlt"])
def test_an_encrypted_one_is_refused_as_such(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"encrypted")
    with pytest.raises(FixData, match=rf"one that TAO encrypted \(.*{name}"):
        read_checkpoint(tmp_path / name)


def test_only_checkpoints_are_read(tmp_path: Path) -> None:
    with pytest.raises(FixData, match=r"end in \.pth or \.tlt"):
        read_checkpoint(tmp_path / "model.onnx")
    with pytest.raises(FixData, match="exists"):
        read_checkpoint(tmp_path / "model.pth")
    for content in ([1, 2], {}, {"state_dict": [1]}, {"state_dict": {"a": 1}}, None, 3, "text"):
        torch.save(content, tmp_path / "other.pth")
        with pytest.raises(FixData, match=r"state_dict.*other\.pth"):
            read_checkpoint(tmp_path / "other.pth")


def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    given = weights_of(network(5))
    given["model.7.weight"] = given.pop("model.1.bias")
    with pytest.raises(FixData) as error:
        load_weights(network(3), {"state_dict": given}, tmp_path / "m.pth")
    text = str(error.value)
    assert "0 layers matched; 1 layers missing: 1.bias" in text
    assert "1 layers unexpected: 7.weight" in text
    assert "0.weight (5, 2) instead of (3, 2)" in text
