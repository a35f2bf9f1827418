"""What is known of a network beyond its skill, and what is not asked of any other."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from automl.app.networks import NETWORKS, network_of
from automl.errors import FixInput
from automl.skill.read import base_tree, own_skill_dir, read_skill
from automl.skill.tree import with_value
from automl.trainers.process import OWN_PROGRAMS

OWN = read_skill(own_skill_dir())
BACKBONE, BATCH = "model.backbone.model_type", "dataset.batch_size"


def spec(**changes: Any) -> dict[str, Any]:
    tree = base_tree(OWN, "train")
    for key, value in changes.items():
        tree = with_value(tree, key.replace("__", "."), value)
    return tree


def test_every_network_that_this_package_trains_is_known() -> None:
    assert set(NETWORKS) == set(OWN_PROGRAMS)
    assert network_of(replace(OWN, network_arch="other")) is None


def test_the_largest_trial_decides_the_forecast() -> None:
    network = network_of(OWN)
    assert network is not None
    small = network.forecast(spec(), {BACKBONE: ("nano",), BATCH: (2,)})
    mixed = network.forecast(spec(), {BACKBONE: ("nano", "fan_large"), BATCH: (2, 8)})
    assert small is not None
    assert mixed is not None
    assert small.mib < mixed.mib
    assert mixed.words.startswith("fan_large, batch 8, ")
    assert (small.parameters, mixed.parameters) == (0.39, 84.88)


@pytest.mark.parametrize(
    "searched",
    [{BACKBONE: ("nano", "unheard-of")}, {BATCH: ("${train.num_epochs}",)}],
)
def test_one_trial_that_is_not_known_leaves_no_forecast(searched: dict[str, Any]) -> None:
    network = network_of(OWN)
    assert network is not None
    assert network.forecast(spec(), searched) is None


def test_a_spec_is_held_against_the_network_s_own_types() -> None:
    network = network_of(OWN)
    assert network is not None
    network.check_spec(spec())
    with pytest.raises(FixInput, match="lr_steps"):
        network.check_spec(spec(train__optim__lr_steps=["soon"]))


def test_data_that_is_missing_is_named_by_its_setting(tmp_path: Path) -> None:
    network = network_of(OWN)
    assert network is not None
    with pytest.raises(FixInput, match=r"train data.*no dataset\.train_data.*--train-data"):
        network.check_data(spec(dataset__train_data=""), 1, 1)
    with pytest.raises(FixInput, match="train data"):
        network.check_data(spec(dataset__train_data=str(tmp_path)), 1, 1)
