"""A study is held to the image that it began with."""

from pathlib import Path

import pytest

from automl.app.image import hold_to_image, pinned
from automl.errors import ResolveConflict
from automl.files import write_json
from automl.skill.read import own_skill_dir, read_skill
from automl.study.config import Direction, Objective, StudyConfig
from automl.study.layout import StudyPaths
from automl.trainers.docker.facts import Image
from automl.trainers.docker.trainer import DockerTrainer

SKILL = read_skill(own_skill_dir())


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
