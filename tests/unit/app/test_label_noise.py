"""Labels by how much a model disagrees with them, from evaluations that are reckoned by hand."""

from pathlib import Path
from typing import Any

import numpy as np

from automl.app.label_noise import rank_labels
from automl.data.suspects.finding import Certainty
from tests.unit.poses.make_tables import table_of

ROOT = Path("/data/val")


def rows(count: int = 30) -> list[dict[str, Any]]:
    """A model that finds every object about as it is labelled."""
    rng = np.random.default_rng(0)
    return [
        {"index": k, "score": 0.9, "iou_3d": float(rng.uniform(0.7, 0.9))} for k in range(count)
    ]


def test_a_good_model_and_good_labels_leave_nothing_to_look_at() -> None:
    view = rank_labels(table_of(rows()), ROOT)
    assert view.findings == ()
    assert view.n_objects == 30
    assert not view.is_weak
    assert "median 3D IoU 0.8" in view.words


def test_the_surest_disagreement_comes_first_with_its_error_in_words() -> None:
    turned = {"rotation_error_deg": 92.0, "rotation_y_deg": 92.0}
    odd = [
        {"index": 30, "score": 0.95, "iou_3d": 0.05, **turned},
        {"index": 31, "score": 0.6, "iou_3d": 0.1},
        {"index": 32, "score": np.nan, "iou_3d": np.nan, "visibility": 0.8},
    ]
    view = rank_labels(table_of([*rows(), *odd]), ROOT)
    files = [each.path for each in view.findings]
    assert files == [ROOT / f"chair/00{k}.json" for k in (30, 31, 32)]
    assert "turned 92° about its up axis" in view.findings[0].what
    assert "score 0.95, 3D IoU 0.05" in view.findings[0].what
    assert "finds nothing where this label is" in view.findings[2].what
    assert [each.certainty for each in view.findings] == [
        Certainty.LIKELY, Certainty.LIKELY, Certainty.POSSIBLE,
    ]  # fmt: skip
    assert all(each.number == 0 and each.fix for each in view.findings)


def test_a_cube_that_is_labelled_by_another_side_is_named() -> None:
    """Its box fits in space; which corner is which shows in the image."""
    odd = {"index": 30, "score": 0.9, "iou_3d": 0.85, "corner_errors_px": [120.0] * 8}
    (found,) = rank_labels(table_of([*rows(), odd]), ROOT).findings
    assert found.path == ROOT / "chair/0030.json"
    assert "corners 120 px apart" in found.what


def test_what_a_middling_model_is_quite_sure_of_is_named_all_the_same() -> None:
    rng = np.random.default_rng(1)
    middling = [{**row, "iou_3d": float(rng.uniform(0.35, 0.75))} for row in rows()]
    odd = {"index": 30, "score": 0.95, "iou_3d": 0.0}
    found = rank_labels(table_of([*middling, odd]), ROOT).findings
    assert found[0].path == ROOT / "chair/0030.json"
    assert found[0].weight > 0.9


def test_a_sure_detection_off_every_label_is_an_object_that_may_lack_one() -> None:
    extra = {"index": 4, "score": 0.8, "iou_3d": 0.0, "corner_errors_px": [400.0] * 8}
    second = {"index": 5, "score": 0.8, "iou_3d": 0.6, "corner_errors_px": [9.0] * 8}
    view = rank_labels(table_of([*rows(), extra, second]), ROOT)
    (found,) = view.findings
    assert "no label names" in found.what
    assert found.path == ROOT / "chair/0004.json"


def test_a_weak_model_says_that_it_may_not_judge() -> None:
    weak = [{**row, "score": 0.5, "iou_3d": 0.2} for row in rows()]
    view = rank_labels(table_of(weak), ROOT)
    assert view.is_weak
    assert "too low to judge" in view.words
    assert view.findings == ()  # none stands out
    assert rank_labels(table_of([]), ROOT).n_objects == 0
