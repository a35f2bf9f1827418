"""Settings that cannot work, and settings that nothing reads."""

from typing import Any

import pytest

from automl.errors import FixInput
from automl.skill.model import Skill
from automl.skill.profile import Profile
from automl.skill.profile_file import load_profile
from automl.skill.read import own_skill_dir, read_skill
from automl.spec.build import SpecRequest, build_base
from automl.spec.notices import Notice, check_settings


@pytest.fixture(scope="module")
def skill() -> Skill:
    return read_skill(own_skill_dir())


@pytest.fixture(scope="module")
def profile() -> Profile:
    return load_profile(own_skill_dir() / "references" / "search_profile.yaml")


def _check(
    skill: Skill, profile: Profile, overrides: dict[str, Any], trainer: str = "process"
) -> tuple[Notice, ...]:
    own = {"model.backbone.model_type": "DLA34"} if trainer == "process" else {}
    base = build_base(skill, "train", SpecRequest(overrides={**own, **overrides}))
    return check_settings(base.rules, profile, base.tree, trainer)


def test_the_default_spec_is_silent(skill: Skill, profile: Profile) -> None:
    assert _check(skill, profile, {}) == ()
    assert _check(skill, profile, {}, "docker") == ()


@pytest.mark.parametrize(
    ("overrides", "trainer", "words"),
    [
        ({"train.num_nodes": 2}, "process", "train.num_nodes = 2"),
        ({"train.validation_interval": 11}, "process", "no validation would happen"),
        ({"train.checkpoint_interval": 11}, "docker", "no checkpoint would be written"),
        ({"dataset.num_classes": 2}, "docker", "one channel"),
        ({"model.backbone.model_type": "nano"}, "docker", "does not know this backbone"),
        ({"train.loss_config.mse_loss": True}, "docker", "= true"),
        ({"train.precision": "tf32"}, "docker", "fp32 and fp16"),
        ({"train.precision": "fp64"}, "process", "no other precision"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(
    skill: Skill, profile: Profile, overrides: dict[str, Any], trainer: str, words: str
) -> None:
    with pytest.raises(FixInput) as caught:
        _check(skill, profile, overrides, trainer)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model.backbone.model_type", "nano"),
        ("train.precision", "tf32"),
        ("train.precision", "bf16"),
        ("train.num_gpus", 2),
        ("train.loss_config.mse_loss", True),
        ("dataset.dense_hp", True),
    ],
)
def test_what_the_own_trainer_can_do_is_let_through(
    skill: Skill, profile: Profile, key: str, value: Any
) -> None:
    assert _check(skill, profile, {key: value}) == ()


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"train.validation_interval": 4}, "trained and never scored"),
        ({"train.optim.lr_scheduler": "Cosine"}, "train.optim.lr_scheduler = Cosine"),
        ({"evaluate.batch_size": 8}, "set dataset.batch_size"),
    ],
)
def test_a_setting_that_surprises_is_told(
    skill: Skill, profile: Profile, overrides: dict[str, Any], words: str
) -> None:
    (notice,) = _check(skill, profile, overrides)
    assert words in str(notice)


def test_general_rules_hold_for_a_skill_without_a_profile(skill: Skill) -> None:
    with pytest.raises(FixInput, match="one machine"):
        _check(skill, Profile(), {"train.num_nodes": 2})


def test_a_searched_setting_is_left_to_the_space(skill: Skill, profile: Profile) -> None:
    base = build_base(skill, "train", SpecRequest(overrides={"train.validation_interval": 4}))
    searched = ("train.validation_interval",)
    assert check_settings(base.rules, profile, base.tree, "docker", searched) == ()
