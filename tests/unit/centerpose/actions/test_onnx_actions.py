"""Evaluating and predicting with an exported network instead of a checkpoint."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Act = Callable[..., int]
Messages = Callable[[str], list[str]]


def _kpi(folder: Path) -> dict[str, float]:
    lines = [json.loads(line) for line in (folder / "status.json").read_text().splitlines()]
    (kpi,) = [line["kpi"] for line in lines if "kpi" in line]
    return {name: float(value) for name, value in kpi.items()}


def test_an_exported_network_scores_like_its_checkpoint(
    act: Act, checkpoint: Path, exported: Path, tmp_path: Path
) -> None:
    kpis = {}
    for path in (checkpoint, exported):
        folder = tmp_path / path.suffix
        settings = {"evaluate__checkpoint": path, "evaluate__results_dir": folder}
        # Three of eight images: the last batch is smaller than the others.
        assert act("evaluate", dataset__batch_size=3, **settings) == 0
        assert "test_3DIoU" in (folder / "report.txt").read_text()
        kpis[path.suffix] = _kpi(folder)
    assert kpis[".onnx"] == pytest.approx(kpis[".pth"], abs=1e-3)
    assert kpis[".pth"]["test_3DIoU"] > 0.0
    assert kpis[".pth"]["test_2DMPE"] > 0.0


def test_an_exported_network_predicts_like_its_checkpoint(
    act: Act, checkpoint: Path, exported: Path, tmp_path: Path
) -> None:
    for path in (checkpoint, exported):
        folder = tmp_path / path.suffix
        settings = {"inference__checkpoint": path, "inference__results_dir": folder}
        assert act("inference", **settings) == 0
    compared = 0
    for path in (tmp_path / ".pth").glob("0*.json"):
        ours, theirs = (
            json.loads((tmp_path / end / path.name).read_text())["objects"]
            for end in (".pth", ".onnx")
        )
        for one, other in zip(ours, theirs, strict=True):
            compared += 1
            np.testing.assert_allclose(one["location"], other["location"], rtol=1e-3, atol=1e-3)
            np.testing.assert_allclose(one["keypoints_2d"], other["keypoints_2d"], atol=1e-2)
    assert compared >= 4


@pytest.mark.parametrize("action", ["evaluate", "inference"])
def test_images_of_another_size_are_refused(
    action: str, act: Act, exported: Path, messages: Messages
) -> None:
    settings = {"dataset__input_res": 64, "dataset__output_res": 16}
    assert act(action, **{f"{action}__checkpoint": exported}, **settings) == 1
    message = messages(action)[-1]
    assert message.startswith("Configuration error: dataset.input_res")
    assert "dataset.input_res=128" in message


def test_a_truncated_file_is_refused_by_its_name(
    act: Act, exported: Path, tmp_path: Path, messages: Messages
) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(exported.read_bytes()[:5000])
    assert act("evaluate", evaluate__checkpoint=broken) == 1
    assert messages("evaluate")[-1].startswith("Data error: an ONNX file must load")
    assert "broken.onnx" in messages("evaluate")[-1]


def test_a_file_of_another_network_is_refused(
    act: Act, tmp_path: Path, messages: Messages, spec_tree: dict[str, Any]
) -> None:
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    value = [helper.make_tensor_value_info(name, kind, [1]) for name in ("a", "b")]
    node = helper.make_node("Relu", ["a"], ["b"])
    graph = helper.make_graph([node], "g", value[:1], value[1:])
    opsets = [helper.make_opsetid("", 16)]
    other = tmp_path / "other.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), other)
    assert act("inference", inference__checkpoint=other) == 1
    assert "the inputs a" in messages("inference")[-1]
