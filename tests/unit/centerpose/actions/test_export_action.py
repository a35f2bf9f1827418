"""The export action: one file, with the decoder inside, that answers like the network."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from automl.centerpose.config.model import Backbone, Model
from automl.centerpose.deploy import extras
from automl.centerpose.deploy.agreement import TOLERANCE, check_agreement, largest_difference
from automl.centerpose.deploy.graph import OUTPUTS, DecodingNetwork
from automl.centerpose.deploy.input_contract import contract_beside
from automl.centerpose.deploy.runtime import OnnxNetwork
from automl.centerpose.deploy.write import GraphSettings, onnx_bytes
from automl.centerpose.models.build import build_network
from automl.centerpose.session.checkpoints import (
    load_weights,
    read_checkpoint,
    save_checkpoint,
    weights_of,
)
from automl.errors import InstallExtra
from automl.trainers.contract import CheckpointName

Act = Callable[..., int]
Messages = Callable[[str], list[str]]


@pytest.fixture
def target(spec_tree: dict[str, Any], checkpoint: Path, tmp_path: Path) -> Path:
    """The file that the spec's export will write."""
    path = tmp_path / "models" / "model.onnx"
    spec_tree["export"] |= {"checkpoint": str(checkpoint), "onnx_file": str(path)}
    return path


def _reference(checkpoint: Path, images: torch.Tensor) -> dict[str, Any]:
    network = build_network(Model(backbone=Backbone(model_type="nano")))
    load_weights(network, read_checkpoint(checkpoint), checkpoint)
    with torch.inference_mode():
        outputs = DecodingNetwork(network.eval(), 32, 100).eval()(images)
    return {name: each.numpy() for name, each in zip(OUTPUTS, outputs, strict=True)}


@pytest.mark.parametrize("batch", [1, 3])
def test_onnxruntime_answers_like_pytorch(batch: int, exported: Path, checkpoint: Path) -> None:
    images = torch.randn(batch, 3, 128, 128, generator=torch.Generator().manual_seed(batch))
    given = OnnxNetwork(exported, "exported").run(images.numpy())
    assert largest_difference(_reference(checkpoint, images), given) <= 1e-4


def test_the_file_is_what_the_contract_says(exported: Path) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load(exported)
    assert [(each.domain, each.version) for each in model.opset_import] == [("", 16)]
    shapes = {
        each.name: [d.dim_param or d.dim_value for d in each.type.tensor_type.shape.dim]
        for each in (*model.graph.input, *model.graph.output)
    }
    expected: dict[str, list[object]] = {"input": ["batch", 3, 128, 128]}
    expected |= {name: ["batch", 100, n] for name, n in OUTPUTS.items()}
    assert shapes == expected
    assert list(shapes) == list(expected)


def test_the_action_leaves_the_file_and_its_record(
    target: Path,
    act: Act,
    messages: Messages,
    checkpoint: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert act("export", export__num_select=7, export__batch_size=2, export__on_cpu="true") == 0
    assert messages("export") == [
        "Starting Centerpose export.",
        f"Loading checkpoint: {checkpoint}",
        "Export finished successfully.",
    ]
    assert sorted(target.parent.iterdir()) == [contract_beside(target), target]
    assert "differ by" in capsys.readouterr().out
    network = OnnxNetwork(target, "fixed")
    assert network.batch_size == 2
    images = np.random.default_rng(0).normal(size=(5, 3, 128, 128)).astype(np.float32)
    given = network.run(images)
    assert given["bboxes"].shape == (5, 7, 4)
    reference = _reference(checkpoint, torch.from_numpy(images))
    np.testing.assert_allclose(given["scores"], reference["scores"][:, :7], atol=1e-5)


def test_a_file_that_exists_is_kept(target: Path, act: Act, messages: Messages) -> None:
    target.parent.mkdir()
    target.write_text("precious")
    assert act("export") == 1
    assert messages("export")[-1].startswith(
        "Configuration error: export.onnx_file must not exist"
    )
    assert target.read_text() == "precious"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"export__onnx_file": "''"}, "Parameter validation error: export.onnx_file"),
        ({"export__checkpoint": "''"}, "Parameter validation error: export.checkpoint"),
        ({"export__checkpoint": "/nonexistent.pth"}, "Data error: "),
        ({"export__batch_size": 0}, "Parameter validation error: export.batch_size"),
        ({"export__num_select": 0}, "Parameter validation error: export.num_select"),
        ({"export__input_width": 512}, "Configuration error: export.input_channel"),
        ({"export__input_channel": 1}, "Configuration error: export.input_channel"),
        ({"export__opset_version": 9}, "Feature not implemented: export.opset_version"),
    ],
)
def test_what_cannot_be_exported_is_refused(
    settings: dict[str, object], message: str, target: Path, act: Act, messages: Messages
) -> None:
    assert act("export", **settings) == 1
    assert messages("export")[-1].startswith(message)
    assert not target.exists()


def test_a_graph_that_answers_otherwise_is_not_written(
    target: Path, act: Act, messages: Messages, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(graph: DecodingNetwork, settings: GraphSettings) -> bytes:
        content = onnx_bytes(graph, settings)
        for each in graph.parameters():  # from here on the network is another one
            each.data += 0.1
        return content

    monkeypatch.setattr("automl.centerpose.program.export.onnx_bytes", other)
    assert act("export") == 1
    assert "differs from the network" in messages("export")[-1]
    assert not target.parent.exists()


@pytest.mark.parametrize("name", ["onnx", "onnxruntime"])
def test_a_missing_package_names_the_extra(
    name: str, target: Path, act: Act, messages: Messages, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(asked: str) -> Any:
        if asked == name:
            raise ModuleNotFoundError(f"No module named {asked!r}", name=asked)
        return real(asked)

    real = importlib.import_module
    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(InstallExtra, match=name):
        getattr(extras, name)()
    assert act("export") == 1
    assert "[trainer]" in messages("export")[-1]
    assert not target.exists()


@pytest.mark.slow
@pytest.mark.parametrize("use_gru", [True, False])
@pytest.mark.parametrize("name", ["DLA34", "fan_small"])
def test_every_kind_of_network_can_be_written(name: str, use_gru: bool) -> None:
    torch.manual_seed(3)
    network = build_network(Model(use_conv_gru=use_gru, backbone=Backbone(model_type=name)))
    graph = DecodingNetwork(network.eval(), 32, 50)
    settings = GraphSettings(128, batch_size=None, opset=16, fold=True, verbose=False)
    written = OnnxNetwork(onnx_bytes(graph, settings), name)
    assert check_agreement(graph, written, 128, (1, 3)) <= TOLERANCE


@pytest.mark.slow
def test_dla34_is_exported_at_its_full_size(
    target: Path, act: Act, spec_tree: dict[str, Any], tmp_path: Path
) -> None:
    torch.manual_seed(2)
    network = build_network(Model(backbone=Backbone(model_type="DLA34")))
    path = save_checkpoint(tmp_path, CheckpointName(0, 1), {"state_dict": weights_of(network)})
    spec_tree["model"]["backbone"]["model_type"] = "DLA34"
    spec_tree["dataset"] |= {"input_res": 512, "output_res": 128}
    sides = {"export__input_width": 512, "export__input_height": 512}
    assert act("export", export__checkpoint=path, **sides) == 0
    assert OnnxNetwork(target, "full").input_size == (512, 512)
