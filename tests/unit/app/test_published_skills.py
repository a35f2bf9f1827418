"""Every published skill: planned with stand-in data, refused by name without, searched."""

import os
from pathlib import Path
from typing import Any

import pytest

from automl.app.plan import Plan, make_plan
from automl.app.request import PlanRequest
from automl.app.run import start
from automl.app.screen import Silent
from automl.app.startable import check_startable
from automl.app.trainer_choice import container_preview
from automl.errors import FixInput
from automl.execution import ray_driver, serial
from automl.reports.summary import read_summary
from automl.skill.read import packaged_twin, read_skill
from automl.skill.tree import get
from tests.skills_data import mandatory_keys, stand_in

ROOT = os.environ.get("AUTOML_TAO_SKILLS", "")
SKILLS = (
    sorted(p.parents[1] for p in Path(ROOT).glob("*/references/skill_info.yaml")) if ROOT else []
)
EVERY = pytest.mark.parametrize("folder", SKILLS, ids=lambda folder: folder.name)

pytestmark = [
    pytest.mark.skills,
    pytest.mark.skipif(not SKILLS, reason="AUTOML_TAO_SKILLS names no folder"),
]


def request(folder: Path, tmp_path: Path, data: dict[str, Path], **more: Any) -> PlanRequest:
    skill = read_skill(folder)
    metric = {} if skill.metric else {"metric": "val_loss", "direction": "minimize"}
    flags = {
        "skill_dir": str(folder),
        "data": [f"{key}={path}" for key, path in data.items()],
        "gpus_per_trial": "0",
        "trainer": "docker",
        **metric,
        **more,
    }
    return PlanRequest(flags, studies_dir=tmp_path / "studies")


def planned(folder: Path, tmp_path: Path, data: dict[str, Path], **more: Any) -> Plan:
    return make_plan(request(folder, tmp_path, data, **more))


def given(folder: Path, tmp_path: Path) -> dict[str, Path]:
    skill = read_skill(folder)
    return dict(stand_in(skill, tmp_path / "data", mandatory_keys(skill)))


@EVERY
def test_a_plan_is_complete_and_mounts_every_input(folder: Path, tmp_path: Path) -> None:
    if packaged_twin(read_skill(folder)) is not None:
        pytest.skip("its data is looked into: the tests of CenterPose plan it")
    data = given(folder, tmp_path)
    plan = planned(folder, tmp_path, data)
    check_startable(plan)
    text = container_preview(plan.config, plan.skill, plan.base_spec, plan.studies_dir)
    for key, path in data.items():
        assert get(plan.base_spec, key) == str(path)
        assert f"source={path},target=/inputs/" in text


@EVERY
def test_each_mandatory_input_is_refused_by_name(folder: Path, tmp_path: Path) -> None:
    if packaged_twin(read_skill(folder)) is not None:
        pytest.skip("its data is looked into: the tests of CenterPose plan it")
    data = given(folder, tmp_path)
    for key in data:
        others = {name: path for name, path in data.items() if name != key}
        plan = planned(folder, tmp_path, others)
        with pytest.raises(FixInput) as refused:
            check_startable(plan)
        assert key in refused.value.got
        assert f"--data {key}=PATH" in refused.value.fix


@pytest.mark.slow
@EVERY
def test_a_search_of_five_trials_runs_to_its_report(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_driver, "drive", serial.drive)
    skill = read_skill(folder)
    if packaged_twin(skill) is not None:
        pytest.skip("searched by many other tests")
    metric = skill.metric or "val_loss"
    study = tmp_path / "study.yaml"
    study.write_text(f"script: {{epoch_s: 0.0, metric: {metric!r}}}\n", encoding="utf-8")
    once = [f"{key}=1" for key in skill.keys.once]
    asked = request(folder, tmp_path, {}, trainer="scripted", trials="5", confirm="0", set=once)
    plan = make_plan(PlanRequest(asked.flags, study, studies_dir=asked.studies_dir))
    ending = start(plan, Silent())
    summary = read_summary(ending.paths.folder)
    assert len(summary.trials) == 5
    assert (ending.paths.report / "index.html").is_file()
