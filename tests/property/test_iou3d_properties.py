import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.centerpose.evaluation import boxes as torch_boxes
from automl.centerpose.evaluation.boxes import Boxes
from automl.centerpose.evaluation.iou3d import box_iou, symmetric_iou
from automl.data.geometry import Array, box_keypoints, rotation_of

# Grid-like numbers too: coinciding faces and edges are where clipping goes wrong.
sizes = st.one_of(
    st.floats(0.05, 2.0, allow_subnormal=False), st.sampled_from([0.25, 0.5, 1.0, 2.0])
)
places = st.one_of(
    st.floats(-1.0, 1.0, allow_subnormal=False), st.sampled_from([-0.5, -0.25, 0.0, 0.25, 0.5])
)
parts = st.one_of(st.floats(-1.0, 1.0, allow_subnormal=False), st.sampled_from([0.0, 1.0]))
quaternions = st.tuples(parts, parts, parts, parts).filter(
    lambda q: float(np.linalg.norm(q)) > 1e-3
)


@st.composite
def keypoints(draw: st.DrawFn) -> Array:
    """(9, 3) keypoints of a box near the origin."""
    rotation = rotation_of(draw(quaternions))
    size = draw(st.tuples(sizes, sizes, sizes))
    center = draw(st.tuples(places, places, places))
    return np.asarray(box_keypoints(size) @ rotation.T + np.array(center))


def fit_boxes(points: Array) -> Boxes:
    return torch_boxes.fit_boxes(torch.from_numpy(points)[None])


def iou(first: Array, second: Array) -> float:
    return float(box_iou(fit_boxes(first), fit_boxes(second))[0])


@given(keypoints(), keypoints())
@settings(deadline=None)
def test_lies_between_zero_and_the_ratio_of_volumes(first: Array, second: Array) -> None:
    small, large = sorted(float(fit_boxes(box).volume()[0]) for box in (first, second))
    assert 0.0 <= iou(first, second) <= small / large + 1e-6


@given(keypoints(), keypoints())
@settings(deadline=None)
def test_is_symmetric(first: Array, second: Array) -> None:
    assert abs(iou(first, second) - iou(second, first)) < 1e-6


@given(keypoints())
@settings(deadline=None)
def test_is_one_for_the_same_box(box: Array) -> None:
    assert abs(iou(box, box) - 1.0) < 1e-7


@given(keypoints(), keypoints(), quaternions, st.tuples(places, places, places))
@settings(deadline=None)
def test_rigid_motion_changes_nothing(
    first: Array, second: Array, turn: tuple[float, ...], shift: tuple[float, ...]
) -> None:
    rotation = rotation_of(turn)
    moved = [box @ rotation.T + 3.0 * np.array(shift) for box in (first, second)]
    assert abs(iou(first, second) - iou(*moved)) < 1e-6


@given(keypoints(), keypoints(), st.floats(1e-6, 10.0))
@settings(deadline=None)
def test_is_zero_on_two_sides_of_a_plane(first: Array, second: Array, gap: float) -> None:
    """Down to a millionth of the boxes' size between them."""
    shift = first[1:, 0].max() + gap - second[1:, 0].min()
    assert iou(first, second + np.array([shift, 0.0, 0.0])) < 1e-12


@given(keypoints(), st.integers(0, 2), st.floats(0.1, 1.0))
@settings(deadline=None)
def test_a_box_slid_along_its_own_edge_overlaps_by_what_is_left(
    box: Array, axis: int, share: float
) -> None:
    """Four faces of each lie in planes of the other."""
    edge = 2.0 * fit_boxes(box).half[0, :, axis].numpy()
    left = 1.0 - share
    assert abs(iou(box, box + share * edge) - left / (2.0 - left)) < 1e-6


@given(keypoints(), keypoints(), st.floats(0.01, 100.0))
@settings(deadline=None)
def test_a_common_factor_changes_nothing(first: Array, second: Array, factor: float) -> None:
    assert abs(iou(first, second) - iou(factor * first, factor * second)) < 1e-6


@given(keypoints(), st.floats(0.1, 1.0))
@settings(deadline=None)
def test_a_shrunken_copy_inside_has_the_ratio_of_volumes(box: Array, factor: float) -> None:
    inner = box[0] + factor * (box - box[0])
    assert abs(iou(box, inner) - factor**3) < 1e-6


@given(keypoints(), keypoints(), st.permutations(range(3)))
@settings(deadline=None)
def test_the_order_of_the_axes_does_not_matter(
    first: Array, second: Array, order: list[int]
) -> None:
    one, other = fit_boxes(first), fit_boxes(second)
    renamed = Boxes(one.center, one.half[:, :, order])
    assert abs(box_iou(one, other)[0] - box_iou(renamed, other)[0]) < 1e-6


@given(keypoints(), keypoints(), st.integers(2, 6))
@settings(max_examples=50, deadline=None)
def test_symmetry_can_only_help(first: Array, second: Array, steps: int) -> None:
    plain = iou(first, second)
    assert float(symmetric_iou(fit_boxes(first), fit_boxes(second), steps)[0]) >= plain
