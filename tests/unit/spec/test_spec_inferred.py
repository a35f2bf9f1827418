"""TAO's named functions, one by one, and the rows of the published metadata."""

from dataclasses import replace
from pathlib import Path

import pytest

from automl.skill.model import ActionInfo
from automl.skill.read import own_skill_dir, read_skill
from automl.spec.inferred import (
    FUNCTIONS,
    Surroundings,
    constants_of,
    function_names,
    infer,
    unknown_functions,
)
from automl.spec.rules import SpecRules, rules_for
from automl.spec.unfilled import unfilled_notes

OUT = Path("/studies/bikes/actions/evaluate-1")
CHECKPOINT = Path("/studies/bikes/best/model_epoch_003_step_00320.pth")
ONNX = Path("/studies/bikes/actions/export-1/centerpose.onnx")
ENGINE = Path("/studies/bikes/actions/gen-trt-engine-1/centerpose.engine")
BARE = Surroundings("centerpose", OUT)


def from_parent(parent: Path) -> Surroundings:
    return replace(BARE, parent=parent)


def rules_of(action: str) -> SpecRules:
    return rules_for(read_skill(own_skill_dir()), action)


def value(name: str, setting: str, around: Surroundings) -> str | None:
    return FUNCTIONS[name](setting, around)


def test_key_is_the_parents_or_leaves_the_templates() -> None:
    assert value("key", "encryption_key", replace(BARE, key="secret")) == "secret"
    assert value("key", "encryption_key", BARE) is None


def test_output_dir() -> None:
    assert value("output_dir", "results_dir", BARE) == str(OUT)


@pytest.mark.parametrize(
    ("setting", "parent", "taken"),
    [
        ("evaluate.checkpoint", CHECKPOINT, True),
        ("evaluate.trt_engine", CHECKPOINT, False),
        ("evaluate.trt_engine", ENGINE, True),
        ("evaluate.checkpoint", ENGINE, False),
        ("inference.checkpoint", ONNX, True),
        ("gen_trt_engine.onnx_file", ONNX, True),
        ("gen_trt_engine.onnx_file", CHECKPOINT, False),
        ("quantize.model_path", CHECKPOINT, True),
        ("distill.pretrained_teacher_model_path", CHECKPOINT, True),
    ],
)
def test_parent_model_goes_where_its_kind_is_taken(
    setting: str, parent: Path, taken: bool
) -> None:
    assert value("parent_model", setting, from_parent(parent)) == (str(parent) if taken else "")


def test_parent_model_without_a_parent_is_empty() -> None:
    assert value("parent_model", "evaluate.checkpoint", BARE) == ""


def test_parent_model_folder_is_the_files_folder_or_the_folder_itself(tmp_path: Path) -> None:
    folder = value(
        "parent_model_folder", "model_path", from_parent(tmp_path / "model.safetensors")
    )
    assert folder == str(tmp_path)
    assert value("parent_model_folder", "model_path", from_parent(tmp_path)) == str(tmp_path)
    assert value("parent_model_folder", "model_path", BARE) is None


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("create_onnx_file", "centerpose.onnx"),
        ("create_engine_file", "centerpose.engine"),
        ("create_cal_cache", "centerpose_calibration.cache"),
    ],
)
def test_what_an_action_makes_goes_into_its_folder(name: str, file: str) -> None:
    assert value(name, "any.key", BARE) == str(OUT / file)


def test_pretrained_weights_are_for_a_fresh_start_alone() -> None:
    weights = Path("/weights/fan.pth")
    setting = "model.backbone.pretrained_backbone_path"
    assert value("ptm_if_no_resume_model", setting, BARE) is None
    fresh = replace(BARE, pretrained=weights)
    assert value("ptm_if_no_resume_model", setting, fresh) == str(weights)
    assert value("ptm_if_no_resume_model", setting, replace(fresh, resume=CHECKPOINT)) == ""


def test_resume_model() -> None:
    setting = "train.resume_training_checkpoint_path"
    assert value("resume_model", setting, BARE) == ""
    assert value("resume_model", setting, replace(BARE, resume=CHECKPOINT)) == str(CHECKPOINT)


def test_every_row_of_the_own_metadata_is_filled_in() -> None:
    skill = read_skill(own_skill_dir())
    rows = [
        (a, key, name) for a, i in skill.actions.items() for key, name in i.spec_params.items()
    ]
    assert len(rows) == 21
    assert {name for _, _, name in rows} <= set(FUNCTIONS)


def test_the_inferred_settings_of_an_evaluation() -> None:
    assert infer(rules_of("evaluate"), replace(from_parent(CHECKPOINT), key="k")) == {
        "encryption_key": "k",
        "results_dir": str(OUT),
        "evaluate.checkpoint": str(CHECKPOINT),
        "evaluate.trt_engine": "",
        "evaluate.results_dir": str(OUT),
    }


def test_the_inferred_settings_of_an_engine() -> None:
    found = infer(rules_of("gen_trt_engine"), from_parent(ONNX))
    assert found["gen_trt_engine.onnx_file"] == str(ONNX)
    assert found["gen_trt_engine.trt_engine"] == str(OUT / "centerpose.engine")
    cache = "gen_trt_engine.tensorrt.calibration.cal_cache_file"
    assert found[cache] == str(OUT / "centerpose_calibration.cache")


def test_settings_that_metadata_forgets_are_filled_in_by_their_names() -> None:
    rules = rules_of("export")
    silent = replace(rules.skill, actions={"export": ActionInfo("export")})
    found = function_names(replace(rules, skill=silent))
    assert found["export.checkpoint"] == "parent_model"
    assert found["export.onnx_file"] == "create_onnx_file"
    assert not any(key.startswith("evaluate.") for key in found)


def test_unknown_functions_stop_nothing_and_are_all_named() -> None:
    rules = rules_of("export")
    given = {"export.onnx_file": "create_onnx_file_2d", "export.gpu_id": "make_coffee"}
    info = ActionInfo("export", spec_params={**given, "results_dir": "output_dir"})
    odd = replace(rules, skill=replace(rules.skill, actions={"export": info}))
    assert unknown_functions(odd) == given
    assert function_names(odd)["results_dir"] == "output_dir"
    assert infer(odd, BARE)["export.onnx_file"] == str(OUT / "centerpose.onnx")  # by its name
    notes = unfilled_notes(odd, {"export": {"gpu_id": 0}}, {"export.onnx_file": "/x.onnx"})
    assert notes == (
        "export.gpu_id stays 0, as the template has it: the skill fills it in by make_coffee,"
        " which is not known here; --set export.gpu_id=VALUE gives it",
    )


def test_weights_of_a_registry_are_asked_for_where_there_are_none() -> None:
    rules = rules_of("train")
    weights = "model.backbone.pretrained_backbone_path"
    info = ActionInfo("train", spec_params={weights: "ptm"})
    odd = replace(rules, skill=replace(rules.skill, actions={"train": info}))
    (note,) = unfilled_notes(odd, {}, {})
    assert f"--set {weights}=PATH" in note
    assert unfilled_notes(odd, {}, {weights: "/w.pth"}) == ()
    assert infer(odd, replace(BARE, pretrained=CHECKPOINT))[weights] == str(CHECKPOINT)
    assert weights not in infer(odd, BARE)


def test_the_parent_comes_before_the_registry() -> None:
    both = replace(from_parent(CHECKPOINT), pretrained=ONNX)
    assert value("parent_model_or_ptm", "train.checkpoint", both) == str(CHECKPOINT)
    assert value("parent_model_or_ptm", "train.checkpoint", replace(both, parent=None)) == str(
        ONNX
    )
    assert value("parent_model_or_ptm", "train.checkpoint", BARE) is None
    assert value("create_pth_file", "prune.model", BARE) == str(OUT / "centerpose.pth")


def test_a_word_among_the_options_is_a_constant() -> None:
    rules = rules_of("train")
    given = {"train.checkpoint_interval_unit": "step", "dataset.category": "coco_dataset"}
    info = ActionInfo("train", spec_params=given, constants={"train.num_epochs": 7})
    odd = replace(rules, skill=replace(rules.skill, actions={"train": info}))
    assert constants_of(odd) == {"train.num_epochs": 7, "train.checkpoint_interval_unit": "step"}
    assert unknown_functions(odd) == {"dataset.category": "coco_dataset"}
