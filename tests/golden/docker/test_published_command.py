"""The container of each published skill's training as ``docker run``, with stand-in data."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from automl.app.plan import make_plan
from automl.app.request import PlanRequest
from automl.app.trainer_choice import container_preview
from automl.skill.read import packaged_twin, read_skill
from tests.skills_data import mandatory_keys, stand_in

_ROOT = os.environ.get("AUTOML_TAO_SKILLS", "")
_FOUND = Path(_ROOT).glob("*/references/skill_info.yaml") if _ROOT else ()
_SKILLS = sorted(path.parents[1] for path in _FOUND)

pytestmark = [
    pytest.mark.skills,
    pytest.mark.skipif(not _SKILLS, reason="AUTOML_TAO_SKILLS names no folder"),
]


@pytest.mark.parametrize("folder", _SKILLS, ids=lambda folder: folder.name)
def test_docker_run_of_a_published_skill(
    folder: Path, tmp_path: Path, golden: Callable[[str, str], None]
) -> None:
    skill = read_skill(folder)
    if packaged_twin(skill) is not None:
        pytest.skip("its own golden files show it")
    data = stand_in(skill, tmp_path / "data", mandatory_keys(skill))
    flags = {
        "skill_dir": str(folder),
        "trainer": "docker",
        "gpus_per_trial": "0",
        "name": "study",
        "data": [f"{key}={path}" for key, path in data],
        **({} if skill.metric else {"metric": "val_loss", "direction": "minimize"}),
    }
    plan = make_plan(PlanRequest(flags, studies_dir=tmp_path / "studies"))
    text = container_preview(plan.config, plan.skill, plan.base_spec, plan.studies_dir)
    text = text.replace(str(tmp_path), "/home/ana")
    text = re.sub(r"--user \d+:\d+", "--user 1001:1002", text)
    text = re.sub(r"(?m)^  --group-add .*\n", "", text)
    text = re.sub(r"(--name \S+-)[0-9a-f]{8}\b", r"\g<1>00000000", text)
    text = re.sub(r"(_THREADS)=\d+", r"\1=1", text)
    golden(f"docker/{folder.name}.txt", f"{text}\n")
