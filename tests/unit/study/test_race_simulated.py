"""A short version of ``tests/bench/search/confirmation.py``: 48 searches over known truths."""

import numpy as np
import pytest

from tests.bench.search.confirmation import WAYS, one, summary

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def studies() -> list[dict[str, object]]:
    return [one(seed) for seed in range(48)]


def test_what_is_expected_overclaims_a_fraction_of_what_was_observed(
    studies: list[dict[str, float]],
) -> None:
    observed = np.mean([each["observed"] for each in studies])
    assert abs(np.mean([each["expected"] for each in studies])) < 0.3 * observed


@pytest.mark.parametrize("way", [name for name in WAYS if name.startswith("race")])
def test_a_race_errs_seldom_and_comes_nearer_to_the_best(
    studies: list[dict[str, object]], way: str
) -> None:
    found = summary(studies)["ways"][way]
    assert found["false positives"]["share"] <= 0.05
    assert found["gains above 0.01 found"]["share"] >= 0.75
    assert found["regret, share of the first"] <= 0.65
