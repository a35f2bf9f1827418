"""Objects in another unit than the others; what only differs by its kind is left alone."""

from pathlib import Path

import numpy as np
import pytest

from automl.data.suspects.finding import Certainty, FindingKind
from automl.data.suspects.units import ObjectMeasure, check_units


def measures(count: int = 20, factor: float = 1.0) -> list[ObjectMeasure]:
    """Chairs of a doll's house and of people, near and far."""
    rng = np.random.default_rng(0)
    return [
        ObjectMeasure(
            Path(f"{k}.json"), 0, "chair",
            factor * float(rng.uniform(0.3, 1.5)), factor * float(rng.uniform(0.5, 12.0)),
        )
        for k in range(count)
    ]  # fmt: skip


def test_objects_that_differ_as_objects_do_are_left_alone() -> None:
    assert list(check_units(measures())) == []
    assert list(check_units([])) == []


@pytest.mark.parametrize(("factor", "words"), [(100.0, "100 times as"), (0.001, "1000 times as")])
def test_an_object_in_another_unit_is_named(factor: float, words: str) -> None:
    usual = measures()
    odd = ObjectMeasure(Path("odd.json"), 2, "chair", 0.8 * factor, 3.0 * factor)
    found = list(check_units([*usual, odd]))
    assert {(each.path, each.number) for each in found} == {(Path("odd.json"), 2)}
    assert len(found) == 2
    assert all(words in each.what and each.certainty is Certainty.LIKELY for each in found)
    assert ["far" in found[1].what, "near" in found[1].what] == [factor > 1, factor < 1]


def test_categories_are_not_held_against_each_other() -> None:
    cups = [ObjectMeasure(Path(f"c{k}"), 0, "pin", 0.012, 0.3) for k in range(5)]
    assert list(check_units([*measures(), *cups])) == []


@pytest.mark.parametrize(
    ("factor", "unit"), [(100.0, "centimetres?"), (1000.0, "millimetres?"), (0.001, "")]
)
def test_a_whole_split_in_another_unit_is_named_once_a_length(factor: float, unit: str) -> None:
    found = list(check_units(measures(factor=factor)))
    assert {each.kind for each in found} == {FindingKind.UNITS}
    assert {each.certainty for each in found} == {Certainty.POSSIBLE}
    assert "the middle box of 20 objects of chair" in found[0].what
    assert unit in found[0].what
