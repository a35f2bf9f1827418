"""A folder as published for the network of this package borrows what TAO's format cannot say."""

import shutil
from pathlib import Path

import pytest

from automl.skill.read import own_skill_dir, packaged_twin, profile_path, read_skill
from automl.skill.tree import get, with_value
from automl.spec.build import SpecRequest, build_base
from automl.yamltext import dump_yaml, load_yaml


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """Our own skill without the profile and without the blocks that only our template has."""
    folder = tmp_path / "published"
    own = own_skill_dir()
    shutil.copytree(own / "schemas", folder / "schemas")
    (folder / "references").mkdir()
    shutil.copy(own / "references" / "skill_info.yaml", folder / "references")
    template = load_yaml(own / "references" / "spec_template_train.yaml")
    del template["evaluate"]
    template = with_value(template, "wandb.enable", True)
    (folder / "references" / "spec_template_train.yaml").write_text(dump_yaml(template))
    return folder


def test_the_objective_and_the_profile_are_those_of_the_package(published: Path) -> None:
    skill = read_skill(published)
    assert (skill.metric, skill.direction, skill.metric_worst) == ("val_3DIoU", "maximize", 0.0)
    assert profile_path(skill) == own_skill_dir() / "references" / "search_profile.yaml"


def test_validation_compares_poses_in_one_frame(published: Path) -> None:
    tree = build_base(read_skill(published), "train", SpecRequest()).tree
    assert get(tree, "evaluate.opencv") is False


def test_what_the_folder_says_itself_stands(published: Path) -> None:
    tree = build_base(read_skill(published), "train", SpecRequest()).tree
    assert get(tree, "wandb.enable") is True


def test_other_networks_and_the_package_itself_borrow_nothing(published: Path) -> None:
    info = published / "references" / "skill_info.yaml"
    info.write_text(info.read_text().replace("network_arch: centerpose", "network_arch: other"))
    assert packaged_twin(read_skill(published)) is None
    assert packaged_twin(read_skill(own_skill_dir())) is None
