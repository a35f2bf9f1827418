"""Settings of decoding: which are tried, that they score as an evaluation would, and the gain."""

import numpy as np
import pytest

from automl.centerpose.evaluation.matching import Record
from automl.centerpose.evaluation.measures import MEASURES
from automl.centerpose.evaluation.settings import EvaluationSettings
from automl.centerpose.program.tune import candidates, confirmed


def record(index: int, *found: tuple[float, float]) -> Record:
    """An image of one object, with detections of a score and an overlap each."""
    scores = np.array([score for score, _ in found])
    overlaps = np.array([[overlap] for _, overlap in found]).reshape(-1, 1)
    measured = np.zeros((len(found), len(MEASURES)))
    return Record(index, scores, np.ones(len(found), dtype=bool), measured, overlaps)


def test_the_spec_s_own_settings_come_first_and_none_twice() -> None:
    tried = [*candidates(EvaluationSettings(0.02, 100), most=100)]
    assert tried[0] == EvaluationSettings(0.02, 100)
    assert len(tried) == len({(each.score_threshold, each.num_select) for each in tried}) == 80


def test_no_more_peaks_are_asked_for_than_were_decoded() -> None:
    tried = [*candidates(EvaluationSettings(0.3, 16), most=16)]
    assert max(each.num_select for each in tried) == 16


def test_a_gain_on_every_image_is_sure() -> None:
    default = [record(k) for k in range(12)]
    best = [record(k, (0.2, 0.8)) for k in range(12)]
    found = confirmed(default, best)
    assert (found["n_images"], found["default"], found["best"]) == (12, 0.0, 1.0)
    assert (found["gain"], found["low"], found["high"]) == (1.0, 1.0, 1.0)


def test_a_gain_on_one_image_of_twelve_is_not_sure() -> None:
    default = [record(k, (0.9, 0.8)) for k in range(11)] + [record(11)]
    best = [*default[:11], record(11, (0.2, 0.8))]
    found = confirmed(default[::-1], best)
    assert found["gain"] == pytest.approx(1 / 12)
    assert found["low"] == 0.0
    assert found["high"] > found["gain"]


def test_an_object_that_is_found_twice_counts_once() -> None:
    once, twice = [record(0, (0.9, 0.8))], [record(0, (0.9, 0.8), (0.5, 0.7))]
    found = confirmed(once, twice)
    assert found["best"] == found["default"] == 1.0
    assert found["low"] is None  # one image says nothing of others
