"""A training that could not begin is refused with everything that it lacks, at the plan."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from automl.app.startable import check_startable
from automl.cli.main import main
from automl.errors import FixInput, PrepareMachine
from tests.unit.app.kit import MakePlan, MakeSkill

_TRAIN = {
    "command": "tinynet train -e {config_path}",
    "inputs": {"train.images": {"type": "folder"}, "train.classes": {"type": "file"}},
}
_INPUTS = ("images", "classes")
_TEXT = {"type": "string", "default": ""}
_LEAF = {"type": "float", "default": 1e-3, "minimum": 1e-6, "automl_enabled": True}
_METRIC = ("--metric", "mAP", "--direction", "maximize")


@pytest.fixture
def skill_dir(make_skill: MakeSkill) -> str:
    template = {"train": {"lr": 1e-3, **dict.fromkeys(_INPUTS, "")}}
    return str(
        make_skill(
            {"lr": _LEAF, **dict.fromkeys(_INPUTS, _TEXT)},
            template,
            {"actions": {"train": _TRAIN}},
        )
    )


def test_a_program_that_there_is_not_is_said_with_the_missing_data(
    skill_dir: str, studies_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ("--skill-dir", skill_dir, "--studies-dir", str(studies_dir))
    assert main(["plan", *at, *_METRIC, "--trainer", "process"]) == PrepareMachine.exit_code
    shown = capsys.readouterr()
    assert "train.lr" in shown.out
    assert "no 'tinynet' on PATH; no value for train.images, train.classes" in shown.err
    assert "use --trainer docker" in shown.err
    assert not studies_dir.exists() or not any(studies_dir.iterdir())


def test_a_run_ends_as_its_plan_did(
    skill_dir: str, studies_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ("--skill-dir", skill_dir, "--studies-dir", str(studies_dir))
    assert main(["run", *at, *_METRIC, "--trainer", "process"]) == PrepareMachine.exit_code
    assert "no 'tinynet' on PATH" in capsys.readouterr().err


def test_missing_inputs_alone_are_the_users_to_give(
    skill_dir: str,
    studies_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/opt/{name}")
    at = ("--skill-dir", skill_dir, "--studies-dir", str(studies_dir), "--trainer", "process")
    assert main(["plan", *at, *_METRIC]) == FixInput.exit_code
    assert "no value for train.images, train.classes" in capsys.readouterr().err
    inputs = ("--set", "train.images=/i", "--set", "train.classes=/c")
    assert main(["plan", *at, *_METRIC, *inputs]) == 0


def test_our_own_network_needs_no_other_program(plan: MakePlan) -> None:
    backbone = ("--set", "model.backbone.model_type=nano")
    check_startable(plan("--trainer", "process", *backbone))


def test_a_script_needs_nothing(skill_dir: str, studies_dir: Path) -> None:
    at = ("--skill-dir", skill_dir, "--studies-dir", str(studies_dir), "--trainer", "scripted")
    assert main(["plan", *at, *_METRIC]) == 0


@pytest.mark.parametrize("kind", ["file", "loop", "below a file"])
def test_studies_are_kept_in_a_folder(plan: MakePlan, tmp_path: Path, kind: str) -> None:
    place = tmp_path / "studies.txt"
    if kind == "loop":
        place.symlink_to(place)
    else:
        place.touch()
    made = replace(plan(), studies_dir=place / "a" if kind == "below a file" else place)
    with pytest.raises(FixInput, match="studies must be kept in a folder") as caught:
        check_startable(made)
    assert str(place) in caught.value.got


def test_an_address_is_no_folder_of_studies(plan: MakePlan, tmp_path: Path) -> None:
    made = replace(plan(), studies_dir=tmp_path / "s3:" / "bucket")
    with pytest.raises(FixInput, match="of this machine, but got an address") as caught:
        check_startable(made)
    assert "--study-store" in caught.value.fix
    check_startable(replace(made, studies_dir=tmp_path / "not" / "yet"))
