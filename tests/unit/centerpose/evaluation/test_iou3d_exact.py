import numpy as np
import pytest
import torch
from scipy.optimize import linprog
from scipy.spatial import ConvexHull, HalfspaceIntersection
from scipy.spatial.transform import Rotation

from automl.centerpose.evaluation import boxes as torch_boxes
from automl.centerpose.evaluation.boxes import Boxes, keypoints_of, rotated_about_up
from automl.centerpose.evaluation.iou3d import box_iou, symmetric_iou
from automl.data.geometry import Array, box_keypoints, rotation_about_y


def fit_boxes(points: Array) -> Boxes:
    return torch_boxes.fit_boxes(torch.from_numpy(np.array(points)).view(-1, 9, 3))


def random_boxes(rng: np.random.Generator, count: int, spread: float) -> Array:
    """(N, 9, 3) keypoints of boxes in any pose."""
    rotation = Rotation.random(count, rng=rng).as_matrix()
    sizes = rng.uniform(0.2, 1.5, size=(count, 3))
    local = np.array([box_keypoints(size) for size in sizes])
    centers = rng.normal(size=(count, 1, 3)) * spread + 5.0
    return np.asarray(local @ rotation.transpose(0, 2, 1) + centers)


def half_spaces(points: Array) -> Array:
    """(6, 4) planes of a box from its corners: normal and offset, negative inside."""
    planes = []
    for far in (5, 3, 2):
        edge = points[far] - points[1]
        length = np.linalg.norm(edge)
        normal = edge / length
        planes += [[*side, -side @ points[0] - length / 2.0] for side in (normal, -normal)]
    return np.array(planes)


def slow_iou(first: Array, second: Array) -> float:
    """By the vertices of the half-spaces' intersection and the volume of their hull."""
    planes = np.concatenate([half_spaces(first), half_spaces(second)])
    deepest = linprog(
        [0.0, 0.0, 0.0, -1.0],
        A_ub=np.column_stack([planes[:, :3], np.ones(len(planes))]),
        b_ub=-planes[:, 3],
        bounds=[(None, None)] * 3 + [(0.0, None)],
    )
    if deepest.status != 0 or deepest.x[3] < 1e-9:
        return 0.0
    common = ConvexHull(HalfspaceIntersection(planes, deepest.x[:3]).intersections).volume
    volumes = [
        np.prod([np.linalg.norm(box[far] - box[1]) for far in (5, 3, 2)])
        for box in (first, second)
    ]
    return float(common / (sum(volumes) - common))


@pytest.mark.parametrize("spread", [0.05, 0.3, 0.6])
def test_equals_a_hull_of_half_spaces(spread: float) -> None:
    rng = np.random.default_rng(int(spread * 100))
    first, second = random_boxes(rng, 60, spread), random_boxes(rng, 60, spread)
    expected = [slow_iou(a, b) for a, b in zip(first, second, strict=True)]
    assert np.max(expected) > 0.1
    np.testing.assert_allclose(
        box_iou(fit_boxes(first), fit_boxes(second)), expected, atol=1e-7, rtol=0
    )


def test_equals_counting_random_points() -> None:
    rng = np.random.default_rng(5)
    first, second = random_boxes(rng, 4, 0.1), random_boxes(rng, 4, 0.1)
    for a, b in zip(first, second, strict=True):
        low, high = np.minimum(a.min(0), b.min(0)), np.maximum(a.max(0), b.max(0))
        points = rng.uniform(low, high, size=(200_000, 3))
        inside = [
            (points @ planes[:, :3].T + planes[:, 3] <= 0.0).all(axis=1)
            for planes in (half_spaces(a), half_spaces(b))
        ]
        expected = (inside[0] & inside[1]).sum() / (inside[0] | inside[1]).sum()
        assert float(box_iou(fit_boxes(a), fit_boxes(b))[0]) == pytest.approx(expected, abs=0.01)


def upright(center: Array, size: Array) -> Array:
    return box_keypoints(size) + center


def test_equals_the_closed_form_for_aligned_boxes_on_a_coarse_grid() -> None:
    """Whole numbers make most faces coincide with a face of the other box, the hardest case."""
    rng = np.random.default_rng(0)
    low = rng.integers(0, 3, size=(2, 500, 3)).astype(float)
    size = rng.integers(1, 4, size=(2, 500, 3)).astype(float)
    common = np.minimum(low[0] + size[0], low[1] + size[1]) - np.maximum(low[0], low[1])
    volume = np.prod(np.maximum(common, 0.0), axis=1)
    expected = volume / (size[0].prod(axis=1) + size[1].prod(axis=1) - volume)
    first, second = (
        np.array([upright(a + b / 2, b) for a, b in zip(low[i], size[i], strict=True)])
        for i in range(2)
    )
    turn = Rotation.from_rotvec([0.3, -0.8, 0.5]).as_matrix()
    for motion in (np.eye(3), turn):
        values = box_iou(fit_boxes(first @ motion.T), fit_boxes(second @ motion.T))
        np.testing.assert_allclose(values, expected, atol=1e-8, rtol=0)


@pytest.mark.parametrize(
    ("size", "shift", "expected"),
    [
        ((1.0, 1.0, 1.0), (1.0, 0.0, 0.0), 0.0),
        ((1.0, 1.0, 1.0), (0.5, 0.0, 0.0), 1 / 3),
        ((0.5, 0.5, 0.5), (0.0, 0.0, 0.0), 1 / 8),
        ((0.5, 0.5, 0.5), (0.25, 0.25, 0.25), 1 / 8),
        ((2.0, 0.5, 1.0), (0.0, 0.0, 0.0), 1 / 3),
        ((1.0, 1.0, 1.0), (5.0, 0.0, 0.0), 0.0),
    ],
    ids=["touching", "half over", "inside", "inside a corner", "crossing", "apart"],
)
def test_simple_pairs(size: tuple[float, ...], shift: tuple[float, ...], expected: float) -> None:
    cube = fit_boxes(box_keypoints([1.0, 1.0, 1.0]))
    other = fit_boxes(box_keypoints(size) + np.array(shift))
    assert float(box_iou(cube, other)[0]) == pytest.approx(expected, abs=1e-8)
    assert float(box_iou(other, cube)[0]) == pytest.approx(expected, abs=1e-8)


def test_an_octagon_of_two_cubes_turned_by_45_degrees() -> None:
    cube = fit_boxes(box_keypoints([1.0, 1.0, 1.0]))
    common = 2.0 * (np.sqrt(2.0) - 1.0)
    turned = rotated_about_up(cube, np.pi / 4.0)
    assert float(box_iou(cube, turned)[0]) == pytest.approx(common / (2.0 - common), abs=1e-8)


@pytest.mark.parametrize("shift", [1e-15, 1e-12, 1e-10, 1e-9, 1e-8, 1e-6])
def test_nearly_equal_boxes_overlap_nearly_wholly(shift: float) -> None:
    rng = np.random.default_rng(3)
    points = random_boxes(rng, 50, 0.3)
    moved = points + rng.normal(size=points.shape) * shift
    values = box_iou(fit_boxes(points), fit_boxes(moved))
    assert values.min() >= 1.0 - 1e-6 - 100.0 * shift


@pytest.mark.parametrize("broken", [0.0, np.nan, np.inf])
def test_a_box_without_volume_overlaps_nothing(broken: float) -> None:
    cube = fit_boxes(box_keypoints([1.0, 1.0, 1.0]))
    flat = fit_boxes(box_keypoints([1.0, 1.0, 0.0]) + broken)
    assert box_iou(cube, flat)[0] == 0.0
    assert box_iou(flat, cube)[0] == 0.0


def test_no_pairs_give_no_values() -> None:
    none = fit_boxes(np.zeros((0, 9, 3)))
    assert box_iou(none, none).shape == (0,)


def test_a_mirrored_box_is_the_same_box() -> None:
    box = fit_boxes(box_keypoints([0.3, 1.0, 0.6]))
    mirrored = fit_boxes(box_keypoints([-0.3, 1.0, 0.6]))
    assert float(box_iou(box, mirrored)[0]) == pytest.approx(1.0, abs=1e-8)


def test_the_fit_gives_back_the_box_and_averages_noise() -> None:
    rng = np.random.default_rng(4)
    points = random_boxes(rng, 20, 0.5)
    np.testing.assert_allclose(keypoints_of(fit_boxes(points)), points, atol=1e-12)
    noisy = points + rng.normal(size=points.shape) * 0.01
    error = np.linalg.norm(keypoints_of(fit_boxes(noisy)).numpy() - points, axis=2).mean()
    assert error < np.linalg.norm(noisy - points, axis=2).mean()


def test_turning_about_up_keeps_the_up_edge_and_turns_the_others() -> None:
    rng = np.random.default_rng(8)
    points = random_boxes(rng, 10, 0.5)
    boxes = fit_boxes(points)
    turned = rotated_about_up(boxes, 0.7)
    np.testing.assert_allclose(turned.half[:, :, 1], boxes.half[:, :, 1], atol=1e-12)
    half = boxes.half.numpy()
    lengths = np.linalg.norm(half, axis=1)
    axes = half / lengths[:, None, :]
    expected = axes @ rotation_about_y(0.7) * lengths[:, None, :]
    # Edges of unequal length turn as edges, so the turn acts on the axes in the object's frame.
    np.testing.assert_allclose(turned.half, expected, atol=1e-12)


def test_symmetry_tries_one_turn_fewer_than_its_steps() -> None:
    box = fit_boxes(box_keypoints([0.4, 1.0, 0.9]))
    half_turned, quarter_turned = (
        Boxes(box.center, rotated_about_up(box, angle).half) for angle in (np.pi, np.pi / 2.0)
    )
    assert float(symmetric_iou(half_turned, box, 1)[0]) == pytest.approx(1.0, abs=1e-8)
    plain = float(box_iou(quarter_turned, box)[0])
    assert plain < 0.7
    # Two steps are 0 and 360 degrees, three add 180: neither helps a quarter turn; five do.
    assert float(symmetric_iou(quarter_turned, box, 2)[0]) == pytest.approx(plain, abs=1e-8)
    assert float(symmetric_iou(quarter_turned, box, 3)[0]) == pytest.approx(plain, abs=1e-8)
    assert float(symmetric_iou(quarter_turned, box, 5)[0]) == pytest.approx(1.0, abs=1e-8)


def test_sheared_boxes_are_exact_too() -> None:
    """Equal shears of both boxes change no ratio of volumes."""
    rng = np.random.default_rng(9)
    first, second = random_boxes(rng, 30, 0.2), random_boxes(rng, 30, 0.2)
    shear = np.array([[1.0, 0.4, 0.0], [0.0, 1.0, -0.3], [0.1, 0.0, 1.0]])
    np.testing.assert_allclose(
        box_iou(fit_boxes(first @ shear.T), fit_boxes(second @ shear.T)),
        box_iou(fit_boxes(first), fit_boxes(second)),
        atol=1e-7,
    )


@pytest.mark.parametrize("jitter", [0.0, 1e-12, 1e-10, 1e-9, 1e-8])
def test_faces_that_almost_coincide_count_once(jitter: float) -> None:
    """Boxes on a grid, each turned and moved by next to nothing, at the margin's own size too."""
    rng = np.random.default_rng(1)
    low = rng.integers(0, 3, size=(2, 400, 3)).astype(float)
    size = rng.integers(1, 4, size=(2, 400, 3)).astype(float)
    common = np.minimum(low[0] + size[0], low[1] + size[1]) - np.maximum(low[0], low[1])
    volume = np.prod(np.maximum(common, 0.0), axis=1)
    expected = volume / (size[0].prod(axis=1) + size[1].prod(axis=1) - volume)
    world = Rotation.from_rotvec([0.3, -0.8, 0.5]).as_matrix()
    pair = []
    for i in range(2):
        points = [upright(a + b / 2, b) for a, b in zip(low[i], size[i], strict=True)]
        turns = Rotation.from_rotvec(rng.normal(size=(400, 3)) * jitter).as_matrix()
        moved = np.array(points) @ world.T @ turns.transpose(0, 2, 1)
        pair.append(fit_boxes(moved + rng.normal(size=(400, 1, 3)) * jitter))
    np.testing.assert_allclose(box_iou(*pair), expected, atol=1e-6, rtol=0)
