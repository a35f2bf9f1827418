import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from automl.centerpose.evaluation.decode import soft_nms
from automl.centerpose.evaluation.detections import Detections
from automl.centerpose.evaluation.metrics import average_precision

# Few different scores, so that ties are common.
ranked = st.lists(st.tuples(st.sampled_from([0.2, 0.4, 0.6, 0.8]), st.booleans()), max_size=12)


def ap(found: list[tuple[float, bool]], n_objects: int) -> float:
    scores = np.array([score for score, _ in found])
    right = np.array([hit for _, hit in found], dtype=bool).reshape(-1, 1)
    return float(average_precision(scores, right, n_objects)[0])


@given(ranked, st.integers(1, 12), st.integers(0, 1000))
@settings(deadline=None)
def test_the_order_of_detections_changes_nothing(
    found: list[tuple[float, bool]], n_objects: int, seed: int
) -> None:
    order = np.random.default_rng(seed).permutation(len(found))
    assert ap(found, n_objects) == ap([found[i] for i in order], n_objects)


@given(ranked, st.integers(1, 12))
@settings(deadline=None)
def test_it_lies_between_zero_and_recall(found: list[tuple[float, bool]], n_objects: int) -> None:
    recall = sum(hit for _, hit in found) / n_objects
    assert 0.0 <= ap(found, n_objects) <= recall + 1e-12


@given(ranked, st.integers(1, 12))
@settings(deadline=None)
def test_a_wrong_detection_turned_right_never_lowers_it(
    found: list[tuple[float, bool]], n_objects: int
) -> None:
    for i, (score, _) in enumerate(found):
        better = [*found[:i], (score, True), *found[i + 1 :]]
        assert ap(better, n_objects) >= ap(found, n_objects) - 1e-12


@given(ranked, st.integers(1, 12))
@settings(deadline=None)
def test_a_wrong_detection_below_all_others_costs_nothing(
    found: list[tuple[float, bool]], n_objects: int
) -> None:
    assert ap([*found, (0.1, False)], n_objects) == ap(found, n_objects)


@given(ranked, st.integers(1, 12))
@settings(deadline=None)
def test_only_the_ranking_matters(found: list[tuple[float, bool]], n_objects: int) -> None:
    assert ap([(score**3, hit) for score, hit in found], n_objects) == ap(found, n_objects)


corner = st.floats(-50.0, 50.0, width=32)
side = st.floats(0.0, 60.0, width=32)
box = st.tuples(corner, corner, side, side).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))


@st.composite
def detections(draw: st.DrawFn) -> Detections:
    boxes = draw(st.lists(box, max_size=8))
    scores = draw(arrays.arrays(np.float64, len(boxes), elements=st.floats(0.0, 1.0, width=32)))
    count = len(boxes)
    return Detections(
        scores=scores,
        boxes=np.array(boxes, dtype=np.float64).reshape(count, 4),
        centers=np.arange(2.0 * count).reshape(count, 2),
        points=np.zeros((count, 8, 2)),
        scale=np.ones((count, 3)),
    )


@given(detections(), st.floats(0.05, 0.9))
@settings(deadline=None)
def test_soft_nms_only_lowers_and_drops(found: Detections, threshold: float) -> None:
    left = soft_nms(found, threshold)
    assert (left.scores >= threshold).all()
    # centers tell detections apart: each appears once, with a score no higher than it had.
    index = (left.centers[:, 0] / 2.0).astype(int)
    assert len(set(index.tolist())) == len(index)
    assert (left.scores <= found.scores[index]).all()
    if (found.scores >= threshold).any():
        assert left.scores[0] == found.scores.max()


@given(detections(), st.floats(0.05, 0.9))
@settings(deadline=None)
def test_soft_nms_gives_the_best_first(found: Detections, threshold: float) -> None:
    scores = soft_nms(found, threshold).scores
    assert (np.diff(scores) <= 0.0).all()
