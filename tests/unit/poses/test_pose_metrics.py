"""Each metric against a slow computation that reads the rows one by one."""

from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from automl.poses.bootstrap import difference, draws, estimate
from automl.poses.known_size import KnownSize
from automl.poses.metrics import METRICS, iou_curve, metrics_by
from automl.poses.sample import Ratio, sample_of
from automl.poses.table import PoseTable
from tests.unit.poses.make_tables import CORNERS, random_table, table_of

_BY_NAME = {metric.name: metric for metric in METRICS}


def value_of(name: str, table: PoseTable) -> float:
    sample = sample_of(table)
    found = estimate(_BY_NAME[name].statistic(sample), draws(len(sample.names))).value
    assert found is not None
    return found


def rows_of(table: PoseTable) -> list[dict[str, Any]]:
    return [{name: table[name][k] for name in table.columns} for k in range(len(table))]


def slow_precision(table: PoseTable, right: list[bool]) -> float:
    """VOC's area, score by score; detections of equal score enter together."""
    rows = rows_of(table)
    objects = {(row["index"], row["object"]) for row in rows if row["object"] >= 0}
    found = [
        (float(row["score"]), ok)
        for row, ok in zip(rows, right, strict=True)
        if not np.isnan(float(row["score"]))
    ]
    points = []
    for score in sorted({score for score, _ in found}, reverse=True):
        taken = [ok for other, ok in found if other >= score]
        points.append((sum(taken) / len(objects), sum(taken) / len(taken)))
    area, recall = 0.0, 0.0
    for k, (reached, _) in enumerate(points):
        area += (reached - recall) * max(precision for _, precision in points[k:])
        recall = reached
    return area


def best_of_each(table: PoseTable) -> list[dict[str, Any]]:
    """The row of highest score of each object that is visible enough."""
    groups = defaultdict(list)
    for row in rows_of(table):
        if row["object"] >= 0 and row["visibility"] >= 0.1:
            groups[row["index"], row["object"]].append(row)
    return [
        max(group, key=lambda row: -1.0 if np.isnan(row["score"]) else row["score"])
        for group in groups.values()
    ]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("threshold", [0.25, 0.5, 0.75])
def test_precision_of_overlap(seed: int, threshold: float) -> None:
    table = random_table(seed)
    right = [bool(overlap >= threshold) for overlap in table.numbers("iou_3d")]
    found = value_of(f"ap_iou_{round(threshold * 100)}", table)
    assert found == pytest.approx(slow_precision(table, right), abs=1e-12)


@pytest.mark.parametrize("limit", [5, 10, 15, 30])
def test_precision_of_azimuth(limit: int) -> None:
    table = random_table(9)
    right = [bool(error <= limit) for error in table.numbers("azimuth_error_deg")]
    assert value_of(f"ap_azimuth_{limit}", table) == pytest.approx(
        slow_precision(table, right), abs=1e-12
    )


@pytest.mark.parametrize(("name", "column"), [("add_auc", "add_m"), ("add_s_auc", "add_s_m")])
def test_area_under_accuracy_over_the_threshold(name: str, column: str) -> None:
    table = random_table(4)
    targets = best_of_each(table)
    # The area by a fine sum over thresholds, as PoseCNN's evaluation does it.
    shares = (np.arange(20_000) + 0.5) / 20_000
    accuracy = [
        np.mean([bool(row[column] < 0.1 * row["diameter_m"] * share) for row in targets])
        for share in shares[::20]
    ]
    assert value_of(name, table) == pytest.approx(np.mean(accuracy), abs=2e-3)


def test_average_recalls_of_bop() -> None:
    table = random_table(5)
    targets = best_of_each(table)
    surface, pixels = [], []
    for k in range(1, 11):
        limit = 0.05 * k
        surface += [bool(row["mssd_m"] < limit * row["diameter_m"]) for row in targets]
        pixels += [bool(row["mspd_px"] < 5 * k * row["width"] / 640) for row in targets]
    assert value_of("mssd_ar", table) == pytest.approx(np.mean(surface), abs=1e-12)
    assert value_of("mspd_ar", table) == pytest.approx(np.mean(pixels), abs=1e-12)


def test_keypoints_that_are_near_enough() -> None:
    table = random_table(6)
    near = [
        bool(error <= 0.1 * row["box_px"])
        for row in best_of_each(table)
        for error in row["corner_errors_px"]
    ]
    assert value_of("pck_10", table) == pytest.approx(np.mean(near), abs=1e-12)


def test_pixel_error_is_a_mean_over_detections() -> None:
    table = random_table(7)
    errors = [
        row["error_2d"]
        for row in rows_of(table)
        if not np.isnan(row["error_2d"]) and row["object"] >= 0
    ]
    assert value_of("mpe_2d", table) == pytest.approx(np.mean(errors), abs=1e-12)


def _boxes(seed: int) -> tuple[PoseTable, list[tuple[Any, Any, Any]]]:
    """Predicted and true boxes of other proportions and places, and what each row was made of."""
    rng = np.random.default_rng(seed)
    made, rows = [], []
    for index in range(20):
        true, found = (rng.uniform(0.1, 0.4, 3) for _ in range(2))
        places = [rng.uniform([-0.3, -0.3, 0.8], [0.3, 0.3, 2.0]) for _ in range(2)]
        # A pose is right up to a factor, of which no metric in metres may take notice.
        factor = float(rng.uniform(0.1, 10.0))
        made.append((true, found, places))
        rows.append({
            "index": index,
            "true_3d": (CORNERS * true / 2 + places[0]).ravel(),
            "predicted_3d": ((CORNERS * found / 2 + places[1]) * factor).ravel(),
        })  # fmt: skip
    rows.append({"index": 20, "score": np.nan})
    return table_of(rows), made


@pytest.mark.parametrize(
    ("known", "factor"),
    [
        (None, lambda true, found: true[1] / found[1]),
        (KnownSize("", 0.25), lambda _, found: 0.25 / found[1]),
        (
            KnownSize("", 0.3, (0.2, 0.3, 0.1)),
            lambda _, found: np.linalg.norm([0.2, 0.3, 0.1]) / np.linalg.norm(found),
        ),
    ],
)
def test_metres_follow_from_what_is_known(
    known: KnownSize | None, factor: Callable[[Any, Any], float]
) -> None:
    table, made = _boxes(11)
    distance, metres = [], []
    for true, found, (right, place) in made:
        moved = place * factor(true, found)
        metres.append(np.linalg.norm(moved - right))
        share = abs(np.linalg.norm(moved) - np.linalg.norm(right)) / np.linalg.norm(right)
        distance.append(share)
    by_name = {metric.name: metric for metric in metrics_by(known)}
    assert list(by_name) == list(_BY_NAME)
    sample = sample_of(table)
    values = [
        by_name[name].statistic(sample).values(np.ones((1, 21)))[0]
        for name in ("distance_known", "location_known_m")
    ]
    assert values == pytest.approx([np.mean(distance), np.mean(metres)], rel=1e-9)


def test_the_curve_falls_and_passes_through_its_points() -> None:
    table = random_table(8)
    sample = sample_of(table)
    weights = draws(len(sample.names))
    curve = [estimate(statistic, weights).value for _, statistic in iou_curve(sample)]
    assert curve[10] == pytest.approx(value_of("ap_iou_50", table))
    assert all(a is not None and b is not None and a >= b for a, b in pairwise(curve))


def test_an_image_that_counts_twice_counts_as_two_images() -> None:
    table = random_table(3, n_images=12)
    sample = sample_of(table)
    rng = np.random.default_rng(0)
    chosen = rng.integers(0, 12, size=12)
    weights = np.bincount(chosen, minlength=12).astype(float)[None]
    parts = []
    for place, image in enumerate(chosen):
        part = table.take(np.flatnonzero(table["index"] == image))
        columns = {**part.columns, "index": np.full(len(part), place)}
        parts.append(columns)
    joined = PoseTable({k: np.concatenate([part[k] for part in parts]) for k in table.columns})
    for metric in METRICS:
        found = metric.statistic(sample).values(weights)[0]
        assert found == pytest.approx(value_of(metric.name, joined), abs=1e-12), metric.name


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    held = 0
    for seed in range(120):
        shares = (np.random.default_rng(seed).random(60) < 0.6).astype(float)
        found = estimate(Ratio(shares, np.ones(60)), draws(60, seed))
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.6 <= found.high
    assert 0.88 <= held / 120 <= 0.99


def test_what_an_image_does_to_both_drops_out_of_a_difference() -> None:
    table = random_table(2)
    sample = sample_of(table)
    statistic = _BY_NAME["pck_10"].statistic(sample)
    found = difference((statistic, statistic), draws(len(sample.names)))
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)
    assert not found.excludes_zero


def test_nothing_found_scores_nothing() -> None:
    sample = sample_of(table_of([{"index": k, "score": np.nan} for k in range(5)]))
    weights = draws(5)
    values = {m.name: estimate(m.statistic(sample), weights).value for m in METRICS}
    of_found = ("mpe_2d", "distance_known", "location_known_m")
    assert [values.pop(name) for name in of_found] == [None, None, None]
    assert set(values.values()) == {0.0}


def test_one_image_has_a_value_and_no_interval() -> None:
    sample = sample_of(table_of([{"iou_3d": 0.8}]))
    found = estimate(_BY_NAME["ap_iou_75"].statistic(sample), draws(1))
    assert (found.value, found.low, found.high) == (1.0, None, None)
