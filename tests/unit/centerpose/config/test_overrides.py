"""Overrides of the command line: Hydra's four forms."""

from typing import Any

import pytest

from automl.centerpose.config.load import load_spec
from automl.centerpose.config.overrides import apply_overrides
from automl.errors import FixInput

SPEC: dict[str, Any] = {"train": {"num_epochs": 10, "optim": {"lr": 1e-4, "lr_steps": [2, 3]}}}


def train(*overrides: str) -> dict[str, Any]:
    """The block ``train`` of the spec with overrides."""
    block: dict[str, Any] = apply_overrides(SPEC, overrides)["train"]
    return block


def test_overrides_are_yaml_and_the_last_wins() -> None:
    tree = {"train": {"num_epochs": 10}}
    result = apply_overrides(
        tree,
        [
            "train.num_epochs=20",
            "train.num_epochs=30",
            "train.optim.lr=1e-4",
            "train.optim.lr_steps=[18,25]",
            "dataset.train_data=/a=b",
            "train.results_dir=",
        ],
    )
    spec = load_spec(result, "train")
    assert spec.train.num_epochs == 30
    assert spec.train.optim.lr == 1e-4
    assert spec.train.optim.lr_steps == (18, 25)
    assert spec.dataset.train_data == "/a=b"
    assert spec.train.results_dir == ""
    assert tree == {"train": {"num_epochs": 10}}


def test_two_plus_signs_add_or_set() -> None:
    assert train("++train.num_epochs=3")["num_epochs"] == 3
    assert train("++train.seed=3")["seed"] == 3


def test_one_plus_sign_adds_what_is_not_there() -> None:
    assert train("+train.seed=3")["seed"] == 3
    assert apply_overrides(SPEC, ["+dataset.category=bike"])["dataset"] == {"category": "bike"}
    with pytest.raises(FixInput, match=r"\+train\.num_epochs must name a setting .* that is 10"):
        train("+train.num_epochs=3")


def test_a_tilde_takes_out_so_that_the_default_stands() -> None:
    assert "num_epochs" not in train("~train.num_epochs")
    assert load_spec(apply_overrides(SPEC, ["~train"]), "train") == load_spec({}, "train")
    assert train("~train.num_epochs", "+train.num_epochs=3")["num_epochs"] == 3
    with pytest.raises(FixInput, match=r"~train\.seed must name a setting that the spec holds"):
        train("~train.seed")
    with pytest.raises(FixInput, match=r"~model\.head_conv must name"):
        train("~model.head_conv")


def test_a_tilde_with_a_value_takes_out_that_value_alone() -> None:
    assert "num_epochs" not in train("~train.num_epochs=10")
    assert "lr_steps" not in train("~train.optim.lr_steps=[2,3]")["optim"]
    with pytest.raises(FixInput, match="but got 10"):
        train("~train.num_epochs=11")


def test_a_group_is_laid_over_what_the_group_holds() -> None:
    block = train("train={seed: 4, optim: {lr: 2e-4}}")
    assert block == {"num_epochs": 10, "seed": 4, "optim": {"lr": 2e-4, "lr_steps": [2, 3]}}
    assert SPEC["train"]["optim"]["lr"] == 1e-4


@pytest.mark.parametrize(
    "override",
    [
        *("train.num_epochs", "=3", "train..lr=1", ".lr=1", "", "+", "++", "~", "+=1", "~=1"),
        *("+++train.seed=1", "+~train.seed", "+train.seed", "~~train.seed", "a b=1", "train.=1"),
        *("~train\nseed", "train.s\ted=1"),
    ],
)
def test_an_override_of_another_form_is_refused(override: str) -> None:
    with pytest.raises(FixInput, match="key=value"):
        apply_overrides({}, [override])


@pytest.mark.parametrize("sign", ["", "+", "++", "~"])
def test_an_override_that_leads_through_a_value_is_refused(sign: str) -> None:
    with pytest.raises(FixInput, match="must name a block"):
        apply_overrides({"train": {"seed": 1}}, [f"{sign}train.seed.x=1"])
