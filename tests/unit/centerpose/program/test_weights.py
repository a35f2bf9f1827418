"""``automl weights``: files of the container's and of ours, there and back."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from automl.centerpose.models.dla import DLA34
from automl.centerpose.models.nano import Nano
from automl.centerpose.program.weights import convert
from automl.centerpose.session.checkpoints import read_checkpoint, weights_of
from automl.centerpose.session.tao_weights import to_tao


@pytest.fixture(scope="module")
def network() -> DLA34:
    return DLA34(64, use_gru=True)


def theirs(network: DLA34) -> dict[str, Tensor]:
    return {f"model.{name}": value for name, value in to_tao(network.state_dict()).items()}


def saved(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def ends(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    code = convert([str(word) for word in words])
    return code, capsys.readouterr().out


def test_there_and_back(
    network: DLA34, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = theirs(network)
    content = {"epoch": 7, "global_step": 90, "state_dict": given, "optimizer_states": []}
    file = saved(tmp_path / "nvidia.pth", content)
    ours, back = tmp_path / "ours.pth", tmp_path / "back.pth"
    assert ends(capsys, "import", file, "--to", ours) == (
        0,
        f"405 layers of the container's as 371 of ours: {ours}\n",
    )
    read = read_checkpoint(ours)
    assert (read["epoch"], read["global_step"]) == (7, 90)
    assert all(torch.equal(read["state_dict"][n], w) for n, w in weights_of(network).items())
    assert ends(capsys, "export", ours, "--to", back)[0] == 0
    again = read_checkpoint(back)
    assert again["pytorch-lightning_version"]
    assert again["state_dict"].keys() == given.keys()
    assert "optimizer_states" not in again


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("import", "must be the container's"),
        ("export", "nano is this program's alone"),
    ],
)
def test_other_weights_are_refused(
    way: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = saved(tmp_path / "nano.pth", {"state_dict": weights_of(Nano())})
    code, text = ends(capsys, way, file, "--to", tmp_path / "out.pth")
    assert code == 1
    assert words in text
    assert not (tmp_path / "out.pth").exists()


def test_a_layer_that_lacks_is_named(
    network: DLA34, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = theirs(network)
    del given["model.base.level2.root.conv.weight"]
    file = saved(tmp_path / "w.pth", {"state_dict": given})
    code, text = ends(capsys, "import", file, "--to", tmp_path / "out.pth")
    assert code == 1
    assert "1 layers missing: backbone.levels.0.trees.0.root.0.weight" in text


@pytest.mark.parametrize(
    ("out", "words"),
    [("w.pth", "must not exist yet"), ("w.onnx", "must end in .pth"), ("no/w.pth", "must exist")],
)
def test_nothing_is_written_over_another_file(
    out: str, words: str, network: DLA34, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = saved(tmp_path / "w.pth", {"state_dict": theirs(network)})
    before = file.read_bytes()
    code, text = ends(capsys, "import", file, "--to", tmp_path / out)
    assert code == 1
    assert words in text
    assert file.read_bytes() == before
