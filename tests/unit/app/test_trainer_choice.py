"""What flags and study files say of the trainer, on the way to its options."""

from pathlib import Path

import pytest

from automl.app.choices import origins
from automl.app.study_settings import TABLE
from automl.app.trainer_choice import choose_trainer, container_preview, program_of
from automl.errors import FixInput
from automl.settings.layers import Settings, merge, read_layer
from automl.skill.read import own_skill_dir, read_skill
from automl.study.config import Direction, Objective, StudyConfig

SKILL = read_skill(own_skill_dir())
TAO = "nvcr.io/nvidia/tao/tao-toolkit:7.1.0-pyt"
DOCKER: dict[str, object] = {"trainer": "docker"}


def layers(flags: dict[str, object], file: dict[str, object] | None = None) -> Settings:
    of_file = read_layer(TABLE, file or {}, "study.yaml", Path())
    return merge(TABLE, [read_layer(TABLE, flags), of_file])


def config(trainer: str, **options: object) -> StudyConfig:
    return StudyConfig(
        *("bikes", str(SKILL.folder), "on", "default"),
        objective=Objective("val_3DIoU", Direction.MAXIMIZE),
        trainer=trainer,
        trainer_options=options,
    )


def test_a_flag_beats_the_file_and_the_skill_names_the_image() -> None:
    asked = layers({"memory": "8g"}, {"memory": "4g", "env": ["A_KEY"], **DOCKER})
    chosen = choose_trainer(asked, SKILL, searches=True)
    assert chosen.options == {"image": TAO, "memory": "8g", "env": ["A_KEY"]}
    origin = origins(asked, "docker", chosen.origin)
    assert origin["memory"] == "--memory"
    assert origin["image"] == "skill tao-train-centerpose"
    assert origin["network"] == "default"


def test_a_secret_in_place_of_a_name_is_not_repeated() -> None:
    with pytest.raises(FixInput) as refused:
        choose_trainer(layers({"env": ["A_KEY=hush"], **DOCKER}), SKILL, searches=True)
    assert "hush" not in str(refused.value)


def test_flags_of_another_trainer_have_no_effect_and_no_origin() -> None:
    asked = layers({"image": "x:1", "memory": "8g", "trainer": "process"}, {"network": "host"})
    (note,) = choose_trainer(asked, SKILL, searches=True).notes
    assert note == "--image, --memory: without effect on the trainer process"
    assert not {"image", "memory", "network"} & origins(asked, "process", {}).keys()


def test_a_study_file_may_hold_settings_of_several_trainers() -> None:
    file = {"image": "x:1", "script": {"top": 0.5}, "trainer_start": "cold"}
    for name in ("process", "docker", "scripted"):
        asked = layers({}, {**file, "trainer": name})
        assert choose_trainer(asked, SKILL, searches=True).notes == ()


def test_settings_of_a_trainer_that_nobody_chose_are_named() -> None:
    (note,) = choose_trainer(layers({}, {"script": {"top": 0.5}}), SKILL, searches=True).notes
    assert note == "script (study.yaml): without effect on the trainer process"


def test_a_start_that_there_is_not_is_refused() -> None:
    with pytest.raises(FixInput, match=r"trainer_start must be one of warm, cold.*'hot'"):
        choose_trainer(layers({"trainer_start": "hot"}), SKILL, searches=True)


@pytest.mark.parametrize(
    ("image", "program"),
    [
        (TAO, "docker"),
        ("registry.local:5000/mirror/tao-toolkit@sha256:12", "docker"),
        ("centerpose-dev", "process"),
        ("registry.local:5000/tao-toolkits/own:1", "process"),
    ],
)
def test_settings_are_judged_by_the_trainer_in_the_image(image: str, program: str) -> None:
    assert program_of(config("docker", image=image)) == program
    chosen = choose_trainer(layers({"image": image, **DOCKER}), SKILL, searches=True)
    assert chosen.program == program
    assert program_of(config("scripted")) == "scripted"


def test_the_skills_own_image_is_judged_as_nvidias() -> None:
    assert choose_trainer(layers(DOCKER), SKILL, searches=True).program == "docker"


def test_the_preview_is_the_first_trial_s_container(tmp_path: Path) -> None:
    data = tmp_path / "train"
    data.mkdir()
    text = container_preview(
        config("docker", image="own:1"), SKILL, {"dataset": {"train_data": str(data)}}, tmp_path
    )
    assert text.startswith("docker run")
    assert f"source={tmp_path / 'bikes' / 'trials' / '0000' / '1'},target=/results" in text
    assert f"source={data},target=/inputs/dataset-train_data,readonly" in text
    assert "own:1" in text


def test_without_a_container_there_is_none_to_show(tmp_path: Path) -> None:
    for name in ("process", "scripted"):
        assert container_preview(config(name), SKILL, {}, tmp_path) == ""
