"""What flags and study files say of containers, on the way to the trainer's options."""

from pathlib import Path

import pytest

from automl.app.container import (
    container_notes,
    container_options,
    container_preview,
    hold_to_image,
    pinned,
    program_of,
)
from automl.app.settings import Layers
from automl.errors import FixInput, ResolveConflict
from automl.files import write_json
from automl.skill.read import own_skill_dir, read_skill
from automl.study.config import Direction, Objective, StudyConfig
from automl.study.layout import StudyPaths
from automl.trainers.docker.engine import Image
from automl.trainers.docker.trainer import DockerTrainer

SKILL = read_skill(own_skill_dir())
TAO = "nvcr.io/nvidia/tao/tao-toolkit:7.1.0-pyt"


def layers(flags: dict[str, object], file: dict[str, object] | None = None) -> Layers:
    return Layers([("flag", flags), ("study.yaml", file or {})])


def test_a_flag_beats_the_file_and_the_skill_names_the_image() -> None:
    asked = layers({"memory": "8g"}, {"memory": "4g", "env": ["A_KEY"]})
    options = container_options(asked, SKILL)
    assert options == {"image": TAO, "memory": "8g", "env": ["A_KEY"]}
    assert asked.origin["memory"] == "--memory"
    assert asked.origin["image"] == "skill tao-train-centerpose"


def test_a_secret_in_place_of_a_name_is_not_repeated() -> None:
    with pytest.raises(FixInput) as refused:
        container_options(layers({"env": ["A_KEY=hush"]}), SKILL)
    assert "hush" not in str(refused.value)


def test_flags_of_containers_without_containers_are_told() -> None:
    asked = layers({"image": "x:1", "memory": "8g"}, {"network": "host"})
    (note,) = container_notes(asked, "process")
    assert "--image, --memory" in note
    assert container_notes(asked, "docker") == ()
    assert container_notes(layers({}, {"image": "x:1"}), "process") == ()


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
    assert program_of("docker", {"image": image}) == program
    assert program_of("scripted", {"image": image}) == "scripted"


class _Engine:
    """Has one image, whatever the name."""

    def __init__(self, image: str) -> None:
        self._image = Image(image)

    def image(self, name: str) -> Image:
        return self._image


def config(**options: object) -> StudyConfig:
    return StudyConfig(
        *("bikes", str(SKILL.folder), "on", "default"),
        objective=Objective("val_3DIoU", Direction.MAXIMIZE),
        trainer="docker",
        trainer_options={"image": "own:1", **options},
    )


@pytest.fixture
def paths(tmp_path: Path) -> StudyPaths:
    """A study that began with the image sha256:old."""
    paths = StudyPaths(tmp_path / "bikes")
    write_json(paths.provenance, {"image": {"name": "own:1", "id": "sha256:old", "digests": []}})
    return paths


def offer(monkeypatch: pytest.MonkeyPatch, image: str) -> None:
    monkeypatch.setattr(DockerTrainer, "engine", _Engine(image))


def test_a_study_is_held_to_what_its_image_is(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "sha256:old")
    held, record = pinned(config(), SKILL)
    assert held.trainer_options["image_id"] == record["id"] == "sha256:old"


def test_the_same_image_changes_nothing(
    paths: StudyPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, "sha256:old")
    asked = config(image_id="sha256:old")
    assert hold_to_image(paths, asked, SKILL) == (asked, ())


def test_another_image_is_refused_and_can_be_accepted(
    paths: StudyPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, "sha256:new")
    asked = config(image_id="sha256:old")
    with pytest.raises(ResolveConflict, match="--accept-image"):
        hold_to_image(paths, asked, SKILL)
    held, (note,) = hold_to_image(paths, asked, SKILL, accept=True)
    assert held.trainer_options["image_id"] == "sha256:new"
    assert "sha256:old" in note
    # From now on it is the image of the study.
    assert hold_to_image(paths, held, SKILL) == (held, ())


def test_the_preview_is_the_first_trial_s_container(tmp_path: Path) -> None:
    data = tmp_path / "train"
    data.mkdir()
    text = container_preview(config(), SKILL, {"dataset": {"train_data": str(data)}}, tmp_path)
    assert text.startswith("docker run")
    assert f"source={tmp_path / 'bikes'},target=/study" in text
    assert f"source={data},target=/inputs/dataset-train_data,readonly" in text
    assert "own:1" in text
