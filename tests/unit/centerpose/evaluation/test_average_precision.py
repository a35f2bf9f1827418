import numpy as np
import pytest

from automl.centerpose.evaluation.matching import Record
from automl.centerpose.evaluation.measures import IOU_3D, MEASURES
from automl.centerpose.evaluation.metrics import summarise
from automl.poses.precision import average_precision


def ap(scores: list[float], right: list[bool], n_objects: int) -> float:
    passed = np.array(right, dtype=bool).reshape(-1, 1)
    return float(average_precision(np.array(scores), passed, n_objects)[0])


def image(
    scores: list[float], ious: list[list[float]], matched: list[int], n_objects: int = 0
) -> Record:
    """Detections with a score, a row of overlaps, and the object each is compared with."""
    overlaps = np.array(ious, dtype=np.float64).reshape(
        len(scores), len(ious[0]) if ious else n_objects
    )
    index = np.array(matched, dtype=np.intp)
    measured = np.zeros((len(scores), len(MEASURES)))
    measured[:, 0] = overlaps[np.arange(len(scores)), index]
    return Record(0, np.array(scores), index >= 0, measured, overlaps)


@pytest.mark.parametrize(
    ("scores", "right", "n_objects", "expected"),
    [
        ([0.9, 0.8], [True, True], 2, 1.0),
        ([0.9, 0.8], [True, True], 4, 0.5),
        ([0.9, 0.8], [False, False], 2, 0.0),
        # Recall 1/2 at precision 1, then 2/2 at 2/3.
        ([0.9, 0.8, 0.7], [True, False, True], 2, 0.5 + 0.5 * 2 / 3),
        # A wrong detection before both: the envelope lifts the first precision, 1/2, to 2/3.
        ([0.9, 0.8, 0.7], [False, True, True], 2, 2 / 3),
        # A wrong detection after everything is found costs nothing.
        ([0.9, 0.8, 0.7], [True, True, False], 2, 1.0),
        # Two detections of one object both count: more than everything is found.
        ([0.9, 0.8], [True, True], 1, 2.0),
    ],
)
def test_by_hand(scores: list[float], right: list[bool], n_objects: int, expected: float) -> None:
    assert ap(scores, right, n_objects) == pytest.approx(expected)


def test_equals_the_plain_loop() -> None:
    """VOC's rule as it is usually written: one point a detection, ends appended, envelope."""
    rng = np.random.default_rng(2)
    for _ in range(50):
        count, n_objects = int(rng.integers(1, 30)), int(rng.integers(1, 30))
        scores, right = rng.permutation(count) / count, rng.random(count) < 0.6
        recall, precision, true = [0.0], [0.0], 0
        for seen, hit in enumerate(right[np.argsort(-scores)], start=1):
            true += int(hit)
            recall.append(true / n_objects)
            precision.append(true / seen)
        recall.append(1.0)
        precision.append(0.0)
        for i in range(len(precision) - 1, 0, -1):
            precision[i - 1] = max(precision[i - 1], precision[i])
        area = sum((recall[i] - recall[i - 1]) * precision[i] for i in range(1, len(recall)))
        assert ap(scores.tolist(), right.tolist(), n_objects) == pytest.approx(area)


def test_equal_scores_enter_together() -> None:
    assert ap([0.5, 0.5], [True, False], 1) == ap([0.5, 0.5], [False, True], 1) == 0.5


def test_nothing_to_find_or_nothing_found_scores_zero() -> None:
    assert ap([0.9], [True], 0) == 0.0
    assert ap([], [], 3) == 0.0


def test_thresholds_run_from_zero_to_the_limit_and_split_the_right_way() -> None:
    iou, pixel = MEASURES[0], MEASURES[1]
    np.testing.assert_allclose(iou.thresholds(), np.arange(21) * 0.05)
    assert iou.thresholds()[10] == 0.5
    passes = iou.passes(np.array([0.5, 0.499]))
    assert passes[:, 10].tolist() == [True, False]
    assert pixel.passes(np.array([0.05, 0.051]))[:, 10].tolist() == [True, False]


def test_a_result_of_nothing_is_all_zero() -> None:
    result = summarise([])
    assert (result.ap50, result.mpe, result.mean_iou, result.ap75) == (0.0, 0.0, 0.0, 0.0)
    assert (result.n_images, result.n_objects, result.n_detections, result.n_matched) == ((0,) * 4)
    assert set(result.curves[IOU_3D]) == {0.0}


def test_objects_of_images_without_detections_lower_recall() -> None:
    missed = image([], [], [], n_objects=3)
    result = summarise([image([0.9], [[0.8]], [0]), missed])
    assert result.n_objects == 4
    assert result.ap50 == pytest.approx(0.25)
    assert result.mean_iou == pytest.approx(0.8)
    assert result.one_to_one.mean_iou == pytest.approx(0.2)


def test_copies_lift_the_containers_figure_but_not_the_one_to_one_figure() -> None:
    result = summarise([image([0.9, 0.8, 0.7], [[0.9], [0.8], [0.7]], [0, 0, 0])])
    assert result.ap50 == pytest.approx(3.0)
    assert result.ap75 == pytest.approx(2.0)
    assert result.one_to_one.ap50 == pytest.approx(1.0)
    assert result.one_to_one.ap75 == pytest.approx(1.0)
    assert result.one_to_one.mean_iou == pytest.approx(0.9)


def test_a_copy_ranked_above_another_objects_detection_costs_one_to_one_precision() -> None:
    copied = image([0.9, 0.8], [[0.9], [0.9]], [0, 0])
    single = image([0.5], [[0.9]], [0])
    assert summarise([copied, single]).one_to_one.ap50 == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_a_detection_compared_with_nothing_finds_nothing_and_comes_last() -> None:
    result = summarise([image([0.9, 0.8], [[0.9, 0.0], [0.7, 0.9]], [-1, 1])])
    assert result.n_matched == 1
    assert result.mean_iou == pytest.approx(0.9)
    assert result.ap50 == pytest.approx(0.5)
    assert result.curves[IOU_3D][0] == pytest.approx(0.5)


def test_the_better_scored_detection_chooses_first_and_the_other_takes_what_is_left() -> None:
    result = summarise([image([0.9, 0.8], [[0.7, 0.6], [0.9, 0.55]], [0, 0])])
    assert result.one_to_one.ap50 == pytest.approx(1.0)
    assert result.one_to_one.mean_iou == pytest.approx((0.7 + 0.55) / 2)


def test_a_detection_of_a_hardly_visible_object_costs_no_precision() -> None:
    """The container gives it a score of 0, so that it comes after all that was found."""
    found = image([0.6, 0.5], [[0.8, 0.1], [0.1, 0.9]], [0, 1])
    with_hidden = image([0.9, 0.6, 0.5], [[0.0, 0.0], [0.8, 0.1], [0.1, 0.9]], [-1, 0, 1])
    assert summarise([with_hidden]).ap50 == summarise([found]).ap50 == 1.0
    assert summarise([with_hidden]).n_matched == 2
