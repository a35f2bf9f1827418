"""The evaluate action: what it writes, and that it repeats the validation of training."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from automl.centerpose.cli import main

SpecWriter = Callable[..., Path]
StatusReader = Callable[[Path], list[dict[str, Any]]]


@pytest.fixture
def trained(spec_tree: dict[str, Any], write_spec: SpecWriter, small_data: Path) -> Path:
    """A spec whose training has left ``model_epoch_001_step_00006.pth``; it tests on val."""
    spec_tree["dataset"]["test_data"] = str(small_data / "val")
    spec_tree["train"]["seed"] = 2
    spec_tree["inference"] = {"visualization_threshold": 0.001}
    folder = Path(spec_tree["results_dir"]) / "train"
    checkpoint = folder / "model_epoch_001_step_00006.pth"
    spec_tree["evaluate"]["checkpoint"] = str(checkpoint)
    path = write_spec(spec_tree)
    assert main(["train", "-e", str(path)]) == 0
    return path


def test_it_repeats_the_validation_of_training(
    trained: Path,
    spec_tree: dict[str, Any],
    status_lines: StatusReader,
    capsys: pytest.CaptureFixture[str],
) -> None:
    capsys.readouterr()
    assert main(["evaluate", "-e", str(trained)]) == 0
    results = Path(spec_tree["results_dir"])
    lines = status_lines(results / "evaluate")
    checkpoint = spec_tree["evaluate"]["checkpoint"]
    assert [line["message"] for line in lines] == [
        "Starting Centerpose evaluate.",
        f"Loading checkpoint: {checkpoint}",
        "Test metrics generated.",
        "Evaluate finished successfully.",
    ]
    in_training = [
        line["kpi"]
        for line in status_lines(results / "train")
        if "val_3DIoU" in line.get("kpi", {})
    ]
    assert lines[2]["kpi"] == {
        "test_3DIoU": in_training[-1]["val_3DIoU"],
        "test_2DMPE": in_training[-1]["val_2DMPE"],
    }
    assert float(lines[2]["kpi"]["test_2DMPE"]) > 0.0
    assert "test_3DIoU" in (results / "evaluate" / "report.txt").read_text()
    out = capsys.readouterr().out
    assert "3D IoU: " in out
    assert out.rstrip().endswith("Execution status: PASS")


def test_a_checkpoint_of_another_network_is_refused(
    trained: Path, spec_tree: dict[str, Any], status_lines: StatusReader
) -> None:
    other = "model.backbone.model_type=DLA34"
    assert main(["evaluate", "-e", str(trained), other]) == 1
    last = status_lines(Path(spec_tree["results_dir"]) / "evaluate")[-1]
    assert last["status"] == "FAILURE"
    assert "layers missing" in last["message"]


def test_an_unnamed_checkpoint_is_refused(
    spec_tree: dict[str, Any], write_spec: SpecWriter, status_lines: StatusReader
) -> None:
    assert main(["evaluate", "-e", str(write_spec(spec_tree))]) == 1
    message = status_lines(Path(spec_tree["results_dir"]) / "evaluate")[-1]["message"]
    assert message.startswith("Configuration error: ")
    assert "evaluate.checkpoint" in message
