"""The poses of a study on its page, and what its texts say of evaluations."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from automl.poses.factors import factors_of, gain_of
from automl.poses.sample import sample_of
from automl.reports.html import render_html
from automl.reports.poses.error_words import circumstances, pose_error, why_lost
from automl.reports.poses.page import PosePart, pose_part
from automl.reports.poses.tiles import BUDGET, Picture, load_pictures
from automl.reports.summary import read_summary
from automl.reports.write import write_report
from automl.study.config import DataSources
from tests.unit.poses.make_tables import table_of
from tests.unit.reports.evaluations import ap50, evaluate, poses_like
from tests.unit.reports.study_builder import StudyBuilder, config, fill

VAL, TEST = "/data/bike/val", "/data/bike/test"
COUNTED = {"val": {"images": 40}, "test": {"images": 30}}
RNG = np.random.default_rng(0)
GOOD = np.clip(RNG.normal(0.75, 0.1, 40), 0, 1)
POOR = np.clip(GOOD - RNG.uniform(0.0, 0.5, 40), 0, 1)
POOR[7] = np.nan


@pytest.fixture
def builder(studies_dir: Path) -> StudyBuilder:
    """A finished search that trial 4 won, with test data."""
    data = DataSources(train="/data/bike/train", val=VAL, test=TEST)
    made = StudyBuilder(studies_dir, config(data=data), images=COUNTED)
    fill(made)
    return made


def evaluated(builder: StudyBuilder) -> StudyBuilder:
    for trial, overlaps in ((4, GOOD), (0, POOR)):
        evaluate(builder, trial, VAL, ap50(overlaps), poses_like(overlaps))
        evaluate(builder, trial, TEST, ap50(overlaps[:30]), poses_like(overlaps[:30]))
    return builder


def part_of(builder: StudyBuilder, *, images: bool = True) -> PosePart:
    part = pose_part(read_summary(builder.folder), images=images)
    assert part is not None
    return part


def page_of(builder: StudyBuilder, *, images: bool = True) -> str:
    summary = read_summary(builder.folder)
    return render_html(summary, pose_part(summary, images=images)).decode()


def test_the_same_six_images_stand_side_by_side(builder: StudyBuilder) -> None:
    part = part_of(evaluated(builder))
    assert [tile.picture.number for tile in part.tiles] == [0, 8, 16, 23, 31, 39]
    assert all([who for who, _, _ in tile.sides] == ["winner", "default"] for tile in part.tiles)
    assert all(
        drawn.predicted and drawn.truth for tile in part.tiles for _, drawn, _ in tile.sides
    )


def test_the_worst_twelve_are_the_winner_s_least_overlaps(builder: StudyBuilder) -> None:
    part = part_of(evaluated(builder))
    assert [bad.picture.number for bad in part.worst] == np.argsort(GOOD)[:12].tolist()


def test_each_picture_is_in_the_page_once_and_said(builder: StudyBuilder) -> None:
    page = page_of(evaluated(builder))
    defined = re.findall(r'id="picture-(\d+)"', page)
    used = set(re.findall(r'href="#picture-(\d+)"', page))
    assert len(defined) == len(set(defined))
    assert set(defined) == used
    assert page.count("data:image/jpeg;base64,") == len(defined)
    assert re.search(rf"{len(defined)} pictures, 0\.\d\d MB of at most 2 MB", page)


def test_no_picture_of_confidential_data(builder: StudyBuilder) -> None:
    page = page_of(evaluated(builder), images=False)
    assert "data:image/jpeg" not in page
    assert "pictures are left out, as asked" in page.lower()
    assert 'class="winner" d="M' in page


def test_a_study_can_forbid_pictures_once_for_all(studies_dir: Path) -> None:
    data = DataSources(train="/t", val=VAL, test=TEST)
    made = StudyBuilder(studies_dir, config(data=data, report_images="none"), images=COUNTED)
    fill(made)
    page = write_report(evaluated(made).folder)[0].read_text(encoding="utf-8")
    assert "data:image/jpeg" not in page


def test_pictures_beyond_the_budget_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    for number in range(3):
        (tmp_path / "pictures" / f"{number:06d}.jpg").write_bytes(b"x" * (BUDGET // 3))
    wanted = [Picture(number, f"{number}.jpg", 10, 10) for number in range(3)]
    found, spent = load_pictures([tmp_path], wanted, inline=True)
    assert [bool(found[number].data) for number in range(3)] == [True, True, False]
    assert spent <= BUDGET


def test_names_of_images_are_escaped(builder: StudyBuilder) -> None:
    names = np.array([f"<b>{k}</b>&.jpg" for k in range(40)], dtype=object)
    evaluate(builder, 4, VAL, ap50(GOOD), poses_like(GOOD, image=names))
    page = page_of(builder)
    assert "<b>3</b>&.jpg" not in page


def test_scores_are_of_both_splits_and_say_which_difference_is_certain(
    builder: StudyBuilder,
) -> None:
    part = part_of(evaluated(builder))
    assert [(s.split, s.n_images) for s in part.scores] == [("validation", 40), ("test", 30)]
    rows = {row.name: row for row in part.scores[0].rows}
    assert rows["ap_iou_75"].verdict == "better"
    assert rows["pck_10"].default is not None
    assert rows["ap_iou_50"].winner.value == pytest.approx(ap50(GOOD))


def test_the_held_out_value_stands_in_verdict_tiles_and_json(builder: StudyBuilder) -> None:
    summary = read_summary(evaluated(builder).folder)
    held = summary.held_out
    assert held is not None
    assert held.winner.value == ap50(GOOD[:30])
    assert held.winner.low is not None
    assert held.gap is not None
    assert held.gap.value == pytest.approx(ap50(GOOD[:30]) - ap50(GOOD))
    assert "On the 30 held-out test images its checkpoint scores" in page_of(builder)
    assert summary.to_json()["held_out"]["n_images"] == 30


def test_evaluations_of_other_checkpoints_do_not_count_as_the_result(
    builder: StudyBuilder,
) -> None:
    folder = evaluate(builder, 4, TEST, 0.99, poses_like(GOOD))
    text = (folder / "outcome.json").read_text()
    (folder / "outcome.json").write_text(text.replace("0" * 60, "f" * 60))
    summary = read_summary(builder.folder)
    assert summary.held_out is None
    assert [each.value for each in summary.evaluations] == [0.99]


def test_a_failed_evaluation_is_said(builder: StudyBuilder) -> None:
    evaluate(builder, 4, VAL, None, evidence="CUDA out of memory")
    page = page_of(builder)
    assert "No poses to show: the evaluation failed: CUDA out of memory." in page


def test_a_trainer_that_records_no_poses_is_said(builder: StudyBuilder) -> None:
    evaluate(builder, 4, VAL, 0.47)
    assert part_of(builder).missing == (
        "No poses to show: the trainer process left scores and no record of single poses."
    )


def test_a_damaged_file_of_poses_costs_its_part_alone(builder: StudyBuilder) -> None:
    folder = evaluate(builder, 4, VAL, 0.47, poses_like(GOOD))
    (folder / "poses.parquet").write_bytes(b"torn")
    part = part_of(builder)
    assert "cannot be read" in part.missing
    assert "poses.parquet" in part.notes[0]


def test_a_study_that_was_never_evaluated_shows_nothing(builder: StudyBuilder) -> None:
    assert pose_part(read_summary(builder.folder), images=True) is None
    assert 'id="poses"' not in page_of(builder)


def test_a_script_has_no_poses(builder: StudyBuilder) -> None:
    summary = read_summary(evaluated(builder).folder)
    fake = replace(summary, config=replace(summary.config, trainer="scripted"))
    assert pose_part(fake, images=True) is None


def test_where_the_gain_comes_from_is_the_group_that_gains() -> None:
    far = np.linspace(0.5, 1.5, 60)
    good = np.full(60, 0.7) + np.random.default_rng(1).normal(0, 0.02, 60)
    poor = np.where(far > 1.25, good - 0.4, good - 0.02)
    winner, default = (sample_of(poses_like(o, distance_m=far)) for o in (good, poor))
    gain = gain_of(winner, default)
    assert gain is not None
    assert gain.said == "objects at a distance of 1.25 to 1.50 m"
    assert gain.n == 15
    assert gain.inside == pytest.approx(0.4)


def test_no_group_is_named_where_all_gain_alike_or_none_does() -> None:
    rng = np.random.default_rng(3)
    far, noise = np.linspace(0.5, 1.5, 60), rng.normal(0, 0.02, 60)
    good = np.full(60, 0.7)
    alike = sample_of(poses_like(good - 0.2 + noise, distance_m=far))
    equal = sample_of(poses_like(good + noise - noise.mean(), distance_m=far))
    winner = sample_of(poses_like(good, distance_m=far))
    assert gain_of(winner, alike) is None
    assert gain_of(winner, equal) is None


def test_groups_hold_every_object_once() -> None:
    table = poses_like(
        GOOD,
        visibility=np.linspace(0.2, 1.0, 40),
        truncation=np.linspace(0.0, 0.5, 40),
        azimuth_deg=np.linspace(-180, 179, 40),
        distance_m=np.linspace(0.5, 2.0, 40),
    )
    factors = factors_of(sample_of(table))
    assert [factor.title for factor in factors] == [
        *("distance", "azimuth", "visibility", "truncation")
    ]
    for factor in factors:
        assert sum(group.members for group in factor.groups).tolist() == [1] * 40  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"score": np.nan}, "not found"),
        ({"predicted_3d": table_of([{}]).numbers("true_3d")[0]}, "no error stands out"),
        (
            {"rotation_error_deg": 93.0, "rotation_y_deg": -92.8, "translation_z_m": -0.12},
            "turned 93° about its up axis, 0.12 m too near",
        ),
        (
            {"translation_y_m": 0.08, "translation_x_m": -0.09},
            "0.09 m too far left, 0.08 m too low",
        ),
        (
            {"predicted_3d": table_of([{}]).numbers("true_3d")[0] * 1.5},
            "50 % too large",
        ),
    ],
)
def test_errors_in_words(row: dict[str, object], said: str) -> None:
    assert pose_error(table_of([row])).startswith(said)


def test_circumstances_name_what_may_excuse_it() -> None:
    row = table_of([{"distance_m": 1.234, "visibility": 0.4, "truncation": 0.35}])
    assert circumstances(row) == "1.23 m away, 200 px long, 40 % visible, 35 % outside the image"


def test_of_a_lost_object_the_nearest_detection_is_said() -> None:
    lost = table_of([{"score": np.nan}])
    corners = lost.numbers("true_2d")[0]
    aside, far = corners + 1000.0, lost.numbers("true_3d")[0] + np.tile([0.3, 0.0, 0.4], 9)
    half = corners.reshape(9, 2).copy()
    half[:, 0] += np.ptp(half[1:, 0]) / 2
    # Half of either box is the other's too: a third of both together.
    touching = {"predicted_2d": half.ravel(), "predicted_3d": far, "object": 1}
    beside = {"predicted_2d": aside, "object": -1}
    assert why_lost(lost, table_of([beside, touching])) == (
        "nearest detection (another object's) 0.50 m off, 2D IoU 0.33"
    )
    assert why_lost(lost, table_of([beside])) == (
        "nearest detection (of one hardly visible) 0.02 m off, 2D IoU 0.00"
    )
    assert why_lost(lost, table_of([])) == "nothing was detected in the image"


def test_the_figures_show_both_sides_and_every_object(builder: StudyBuilder) -> None:
    far = np.linspace(0.5, 2.0, 40)
    for trial, overlaps in ((4, GOOD), (0, POOR)):
        evaluate(builder, trial, VAL, ap50(overlaps), poses_like(overlaps, distance_m=far))
    figures = part_of(builder).figures
    assert set(figures) == {"pose-curve", "pose-factors", "pose-look"}
    lines = {trace.name: trace for trace in figures["pose-curve"].plot.data if trace.name}
    assert lines["winner"].y[10] == pytest.approx(ap50(GOOD))
    by_distance = figures["pose-factors"].plot.data[0]
    assert [label.split("n = ")[1] for label in by_distance.x] == ["10", "10", "10", "10"]
    assert "alike in visibility and truncation" in figures["pose-factors"].caption


def test_the_look_shows_one_image_at_a_time(builder: StudyBuilder) -> None:
    part = part_of(evaluated(builder))
    look = part.figures["pose-look"].plot
    buttons = look.layout.updatemenus[0].buttons
    shown = {tile.picture.name for tile in part.tiles} | {bad.picture.name for bad in part.worst}
    assert {button.label for button in buttons} == shown
    for button in buttons:
        pairs = zip(look.data, button.args[0]["visible"], strict=True)
        names = [trace.name for trace, is_on in pairs if is_on]
        assert names == ["ground truth", "winner", "default", "camera"]
    # A box has twelve edges and a cross on one face; each line ends in a gap.
    truth = next(trace for trace in look.data if trace.name == "ground truth")
    assert len(truth.x) == 14 * 3
