"""Exported networks against their checkpoints: pose by pose, on real images."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.centerpose.deploy.input_contract import contract_beside
from automl.centerpose.deploy.parity import FoundPoses, Tolerance, compare_poses
from automl.centerpose.program.cli import main
from automl.yamltext import dump_yaml

Verify = Callable[..., tuple[int, dict[str, Any]]]


def found(n: int, seed: int = 0, floor: float = 0.3) -> FoundPoses:
    """``n`` objects far from each other."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 40, (n, 8, 2)) + 200.0 * np.arange(n)[:, None, None]
    turns = np.tile(np.eye(3), (n, 1, 1))
    return FoundPoses(
        floor=floor,
        scores=np.linspace(0.9, 0.5, n),
        points=points,
        reach=np.full(n, 40.0),
        rotation=turns,
        translation=np.tile([0.0, 0.0, 2.0], (n, 1)),
        solved=np.ones(n),
        steady=np.ones(n),
    )


def taken(poses: FoundPoses, rows: list[int], floor: float = 0.3) -> FoundPoses:
    names = [name for name in FoundPoses.__slots__ if name != "floor"]
    return FoundPoses(floor=floor, **{name: getattr(poses, name)[rows] for name in names})


def test_equal_poses_are_the_same_in_any_order() -> None:
    one = found(3)
    result = compare_poses([one], [taken(one, [2, 0, 1])], Tolerance())
    assert (result["matched"], result["only_reference"], result["only_this"]) == (3, 0, 0)
    assert result["pixel"] == {"median": 0.0, "largest": 0.0, "image": 0}
    assert result["within"]


def test_each_difference_has_its_unit_and_its_image() -> None:
    one = found(2)
    angle = np.radians(3.0)
    turned = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    points = one.points.copy()
    points[0, 3] += [3.0, 4.0]
    other = replace(
        one,
        points=points,
        rotation=np.stack([np.eye(3), turned]),
        translation=np.array([[0, 0, 2.0], [0, 0, 2.02]]),
    )
    result = compare_poses([found(1, 5), one], [found(1, 5), other], Tolerance())
    assert result["pixel"]["largest"] == pytest.approx(5.0)
    assert result["angle_deg"]["largest"] == pytest.approx(3.0)
    assert result["distance_percent"]["largest"] == pytest.approx(1.0)
    assert {result[name]["image"] for name in ("pixel", "angle_deg", "distance_percent")} == {1}
    assert result["pixel"]["median"] == 0.0
    assert not result["within"]
    assert compare_poses([one], [other], Tolerance(6.0, 4.0, 2.0))["within"]


def test_an_object_that_one_side_alone_finds_is_a_difference_unless_it_barely_suffices() -> None:
    one = found(2)
    lacks = compare_poses([one], [taken(one, [0])], Tolerance())
    assert (lacks["only_reference"], lacks["borderline"], lacks["within"]) == (1, 0, False)
    barely = compare_poses([replace(one, floor=0.495)], [taken(one, [0])], Tolerance())
    assert (barely["only_reference"], barely["borderline"], barely["within"]) == (1, 1, True)


def test_a_pose_that_its_corners_do_not_determine_is_not_compared() -> None:
    one = replace(found(1), steady=np.zeros(1))
    other = replace(one, rotation=np.diag([1.0, -1.0, -1.0])[None])
    result = compare_poses([one], [other], Tolerance())
    assert (result["unsteady"], result["angle_deg"], result["within"]) == (1, None, True)


def test_a_pose_that_the_other_lacks_is_a_difference() -> None:
    result = compare_poses([found(1)], [replace(found(1), solved=np.zeros(1))], Tolerance())
    assert (result["lost"], result["within"]) == (1, False)


def test_nothing_found_is_not_the_same() -> None:
    assert not compare_poses([found(0)], [found(0)], Tolerance())["within"]


@pytest.fixture
def verify(spec_tree: dict[str, Any], checkpoint: Path, exported: Path, tmp_path: Path) -> Verify:
    """Compares ``exported`` with a checkpoint; returns the exit code and what was written."""

    def run(*words: str, **settings: object) -> tuple[int, dict[str, Any]]:
        spec_tree["export"] |= {"checkpoint": str(checkpoint), "onnx_file": str(exported)}
        path = tmp_path / "verify.yaml"
        path.write_text(dump_yaml(spec_tree))
        given = [f"{key.replace('__', '.')}={value}" for key, value in settings.items()]
        code = main(["verify", "-e", str(path), *words, *given])
        written = tmp_path / "results" / "export" / "parity.json"
        return code, json.loads(written.read_text()) if written.exists() else {}

    return run


def test_an_export_finds_the_poses_of_its_checkpoint(verify: Verify, exported: Path) -> None:
    contract_beside(exported).rename(exported.with_suffix(".away"))
    code, table = verify()
    assert code == 0
    assert table["within"]
    assert (table["n_images"], table["n_all"], table["left_out"]) == (8, 8, {})
    onnx = table["compared"]["onnx"]
    assert onnx["matched"] >= 6
    assert onnx["runtime"].startswith("onnxruntime ")
    assert 0 < onnx["pixel"]["largest"] < 0.1
    assert onnx["angle_deg"]["largest"] < 0.1
    assert onnx["pixel"]["image"].endswith(".jpg")
    assert table["input"]["colour"]["channel_order"] == "BGR"
    # It is written where whoever exported has written none, as NVIDIA's container does.
    assert contract_beside(exported).read_text() == exported.with_suffix(".away").read_text()


def test_some_images_are_spread_over_all(verify: Verify) -> None:
    code, table = verify("--images", "3")
    assert (code, table["n_images"], table["n_all"]) == (0, 3, 8)


def test_another_network_is_found_out(verify: Verify, checkpoint: Path, tmp_path: Path) -> None:
    import torch

    content = torch.load(checkpoint, weights_only=True)
    name = "model.regressions.linear.bias"
    content["state_dict"][name] += 0.1
    other = tmp_path / "other.pth"
    torch.save(content, other)
    code, table = verify(export__checkpoint=other)
    assert code == 0
    assert not table["within"]
    assert table["compared"]["onnx"]["pixel"]["median"] > 1.0


def test_an_engine_that_cannot_run_here_is_left_out_and_said(
    verify: Verify, tmp_path: Path
) -> None:
    engine = tmp_path / "centerpose.engine"
    engine.write_bytes(b"engine")
    code, table = verify("--engine", str(engine), "--images", "1")
    assert code == 0
    assert "needs the package tensorrt" in table["left_out"]["engine"]
    assert set(table["compared"]) == {"onnx"}


def test_a_network_that_finds_nothing_is_compared_below_the_threshold(verify: Verify) -> None:
    code, table = verify("--images", "2", inference__visualization_threshold=0.9999)
    assert code == 0
    assert table["threshold"] < table["threshold_of_spec"] == 0.9999
    assert table["compared"]["onnx"]["matched"] > 0
    assert table["within"]


def test_no_images_are_refused(verify: Verify, capsys: pytest.CaptureFixture[str]) -> None:
    code, table = verify(dataset__val_data="")
    assert (code, table) == (1, {})
    assert "poses are compared on images" in capsys.readouterr().out
