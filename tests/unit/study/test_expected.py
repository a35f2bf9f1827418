"""What trials would give with another seed."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from automl.study.config import Direction, Objective
from automl.study.expected import FEWEST, expectations
from automl.study.posterior import MOST_POINTS, squared_distances
from tests.unit.study.race_kit import UP, search, trial


def hill(point: NDArray[np.float64]) -> float:
    return 0.7 - float(((point - 0.3) ** 2).sum())


def test_the_best_value_of_forty_overclaims_and_what_is_expected_does_not() -> None:
    observed, expected = [], []
    for seed in range(12):
        done = search(np.random.default_rng(seed), hill, 3, noise=0.03)
        found = expectations(done.records, UP)
        values = [record.best_value or 0.0 for record in done.records]
        top = int(np.argmax(values))
        observed.append(values[top] - done.truth[top])
        assert found.best is not None
        expected.append(found.best.value - done.truth[found.best.number])
    assert np.mean(observed) > 0.035
    assert abs(np.mean(expected)) < 0.4 * np.mean(observed)


def test_the_noise_is_learned() -> None:
    found = [
        expectations(search(np.random.default_rng(seed), hill, 2, 0.03).records, UP).noise
        for seed in range(5)
    ]
    assert np.mean([noise for noise in found if noise is not None]) == pytest.approx(0.03, rel=0.3)


def test_a_lone_peak_is_taken_for_luck() -> None:
    values = [0.50, 0.51, 0.49, 0.50, 0.52, 0.51, 0.60, 0.50]
    records = [trial(i, value, {"lr": 0.01 * (i + 1)}) for i, value in enumerate(values)]
    found = expectations(records, UP)
    peak = found.of(6)
    assert peak is not None
    assert peak.sd is not None
    assert 0.5 < peak.value < 0.58


def test_a_trial_that_ended_far_behind_is_not_the_best_whatever_its_neighbours_gave() -> None:
    """Ten trainings of the demo on a GPU: the model expects most of one that did badly itself."""
    shown = [
        (0.0002, 0.1, 0.5857), (0.0002795, 0.1442, 0.6880), (0.001075, 0.07373, 0.9289),
        (4.414e-5, 0.4291, 0.0717), (0.001617, 0.01, 0.9126), (0.002, 1.0, 0.6032),
        (0.0008112, 0.01882, 0.8241), (0.002, 0.03604, 0.8412), (0.0008375, 0.1486, 0.8248),
        (0.001283, 0.02998, 0.5282),
    ]  # fmt: skip
    records = [
        trial(i, value, {"lr": rate, "lr_decay": decay})
        for i, (rate, decay, value) in enumerate(shown)
    ]
    found = expectations(records, UP)
    assert found.noise is not None
    highest = max(found.ranked, key=lambda each: each.value)
    assert shown[highest.number][2] < 0.9289 - 2 * found.noise
    assert found.best is not None
    assert found.best.number in {2, 4, 7}
    assert found.ranked[-1].number in {3, 9}


def test_values_without_noise_keep_their_order() -> None:
    records = [trial(i, 0.5 + 0.04 * i, {"lr": 10.0 ** (i - 5)}) for i in range(8)]
    found = expectations(records, UP)
    assert [each.number for each in found.ranked] == [7, 6, 5, 4, 3, 2, 1, 0]


def test_too_few_trials_are_as_measured() -> None:
    records = [trial(i, 0.1 * i, {"lr": float(i)}) for i in range(FEWEST - 1)]
    found = expectations(records, UP)
    assert (found.best, found.noise) == (found.of(3), None)
    assert found.sd_between(0, 1) is None


def test_what_never_differs_is_as_measured() -> None:
    found = expectations([trial(i, 0.5, {"lr": float(i)}) for i in range(9)], UP)
    assert found.best is not None
    assert (found.best.number, found.best.value, found.best.sd) == (0, 0.5, None)


def test_the_direction_turns_the_order() -> None:
    done = search(np.random.default_rng(1), hill, 2, 0.02)
    down = Objective("error", Direction.MINIMIZE)
    mirrored = [replace(each, best_value=-(each.best_value or 0.0)) for each in done.records]
    ours, theirs = expectations(done.records, UP), expectations(mirrored, down)
    assert [each.number for each in ours.ranked] == [each.number for each in theirs.ranked]
    assert ours.best is not None
    assert theirs.best is not None
    assert ours.best.value == pytest.approx(-theirs.best.value)


def test_more_trials_than_a_model_holds() -> None:
    done = search(np.random.default_rng(0), hill, 2, 0.02, n_trials=MOST_POINTS + 20)
    found = expectations(done.records, UP)
    assert len(found.ranked) == MOST_POINTS
    assert found.best is not None


def test_a_collapsed_training_does_not_hide_the_differences_of_the_others() -> None:
    done = search(np.random.default_rng(2), hill, 2, 0.01)
    broken = [replace(done.records[7], best_value=-50.0)]
    records = [*done.records[:7], *broken, *done.records[8:]]
    found = expectations(records, UP)
    assert found.noise is not None
    assert found.noise < 0.03


def test_distances_know_logarithms_words_and_what_is_missing() -> None:
    columns = ((1e-4, 1e-3, 1e-2), ("a", "b", "a"), (1, None, 3), (5, 5, 5), (True, False, True))
    found = squared_distances(columns, 3)
    assert found.shape == (4, 3, 3)
    assert found[0, 0, 1] == pytest.approx(0.25)
    assert found[0, 0, 2] == pytest.approx(1.0)
    assert (found[1, 0, 1], found[1, 0, 2]) == (1.0, 0.0)
    assert (found[2, 0, 1], found[2, 0, 2], found[2, 1, 1]) == (1.0, 1.0, 0.0)
