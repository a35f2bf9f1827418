"""Pairs of parameters: what holds together is found, what holds alone is not called a pair."""

import numpy as np
import pytest

from automl.reports.forest import Column
from automl.reports.importance import importance_of
from automl.reports.interactions import PairTests, interactions_of, sentences
from tests.unit.reports.test_importance import of_lr, summary_of


def _columns(rng: np.random.Generator, n: int) -> list[tuple[str, Column]]:
    return [
        ("a", Column(rng.uniform(size=n))),
        ("b", Column(rng.uniform(size=n))),
        ("word", Column(rng.integers(3, size=n), 3)),
    ]


def _found(seed: int, strength: float, n: int = 80) -> PairTests:
    """What is found where a and b matter, one in a cliff, and together with a strength."""
    rng = np.random.default_rng(seed)
    columns = _columns(rng, n)
    a, b = (column.values - 0.5 for _, column in columns[:2])
    values = a + b - (a > 0.2) + strength * a * b + 0.1 * rng.normal(size=n)
    return interactions_of(columns, values, {"a", "b"}, np.random.default_rng(seed))


def test_a_pair_that_matters_together_is_found() -> None:
    found = _found(0, strength=6.0)
    assert found.n_tested == 3
    (pair,) = found.found
    assert (pair.first, pair.second) == ("a", "b")
    assert pair.share == pytest.approx(0.4, abs=0.2)
    (said,) = sentences(found, {"a": "lr", "b": "batch", "word": "net"})
    assert said.startswith("lr and batch matter together: 0.")


def test_what_matters_alone_is_seldom_called_a_pair() -> None:
    wrong = sum(bool(_found(seed, strength=0.0).found) for seed in range(60))
    # At 5 %, corrected for three pairs: 60 studies give 3; above 8 chance gives 0.4 %.
    assert wrong <= 8


def test_a_search_without_a_pair_says_how_many_were_tested() -> None:
    assert list(sentences(PairTests((), 3), {})) == [
        "no pair matters beyond its two parameters (3 tested, 5 %, Holm)"
    ]
    assert list(sentences(PairTests(), {})) == []


def test_pairs_are_asked_only_where_trials_suffice_and_one_matters() -> None:
    rng = np.random.default_rng(0)
    assert interactions_of(_columns(rng, 12), rng.normal(size=12), {"a"}, rng) == PairTests()
    assert interactions_of(_columns(rng, 80), rng.normal(size=80), set(), rng) == PairTests()


def test_values_without_noise_have_no_pair_to_find() -> None:
    rng = np.random.default_rng(0)
    columns = _columns(rng, 60)
    values = columns[2][1].values.astype(float)
    assert interactions_of(columns, values, {"word"}, rng).found == ()


def test_bars_hold_their_marks_and_shrink_with_more_trials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("automl.reports.importance._DRAWS_PED", 4)
    (few,), (many,) = (importance_of(summary_of(of_lr, n)).shares for n in (60, 180))
    assert set(few.intervals) == {"mdi", "fanova", "ped"}
    # PED-ANOVA takes too long to be asked again and again of many trials.
    assert set(many.intervals) == {"mdi", "fanova"}
    for low, high in (*few.intervals.values(), *many.intervals.values()):
        assert 0.0 <= low <= high <= 1.0
    low, high = few.intervals["mdi"]
    assert low - 0.05 <= few.mdi <= high + 0.05
    assert many.intervals["mdi"][1] - many.intervals["mdi"][0] < high - low
