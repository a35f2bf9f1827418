"""The evaluate action: checkpoints that it refuses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from automl.centerpose.program.cli import main
from automl.jsontext import read_json
from automl.poses.bootstrap import draws, estimate
from automl.poses.metrics import METRICS
from automl.poses.parquet import read_poses
from automl.poses.sample import sample_of

SpecWriter = Callable[..., Path]
StatusReader = Callable[[Path], list[dict[str, Any]]]


@pytest.fixture
def trained(spec_tree: dict[str, Any], write_spec: SpecWriter) -> Path:
    """A spec whose training has left ``model_epoch_001_step_00006.pth``."""
    folder = Path(spec_tree["results_dir"]) / "train"
    checkpoint = folder / "model_epoch_001_step_00006.pth"
    spec_tree["evaluate"]["checkpoint"] = str(checkpoint)
    path = write_spec(spec_tree)
    assert main(["train", "-e", str(path)]) == 0
    return path


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


def test_poses_and_pictures_lie_beside_the_report(
    trained: Path, spec_tree: dict[str, Any], status_lines: StatusReader
) -> None:
    assert main(["evaluate", "-e", str(trained)]) == 0
    folder = Path(spec_tree["results_dir"]) / "evaluate"
    table = read_poses(folder)
    assert table is not None
    sample = sample_of(table)
    assert len(sample.names) == 5
    root = Path(spec_tree["dataset"]["test_data"])
    assert all((root / name).is_file() for name in sample.names)
    metrics = {metric.name: metric.statistic(sample) for metric in METRICS}
    kpi = next(line["kpi"] for line in status_lines(folder) if "kpi" in line)
    found = estimate(metrics["ap_iou_50"], draws(5)).value
    assert found == pytest.approx(float(kpi["test_3DIoU"]))
    pictures = sorted((folder / "pictures").iterdir())
    assert [int(picture.stem) for picture in pictures] == sorted(set(table["index"].tolist()))
    assert all(picture.read_bytes()[:2] == b"\xff\xd8" for picture in pictures)


def test_tuning_scores_the_spec_s_own_settings_as_an_evaluation_does(
    trained: Path, spec_tree: dict[str, Any], status_lines: StatusReader
) -> None:
    data = spec_tree["dataset"]
    assert main(["evaluate", "-e", str(trained)]) == 0
    folder = Path(spec_tree["results_dir"]) / "evaluate"
    kpi = next(line["kpi"] for line in status_lines(folder) if "kpi" in line)
    splits = [f"dataset.val_data={data['test_data']}", f"dataset.test_data={data['test_data']}"]
    assert main(["tune", "-e", str(trained), *splits]) == 0
    found = read_json(folder / "tuned.json")
    assert found["default"]["iou"] == pytest.approx(float(kpi["test_3DIoU"]))
    assert found["default"]["mpe"] == pytest.approx(float(kpi["test_2DMPE"]))
    assert found["best"]["ap"] == max(each["ap"] for each in found["candidates"])
    assert found["test"]["best"] == pytest.approx(found["best"]["ap"])
