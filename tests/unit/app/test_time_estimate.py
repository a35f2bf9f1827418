"""How long a plan will take, by what has trained on this machine."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from automl.app.time_estimate import estimate_time
from automl.centerpose.hardware.compute_forecast import GFLOP_FORWARD
from automl.files import write_json
from automl.jsontext import read_json
from automl.study.layout import StudyPaths
from automl.trainers.pace import Pace, pace_of
from tests.unit.app.act_kit import add_trial, study_of
from tests.unit.app.kit import MakePlan

_GOLDEN = Path(__file__).parents[2] / "golden" / "centerpose" / "describe.json"
NANO = ("--trainer", "process", "--set", "model.backbone.model_type=nano")


def timed(folder: Path, *seconds: float) -> None:
    """A status file whose epochs took these seconds."""
    lines = [
        {"epoch": epoch, "time_per_epoch": str(timedelta(seconds=time)), "message": "Training"}
        for epoch, time in enumerate(seconds)
    ]
    (folder / "status.json").write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def trained(plan: MakePlan, *argv: str, seconds: float = 40.0) -> StudyPaths:
    """A study of one training on 8 images: epochs of 4, 6 and 10 s within these seconds."""
    made = plan("--policy", "off", *argv)
    paths = study_of(made)
    attempt = add_trial(paths, made, 0, 0.5)
    timed(attempt.folder, 4, 6, 10)
    outcome = read_json(attempt.outcome)
    write_json(attempt.outcome, {**outcome, "seconds": seconds})
    return paths


def test_the_pace_of_a_training_is_its_start_and_its_epochs(tmp_path: Path) -> None:
    timed(tmp_path, 4, 6.5, 10)
    assert pace_of(tmp_path, 45.5) == Pace(25.0, 6.5, 3)
    timed(tmp_path, 90_061.25)
    assert pace_of(tmp_path, 0.0) == Pace(0.0, 90_061.25, 1)


def test_a_file_that_times_no_epoch_has_no_pace(tmp_path: Path) -> None:
    assert pace_of(tmp_path, 10.0) is None
    (tmp_path / "status.json").write_text('{"time_per_epoch": "soon"}\nhalf a li')
    assert pace_of(tmp_path, 10.0) is None


def test_nothing_is_said_before_anything_has_trained(plan: MakePlan) -> None:
    assert estimate_time(plan("--policy", "off", *NANO)) is None


def test_the_same_network_gives_the_time_by_epochs_and_trials(plan: MakePlan) -> None:
    trained(plan, *NANO, "--name", "before")
    made = plan(*NANO, "--trials", "6", "--set", "train.num_epochs=5", "--max-concurrent", "2")
    estimate = estimate_time(made)
    assert estimate is not None
    assert (estimate.start_s, estimate.epoch_s, estimate.by) == (20.0, 6.0, "before")
    assert estimate.total_s == pytest.approx(3 * (20 + 5 * 6))
    assert "3 epochs of 8 images, 6.0s each" in str(estimate)


def test_with_rungs_fewer_trials_train_to_their_end(plan: MakePlan) -> None:
    trained(plan, *NANO, "--name", "before")
    rungs = ("--fidelity", "asha", "--set", "train.num_epochs=27", "--max-concurrent", "1")
    made = plan(*NANO, "--trials", "6", *rungs)
    assert made.config.search.rungs == (3, 9)
    estimate = estimate_time(made)
    assert estimate is not None
    epochs, starts = 3 + (9 - 3) / 3 + (27 - 9) / 9, 1 + 1 / 3 + 1 / 9
    assert estimate.total_s == pytest.approx(6 * (starts * 20 + epochs * 6))


def test_another_network_is_scaled_by_what_an_image_costs_it(plan: MakePlan) -> None:
    trained(plan, *NANO, "--name", "before")
    made = plan(
        "--policy", "off", "--trainer", "process", "--set", "model.backbone.model_type=DLA34"
    )
    estimate = estimate_time(made)
    assert estimate is not None
    assert estimate.epoch_s == pytest.approx(6.0 * GFLOP_FORWARD["DLA34"] / GFLOP_FORWARD["nano"])
    assert "this network costs 173 times that an image" in str(estimate)


def test_its_own_network_counts_before_a_newer_one(plan: MakePlan) -> None:
    trained(plan, *NANO, "--name", "own")
    other = ("--trainer", "process", "--set", "model.backbone.model_type=DLA34")
    trained(plan, *other, "--name", "newer", seconds=400.0)
    estimate = estimate_time(plan("--policy", "off", *NANO))
    assert estimate is not None
    assert estimate.by == "own"


def test_a_trainer_of_another_kind_says_nothing(plan: MakePlan) -> None:
    trained(plan, "--name", "made-up")
    assert estimate_time(plan("--policy", "off", *NANO)) is None


def test_the_known_costs_are_those_that_are_counted() -> None:
    counted = json.loads(_GOLDEN.read_text())
    rows = counted["models"] if isinstance(counted, dict) else counted
    for row in rows:
        assert GFLOP_FORWARD[row["model_type"]] == pytest.approx(row["gflop_forward"], abs=0.006)
