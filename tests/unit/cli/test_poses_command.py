"""``automl poses``: metrics on the terminal, strict JSON, and a recording that Rerun reads."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from automl.app import poses as app_poses
from automl.cli.main import main
from automl.skill.read import own_skill_dir
from automl.study.config import DataSources
from tests.unit.reports.evaluations import JPEG, ap50, evaluate, poses_like
from tests.unit.reports.study_builder import StudyBuilder, config, fill

GOOD = 0.4 + 0.3 * np.sin(np.arange(12.0))


@pytest.fixture(autouse=True)
def _complete(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is missing: what makes evaluations has tests of its own."""
    monkeypatch.setattr(app_poses, "complete_poses", lambda *_: 0)


@pytest.fixture
def builder(tmp_path: Path) -> StudyBuilder:
    """A finished search that trial 4 won; its images lie on the disk."""
    root = tmp_path / "val"
    (root / "chair").mkdir(parents=True)
    for index in range(12):
        (root / "chair" / f"{index:04d}.jpg").write_bytes(JPEG)
    data = DataSources(train=str(tmp_path / "train"), val=str(root))
    made = StudyBuilder(tmp_path / "studies", config(data=data, skill_dir=str(own_skill_dir())))
    fill(made)
    return made


def evaluated(builder: StudyBuilder) -> StudyBuilder:
    for trial, overlaps in ((4, GOOD), (0, GOOD - 0.15)):
        folder = builder.config.data.val
        evaluate(builder, trial, folder, ap50(overlaps), poses_like(overlaps))
    return builder


def run(builder: StudyBuilder, *argv: str) -> int:
    studies = str(builder.folder.parent)
    return main(["poses", builder.config.name, "--studies-dir", studies, *argv])


def test_the_metrics_fit_a_terminal(
    builder: StudyBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(evaluated(builder)) == 0
    text = capsys.readouterr().out
    assert "validation: 12 images, 12 objects" in text
    assert "AP at 3D IoU 0.50" in text
    assert all(len(line) <= 100 for line in text.splitlines() if "report" not in line)


def test_json_is_strict_and_names_its_schema(
    builder: StudyBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(evaluated(builder), "--json") == 0
    value = json.loads(capsys.readouterr().out)
    assert value["schema"] == "automl.poses/1"
    row = next(each for each in value["scores"][0]["rows"] if each["name"] == "ap_iou_50")
    assert row["winner"]["value"] == pytest.approx(ap50(GOOD))


def test_metres_follow_from_the_size_that_is_given(
    builder: StudyBuilder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = builder.folder / "report.html"
    monkeypatch.setattr("automl.reports.write.write_report", lambda *_, **__: [page])
    evaluated(builder)
    values = []
    for argv in ([], ["--known-height", "cereal_box=0.4"], ["--known-size", "0.2x0.2x0.2"]):
        assert run(builder, "--json", *argv) == 0
        found = json.loads(capsys.readouterr().out)
        by_name = {row["name"]: row["winner"]["value"] for row in found["scores"][0]["rows"]}
        values.append((found["metres_by"], by_name["location_known_m"]))
    # The boxes of these poses are 0.2 m high, 1 m away; twice as high is twice as far.
    assert values[0] == ("each object's annotated height", pytest.approx(0.02, abs=1e-6))
    assert values[1] == ("known height 0.4 m of cereal_box", pytest.approx(1.0, abs=1e-2))
    assert values[2] == ("known size 0.2 x 0.2 x 0.2 m", pytest.approx(0.02, abs=1e-6))
    assert run(builder, "--known-height", "0.4") == 0
    assert "by known height 0.4 m" in capsys.readouterr().out
    assert run(builder, "--known-height", "bottle=0.4") == 2
    assert "trained for, cereal_box" in capsys.readouterr().err


def test_a_study_without_poses_says_why_and_exits_with_4(
    builder: StudyBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate(builder, 4, builder.config.data.val, None, evidence="CUDA out of memory")
    assert run(builder) == 4
    assert "the evaluation failed: CUDA out of memory" in capsys.readouterr().out


def test_no_recording_without_poses(
    builder: StudyBuilder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("rerun", reason="the extra viewer")
    assert run(builder, "--rerun", str(tmp_path / "p.rrd")) == 2
    assert "the winner's poses on the validation images" in capsys.readouterr().err


def test_without_rerun_the_extra_is_named(
    builder: StudyBuilder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "rerun", None)
    assert run(evaluated(builder), "--rerun", str(tmp_path / "p.rrd")) == 2
    assert "viewer" in capsys.readouterr().err
    assert not (tmp_path / "p.rrd").exists()


@pytest.mark.timeout(60)  # starts Rerun's own program three times
@pytest.mark.parametrize("images", [True, False])
def test_rerun_reads_the_recording(
    builder: StudyBuilder,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    images: bool,
) -> None:
    pytest.importorskip("rerun", reason="the extra viewer")
    path = tmp_path / "p.rrd"
    argv = [] if images else ["--no-images"]
    assert run(evaluated(builder), "--rerun", str(path), *argv) == 0
    assert f"12 images, {12 if images else 0} as pictures" in capsys.readouterr().err
    rerun = [sys.executable, "-m", "rerun", "rrd"]
    home = {"HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    verified = subprocess.run([*rerun, "verify", path], capture_output=True, env=home, check=False)
    assert verified.returncode == 0, verified.stderr
    printed = subprocess.run([*rerun, "print", path], capture_output=True, env=home, check=True)
    text = printed.stdout.decode()
    for entity in ("/world/truth", "/world/winner", "/world/default", "/world/camera"):
        assert entity in text
    assert ("/world/camera/image" in text) is images
