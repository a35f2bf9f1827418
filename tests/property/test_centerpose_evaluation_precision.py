from collections.abc import Sequence

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from automl.centerpose.evaluation.detections import Detections
from automl.centerpose.evaluation.suppress import detect
from automl.poses.precision import average_precision

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


def image(boxes: Sequence[tuple[float, ...]], scores: list[float]) -> Detections:
    """One image's detections, which their centres tell apart."""
    count = len(boxes)
    return Detections(
        scores=torch.tensor([scores], dtype=torch.float64),
        boxes=torch.tensor(boxes, dtype=torch.float64).view(1, count, 4),
        centers=torch.arange(2.0 * count, dtype=torch.float64).view(1, count, 2),
        points=torch.zeros(1, count, 8, 2, dtype=torch.float64),
        scale=torch.ones(1, count, 3, dtype=torch.float64),
    )


@st.composite
def detections(draw: st.DrawFn) -> Detections:
    boxes = draw(st.lists(box, max_size=8))
    scores = draw(arrays.arrays(np.float64, len(boxes), elements=st.floats(0.0, 1.0, width=32)))
    return image(boxes, scores.tolist())


def one_by_one(found: Detections, threshold: float) -> list[tuple[int, float]]:
    """Soft-NMS as it is usually written: which detections are left, and with what scores."""
    scores, boxes = found.scores[0].tolist(), found.boxes[0].numpy()
    rest = [i for i, score in enumerate(scores) if score > threshold]
    left: list[tuple[int, float]] = []
    while rest:
        best = max(rest, key=lambda i: (scores[i], -i))
        left.append((best, scores[best]))
        rest.remove(best)
        for i in rest:
            sides = np.minimum(boxes[best, 2:], boxes[i, 2:]) - np.maximum(
                boxes[best, :2], boxes[i, :2]
            )
            common = float(np.prod(np.maximum(sides + 1.0, 0.0)))
            areas = sum(float(np.prod(boxes[k, 2:] - boxes[k, :2] + 1.0)) for k in (best, i))
            scores[i] *= np.exp(-((common / (areas - common)) ** 2) / 0.5)
        rest = [i for i in rest if scores[i] >= threshold]
    return left


@given(detections(), st.floats(0.05, 0.9))
@settings(deadline=None)
def test_soft_nms_of_a_batch_equals_the_plain_loop(found: Detections, threshold: float) -> None:
    """The same image twice, beside one with nothing in it."""
    nothing = found.take(torch.tensor([0]))
    nothing.scores[:] = 0.0
    kept = detect(Detections.joined([found, nothing, found]), threshold)
    expected = one_by_one(found, threshold)
    assert kept.image.tolist() == [0] * len(expected) + [2] * len(expected)
    index = (kept.detections.centers[:, 0] / 2.0).int().tolist()
    assert index == [i for i, _ in expected] * 2
    scores = [score for _, score in expected] * 2
    np.testing.assert_allclose(kept.detections.scores.numpy(), scores, rtol=1e-12)


@given(detections(), st.floats(0.05, 0.9))
@settings(deadline=None)
def test_soft_nms_only_lowers_and_drops(found: Detections, threshold: float) -> None:
    left = detect(found, threshold).detections
    assert (left.scores >= threshold).all()
    # Centres tell detections apart: each appears once, with a score no higher than it had.
    index = (left.centers[:, 0] / 2.0).long()
    assert len(set(index.tolist())) == len(index)
    assert (left.scores <= found.scores[0, index]).all()
    assert (left.scores.diff() <= 0.0).all()
    if (found.scores > threshold).any():
        assert left.scores[0] == found.scores.max()
