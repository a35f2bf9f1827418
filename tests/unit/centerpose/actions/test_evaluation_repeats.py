"""The evaluate action repeats the validation of training, on a network that finds its objects."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Act = Callable[..., int]


def _lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "status.json").read_text().splitlines()]


def test_it_repeats_the_validation_of_training(
    checkpoint: Path, act: Act, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert act("evaluate", evaluate__checkpoint=checkpoint) == 0
    results = tmp_path / "results" / "evaluate"
    lines = _lines(results)
    assert [line["message"] for line in lines] == [
        "Starting Centerpose evaluate.",
        f"Loading checkpoint: {checkpoint}",
        "Test metrics generated.",
        "Evaluate finished successfully.",
    ]
    (in_training,) = [
        line["kpi"] for line in _lines(checkpoint.parent) if "val_3DIoU" in line.get("kpi", {})
    ]
    assert lines[2]["kpi"] == {
        "test_3DIoU": in_training["val_3DIoU"],
        "test_2DMPE": in_training["val_2DMPE"],
    }
    assert float(in_training["val_3DIoU"]) > 0.0  # it has found objects
    assert float(in_training["val_2DMPE"]) > 0.0
    assert "test_3DIoU" in (results / "report.txt").read_text()
    out = capsys.readouterr().out
    assert "3D IoU: " in out
    assert out.rstrip().endswith("Execution status: PASS")
