"""The named rules for missing bounds."""

import pytest

from automl.skill.model import ParameterSchema
from automl.space.bounds import derive, rule_for


def _leaf(name: str, type_word: str = "float") -> ParameterSchema:
    return ParameterSchema(f"train.{name}", type_word)


@pytest.mark.parametrize(
    ("name", "type_word", "base", "rule"),
    [
        ("lr", "float", 1e-4, "rate"),
        ("lr_backbone", "float", 1e-5, "rate"),
        ("weight_decay", "float", 1e-4, "rate"),
        ("clip_grad_val", "float", 100.0, "rate"),
        ("lr_decay", "float", 0.1, "fraction (multiplier)"),
        ("gamma", "float", 0.1, "fraction (multiplier)"),
        ("lr_linear_proj_mult", "float", 0.1, "fraction (multiplier)"),
        ("attn_drop_rate", "float", 0.0, "fraction"),
        ("momentum", "float", 0.9, "fraction"),
        ("bbox_loss_coef", "float", 5.0, "weight"),
        ("hidden_dim", "int", 256, "size"),
        ("batch_size", "int", 4, "count"),
        ("enc_layers", "int", 6, "count"),
    ],
)
def test_which_rule_speaks(name: str, type_word: str, base: float, rule: str) -> None:
    found = rule_for(_leaf(name, type_word), base)
    assert found is not None
    assert found.rule == rule
    assert found.low <= base <= found.high


@pytest.mark.parametrize(
    ("name", "type_word", "base"),
    [
        ("focal_alpha", "float", 0.25),
        ("lr", "float", 0.0),
        ("shift", "int", -1),
        ("lr", "float", None),
    ],
)
def test_where_no_rule_speaks_there_is_no_range(
    name: str, type_word: str, base: float | None
) -> None:
    assert derive(_leaf(name, type_word), base, 0.0, None) is None


def test_a_finite_range_is_used_as_it_is() -> None:
    found = derive(_leaf("enc_layers", "int"), 6, 1, 12)
    assert found is not None
    assert (found.low, found.high, found.log) == (1, 12, False)
    assert (found.low_from, found.high_from) == ("schema minimum", "schema maximum")


def test_a_rates_minimum_of_zero_is_open() -> None:
    found = derive(_leaf("lr"), 2e-4, 0.0, 0.01)
    assert found is not None
    assert (found.low, found.high, found.log) == (2e-5, 0.01, True)


def test_a_multiplier_never_exceeds_one() -> None:
    found = derive(_leaf("gamma"), 0.5, 0.0, None)
    assert found is not None
    assert (found.low, found.high, found.log) == (0.05, 1.0, True)


def test_a_missing_count_bound_is_searched_by_its_order_of_magnitude() -> None:
    found = derive(_leaf("num_queries", "int"), 300, 1, None)
    assert found is not None
    assert (found.low, found.high, found.log) == (1, 1200, True)
    assert "x 4" in found.high_from


def test_a_base_outside_the_schema_does_not_pull_the_range_out() -> None:
    found = derive(_leaf("lr"), 5.0, None, 1.0)
    assert found is not None
    assert (found.low, found.high) == (0.1, 1.0)


def test_two_decades_are_searched_logarithmically() -> None:
    wide = derive(_leaf("lr_step_size", "int"), 40, 1, 100)
    narrow = derive(_leaf("lr_step_size", "int"), 40, 1, 99)
    assert wide is not None
    assert narrow is not None
    assert (wide.log, narrow.log) == (True, False)
