"""What a skill asks of whoever runs it, and that no secret is shown."""

from pathlib import Path

from automl.app.plan import make_plan
from automl.app.request import PlanRequest
from automl.app.skill_facts import check_credentials, skill_facts
from automl.skill.read import read_skill
from tests.made_skill import LR, schema_of, write_skill

INFO = {
    "network_arch": "my_own",
    "automl_enabled": True,
    "container_image": "registry/net:1",
    "required_credentials": ["HF_TOKEN"],
    "node_spec_key": "train.machines",
    "resource_defaults": {"num_gpus": 8, "memory": "64g"},
    "actions": {"train": {"command": "net {config_path}"}},
}


def test_credentials_are_said_to_be_set_or_not_and_never_shown(tmp_path: Path) -> None:
    folder = write_skill(tmp_path / "s", INFO, schema_of({"train.lr": LR}), {"train": {"lr": 0.1}})
    skill = read_skill(folder)
    flags = {"skill_dir": str(folder), "metric": "m", "direction": "maximize", "trainer": "docker"}
    config = make_plan(PlanRequest(flags, studies_dir=tmp_path)).config
    assert list(skill_facts(skill, config, {})) == [
        "the skill needs HF_TOKEN: not set",
        "train.machines is the number of machines of one training: here it is one",
        "the skill asks for num_gpus 8, memory 64g",
    ]
    (missing,) = check_credentials(skill, config, {})
    assert missing.result == "FAIL"
    secret = {"HF_TOKEN": "hf_very_secret"}
    said = [
        *skill_facts(skill, config, secret),
        *map(str, check_credentials(skill, config, secret)),
    ]
    assert "--env HF_TOKEN passes it on" in said[0]
    assert "hf_very_secret" not in " ".join(said)
    passed = make_plan(PlanRequest({**flags, "env": ["HF_TOKEN"]}, studies_dir=tmp_path)).config
    assert next(iter(skill_facts(skill, passed, secret))) == "the skill needs HF_TOKEN: set"
