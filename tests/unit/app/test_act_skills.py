"""The specs of actions of real skills, written by somebody else.

``AUTOML_TAO_SKILLS`` names a folder of published skills; without it these tests are skipped.
"""

import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from automl.app.act import ActPlan, ActRequest, plan_action
from automl.errors import FixInput
from automl.skill import schema
from automl.skill.deploy import deploy_skill
from automl.skill.read import read_skill
from automl.skill.tree import get, leaves
from automl.spec.inferred import FUNCTIONS

_SKILLS = os.environ.get("AUTOML_TAO_SKILLS", "")

pytestmark = [
    pytest.mark.skills,
    pytest.mark.skipif(not _SKILLS, reason="AUTOML_TAO_SKILLS names no folder"),
]

_DETR: dict[str, tuple[str, ...]] = {
    "evaluate": (
        "dataset.test_data_sources.image_dir=/d/images",
        "dataset.test_data_sources.json_file=/d/boxes.json",
    ),
    "inference": (
        "dataset.infer_data_sources.image_dir=[/d/images]",
        "dataset.infer_data_sources.classmap=/d/names.txt",
    ),
}
_CLIP: dict[str, tuple[str, ...]] = {
    "evaluate": ("dataset.val.datasets=[{image_dir: /d/images, caption_dir: /d/texts}]",),
    "inference": ("inference.datasets=[{image_dir: /d/images}]", "inference.text_file=/d/t.txt"),
}
_CENTERPOSE: dict[str, tuple[str, ...]] = {
    "evaluate": ("dataset.test_data=/d/test",),
    "inference": ("dataset.inference_data=/d/val",),
    "gen_trt_engine": ("gen_trt_engine.tensorrt.calibration.cal_image_dir=[/d/train/a]",),
}
DATA: dict[str, dict[str, tuple[str, ...]]] = {
    "tao-train-centerpose": _CENTERPOSE,
    "tao-train-dino": _DETR,
    "tao-train-deformable-detr": {
        **_DETR,
        "gen_trt_engine": ("gen_trt_engine.tensorrt.calibration.cal_image_dir=[/d/train]",),
    },
    "tao-finetune-clip": _CLIP,
}
#: What the skills themselves say can be left out.
OPTIONAL = {("tao-train-deformable-detr", "gen_trt_engine"), ("tao-finetune-clip", "inference")}
CASES = [
    (skill, action, deploy)
    for skill in DATA
    for action, deploy in (
        ("evaluate", False),
        ("inference", False),
        ("export", False),
        ("gen_trt_engine", False),
        ("evaluate", True),
        ("inference", True),
    )
]


_checked: set[str] = set()


@pytest.fixture(autouse=True)
def _schemas_are_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The form of a published schema, which no test changes, is checked once for all."""
    check = schema._check_form

    def check_once(tree: Any, where: str) -> None:
        if where not in _checked:
            check(tree, where)
            _checked.add(where)

    monkeypatch.setattr(schema, "_check_form", check_once)


def parent(folder: Path, action: str, *, deploy: bool) -> Path:
    ending = ".engine" if deploy else ".onnx" if action == "gen_trt_engine" else ".pth"
    path = folder / f"model{ending}"
    if ending == ".pth":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", "x")
    else:
        path.write_bytes(b"\x08model")
    return path


def plan_of(tmp_path: Path, skill: str, action: str, **asked: Any) -> ActPlan:
    return plan_action(
        ActRequest(
            action, tmp_path / "studies", skill_dir=Path(_SKILLS, skill), trainer="docker", **asked
        )
    )


@pytest.mark.parametrize(("skill", "action", "deploy"), CASES)
def test_every_action_has_a_complete_spec(
    tmp_path: Path, skill: str, action: str, deploy: bool
) -> None:
    file = parent(tmp_path, action, deploy=deploy)
    overrides = DATA[skill].get(action, ())
    asked = {"checkpoint": str(file), "deploy": deploy, "overrides": overrides}
    plan = plan_of(tmp_path, skill, action, **asked)
    tree = plan.spec.tree
    assert get(tree, "results_dir") == str(plan.folder)
    assert str(file) in {value for _, value in leaves(tree) if isinstance(value, str)}
    own = [value for key, value in leaves(tree) if key.startswith(f"{action}.")]
    assert "???" not in own
    assert "<required>" not in own
    deploys = deploy or action == "gen_trt_engine"
    assert plan.preview.image.endswith("-deploy" if deploys else "-pyt")
    if action == "gen_trt_engine":
        assert get(tree, "gen_trt_engine.trt_engine").startswith(str(plan.folder))
    if action == "export":
        assert get(tree, "export.onnx_file").startswith(str(plan.folder))
    if overrides and (skill, action) not in OPTIONAL:
        with pytest.raises(FixInput) as refused:
            plan_of(tmp_path, skill, action, **(asked | {"overrides": ()}))
        key = overrides[0].partition("=")[0]
        assert key in str(refused.value)


def test_a_published_evaluation_scores_in_the_frame_of_the_annotations(tmp_path: Path) -> None:
    file = parent(tmp_path, "evaluate", deploy=False)
    overrides = _CENTERPOSE["evaluate"]
    plan = plan_of(
        tmp_path, "tao-train-centerpose", "evaluate", checkpoint=str(file), overrides=overrides
    )
    assert get(plan.spec.tree, "evaluate.opencv") is False
    assert "evaluate.opencv" in plan.spec.carried


@pytest.mark.parametrize("action", ["evaluate", "inference", "gen_trt_engine"])
def test_the_published_skill_knows_its_data_by_the_packaged_table(
    tmp_path: Path, action: str
) -> None:
    for split in ("train", "val", "test"):
        (tmp_path / split / "batch-1").mkdir(parents=True)
        (tmp_path / split / "batch-1" / "00000.png").write_bytes(b"x")
    split = {"evaluate": "test", "inference": "inference", "gen_trt_engine": "train"}[action]
    folder = tmp_path / ("val" if split == "inference" else split)
    file = parent(tmp_path, action, deploy=False)
    plan = plan_of(
        tmp_path,
        "tao-train-centerpose",
        action,
        checkpoint=str(file),
        data={split: str(folder)},
    )
    wanted = {
        "evaluate": {"dataset.test_data": str(folder)},
        "inference": {"dataset.inference_data": str(folder)},
        "gen_trt_engine": {
            "gen_trt_engine.tensorrt.calibration.cal_image_dir": [str(folder / "batch-1")]
        },
    }
    assert plan.spec.data == wanted[action]


def test_every_function_that_the_published_skills_name_is_known() -> None:
    named = set()
    for folder in sorted(Path(_SKILLS).iterdir()):
        if not (folder / "references" / "skill_info.yaml").is_file():
            continue
        skill = read_skill(folder)
        sides = [skill]
        if list(folder.glob("references/tao-deploy-*.skill_info.yaml")):
            sides.append(deploy_skill(skill))
        for side in sides:
            for info in side.actions.values():
                named |= set(info.spec_params.values())
    assert named <= set(FUNCTIONS)


def test_an_engine_of_8_bit_integers_needs_images_to_calibrate_on(tmp_path: Path) -> None:
    file = parent(tmp_path, "gen_trt_engine", deploy=False)
    asked = {"checkpoint": str(file), "overrides": ("gen_trt_engine.tensorrt.data_type=INT8",)}
    with pytest.raises(FixInput, match="cal_image_dir"):
        plan_of(tmp_path, "tao-train-deformable-detr", "gen_trt_engine", **asked)


def test_the_published_engine_batches_below_their_schema_are_raised_and_said(
    tmp_path: Path,
) -> None:
    file = parent(tmp_path, "gen_trt_engine", deploy=False)
    plan = plan_of(
        tmp_path,
        "tao-train-centerpose",
        "gen_trt_engine",
        checkpoint=str(file),
        overrides=_CENTERPOSE["gen_trt_engine"],
    )
    built = get(plan.spec.tree, "gen_trt_engine.tensorrt")
    assert (built["opt_batch_size"], built["max_batch_size"]) == (4, 8)
    said = [note for note in plan.notes if "batch_size" in note]
    assert len(said) == 2
    assert all("must be at least" in note and "deploy_gen_trt" in note for note in said)
