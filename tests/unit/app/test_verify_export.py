"""``export --verify``: what is planned, started, said, kept, and how it exits."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from automl.app.act import plan_action
from automl.app.action_request import ActRequest
from automl.app.action_run import carry_out
from automl.app.verify_export import (
    Verified,
    VerifyingTrainer,
    VerifyRequest,
    plan_verifying,
)
from automl.cli.main import main
from automl.cli.verify_commands import exit_code, verified_lines
from automl.errors import FixInput
from automl.reports.parity import parity_lines
from automl.skill.tree import get
from automl.study.layout import StudyPaths
from automl.trainers.base import TrialTask
from automl.trainers.process import ProcessTrainer
from tests.unit.app.act_kit import Player, add_checkpoint, studied
from tests.unit.app.kit import MakePlan

pytestmark = pytest.mark.torch

ALL = VerifyRequest()
SPREAD = {"median": 0.001, "largest": 0.02, "image": "00007.jpg"}
TABLE: dict[str, Any] = {
    "schema": "automl.parity/1",
    "checkpoint": "best.pth",
    "reference": "PyTorch 2.13.0",
    "n_images": 8,
    "n_all": 40,
    "threshold": 0.3,
    "threshold_of_spec": 0.3,
    "tolerance": {"pixel": 0.5, "angle": 0.5, "distance": 0.5},
    "compared": {
        "onnx": {
            "runtime": "onnxruntime 1.32.0",
            "matched": 9,
            "only_reference": 1,
            "only_this": 0,
            "borderline": 1,
            "unsteady": 0,
            "lost": 0,
            "pixel": SPREAD,
            "angle_deg": SPREAD,
            "distance_percent": SPREAD,
            "within": True,
        }
    },
    "left_out": {"engine": "it needs the package tensorrt"},
    "input": {
        "geometry": {"kind": "letterbox", "side_px": 512},
        "colour": {
            "channel_order": "BGR",
            "divide_by": 255,
            "mean": [0.4, 0.45, 0.47],
            "std": [0.3, 0.3, 0.3],
        },
        "tensor": {"layout": "NCHW", "dtype": "float32"},
    },
    "within": True,
    "seconds": 3.25,
}


def asked(paths: StudyPaths, **changes: Any) -> ActRequest:
    return replace(ActRequest("export", paths.folder.parent), **changes)


def export_of(paths: StudyPaths, request: VerifyRequest = ALL) -> tuple[Any, Any]:
    plan = plan_action(asked(paths))
    return plan, plan_verifying(plan, request)


def test_it_is_compared_on_the_study_s_validation_images_in_a_folder_of_its_own(
    plan: MakePlan, splits: Path
) -> None:
    paths = studied(plan, splits, "train", "val")
    export, verifying = export_of(paths, VerifyRequest(images=5, tolerance="1,2,3"))
    tree = verifying.plan.spec.tree
    assert verifying.plan.folder == export.folder / "verify"
    assert get(tree, "dataset.val_data") == str(splits / "val")
    assert get(tree, "export.results_dir") == str(export.folder / "verify")
    assert get(tree, "export.onnx_file") == get(export.spec.tree, "export.onnx_file")
    assert get(tree, "export.checkpoint") == get(export.spec.tree, "export.checkpoint")
    assert verifying.options == ("--images", "5", "--tolerance", "1,2,3")


def test_the_newest_engine_of_the_checkpoint_is_compared_too(plan: MakePlan, splits: Path) -> None:
    paths = studied(plan, splits, "train", "val")
    for action, name, content in (
        ("export", "centerpose.onnx", b"\x08onnx"),
        ("gen_trt_engine", "centerpose.engine", b"engine"),
    ):

        def write(task: TrialTask, name: str = name, content: bytes = content) -> None:
            (task.folder / name).write_bytes(content)

        assert carry_out(plan_action(asked(paths, action=action)), Player(write=write)).ok
    engine = paths.actions / "gen-trt-engine-1" / "centerpose.engine"
    assert export_of(paths)[1].options == ("--engine", str(engine))


def test_the_program_is_the_trainer_s_own_whatever_exports(
    plan: MakePlan, splits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = studied(plan, splits, "train", "val")
    _, verifying = export_of(paths, VerifyRequest(images=5))
    started: list[list[str]] = []
    monkeypatch.setattr(
        "automl.app.verify_export.start_guarded",
        lambda words, task, gpus: started.append(list(words)),
    )
    trainer = VerifyingTrainer(ProcessTrainer(verifying.plan.skill, "export"), verifying.options)
    folder = verifying.plan.folder
    spec = verifying.plan.spec_path
    trainer.start(TrialTask("bikes", 0, 1, folder, spec, folder / "log.txt"), ())
    assert started[0][1:] == ["-m", "automl.centerpose", "verify", "-e", str(spec),
                              "--images", "5"]  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (VerifyRequest(tolerance="1,2"), "pixels, degrees and per cent"),
        (VerifyRequest(tolerance="1,2,x"), "pixels, degrees and per cent"),
        (VerifyRequest(tolerance="1,2,-1"), "above 0"),
        (VerifyRequest(engine=Path("none.engine")), "an engine must be a file"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_is_exported(
    plan: MakePlan, splits: Path, request_: VerifyRequest, says: str
) -> None:
    paths = studied(plan, splits, "train", "val")
    with pytest.raises(FixInput, match=says):
        export_of(paths, request_)
    assert not paths.actions.exists()


def test_a_checkpoint_from_elsewhere_needs_images(
    tmp_path: Path, splits: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = add_checkpoint(tmp_path, 0, 1)
    words = ["export", "--checkpoint", str(checkpoint), "--studies-dir", str(tmp_path), "--verify"]
    assert main([*words, "--dry-run"]) == 2
    assert "give --val-data PATH" in capsys.readouterr().err
    assert main([*words, "--dry-run", "--val-data", str(splits / "val")]) == 0


def ended(paths: StudyPaths, table: dict[str, Any] | None) -> tuple[Verified, Path]:
    """An export and its comparison that ended, played."""
    export, verifying = export_of(paths)

    def exported(task: TrialTask) -> None:
        (task.folder / "centerpose.onnx").write_bytes(b"\x08onnx")

    def compared(task: TrialTask) -> None:
        (task.folder / "parity.json").write_text(json.dumps(table))

    assert carry_out(export, Player(write=exported)).ok
    failed = table is None
    record = carry_out(
        verifying.plan, Player(code=int(failed), write=None if failed else compared)
    )
    return Verified(record, table), verifying.plan.folder


def test_what_was_found_is_said_and_kept(plan: MakePlan, splits: Path) -> None:
    paths = studied(plan, splits, "train", "val")
    verified, folder = ended(paths, TABLE)
    text = "\n".join(verified_lines(verified, folder))
    assert "the same poses as PyTorch 2.13.0 on 8 of 40 validation images, 3.2 s" in text
    assert "corners: median 0.001 px, largest 0.02 px (00007.jpg)" in text
    assert "rotation: median 0.001 degrees" in text
    assert "1 found by PyTorch alone and 0 by it alone" in text
    assert "engine     not compared: it needs the package tensorrt" in text
    assert "letterbox to 512 x 512" in text
    assert all(len(line) <= 100 or "parity.json" in line for line in text.splitlines())
    assert exit_code(verified) == 0
    (line,) = parity_lines(paths.folder)
    assert line.startswith("trial 0: the same poses as PyTorch 2.13.0 on 8 of 40 validation")
    assert "at most 0.02 px, 0.02 degrees, 0.02 % apart" in line
    assert line.endswith("actions/export-1/verify/parity.json")


def test_other_poses_exit_6_and_a_failed_comparison_4(
    plan: MakePlan, splits: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = studied(plan, splits, "train", "val")
    verified, folder = ended(paths, {**TABLE, "within": False})
    assert exit_code(verified) == 6
    assert "poses differ from the checkpoint's" in capsys.readouterr().err
    assert "poses DIFFER from those of" in next(iter(verified_lines(verified, folder)))
    assert "DIFFERENT poses" in parity_lines(paths.folder)[0]
    failed = Verified(replace(verified.record, ok=False, evidence="no memory"), None)
    assert exit_code(failed) == 4
    assert [*verified_lines(failed, folder)] == []


def test_a_broken_result_is_passed_over(plan: MakePlan, splits: Path) -> None:
    paths = studied(plan, splits, "train", "val")
    ended(paths, {"within": True})
    assert parity_lines(paths.folder) == ()
