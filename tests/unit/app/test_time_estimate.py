"""How long a plan will take, by what has trained on this machine."""

import json
from dataclasses import astuple, replace
from datetime import timedelta
from pathlib import Path

import pytest

from automl.app.disk_estimate import estimate_disk
from automl.app.forewarning import forewarnings, only_parameter, opening
from automl.app.time_estimate import estimate_time
from automl.centerpose.hardware.compute_forecast import GFLOP_FORWARD
from automl.cli.plan_text import plan_text
from automl.files import write_json
from automl.jsontext import read_json
from automl.search.workload import Between
from automl.study.clock import utc_now
from automl.study.layout import StudyPaths
from automl.study.state import StudyState, StudyStatus, write_state
from automl.trainers.pace import Pace, pace_of
from tests.unit.app.act_kit import add_trial, study_of
from tests.unit.app.kit import MakePlan, OnMachine

_GOLDEN = Path(__file__).parents[2] / "golden" / "centerpose" / "describe.json"
DLA34 = ("--trainer", "process", "--set", "model.backbone.model_type=DLA34")
NANO = ("--trainer", "process", "--set", "model.backbone.model_type=nano")


def timed(folder: Path, *seconds: float) -> None:
    """A status file whose epochs took these seconds."""
    lines = [
        {"epoch": epoch, "time_per_epoch": str(timedelta(seconds=time)), "message": "Training"}
        for epoch, time in enumerate(seconds)
    ]
    (folder / "status.json").write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def trained(
    plan: MakePlan,
    *argv: str,
    seconds: float = 40.0,
    policy: tuple[str, ...] = ("--policy", "off"),
) -> StudyPaths:
    """A study of one training on 8 images: epochs of 4, 6 and 10 s within these seconds."""
    made = plan(*policy, *argv)
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


def test_nothing_is_said_of_a_gpu_that_has_trained_nothing(
    plan: MakePlan, on_machine: OnMachine
) -> None:
    on_machine(cpus=8, gpus=1)
    assert estimate_time(plan("--policy", "off", *NANO)) is None


def test_a_cpu_that_has_trained_nothing_is_judged_by_its_speed(
    plan: MakePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("automl.app.time_estimate.gflop_per_second", lambda: 40.0)
    made = plan("--policy", "off", *NANO, "--set", "train.num_epochs=10")
    estimate = estimate_time(made)
    assert estimate is not None
    assert estimate.pace.by == ""
    # 8 images of three passes and 8 of one, with two threads at the most of four fifths.
    quick = (3 * 8 + 8) * GFLOP_FORWARD["nano"] / (40.0 * 0.8 * 2)
    assert estimate.pace.epoch_s.low == pytest.approx(quick + 16 * 0.002)
    assert estimate.wall_s.low < estimate.wall_s.high
    assert "40 GFLOP/s a thread" in str(estimate)


def test_the_same_network_gives_the_time_by_epochs_and_trials(plan: MakePlan) -> None:
    trained(plan, *NANO, "--name", "before")
    made = plan(*NANO, "--trials", "6", "--set", "train.num_epochs=5", "--max-concurrent", "2")
    estimate = estimate_time(made)
    assert estimate is not None
    assert (estimate.pace.start_s, estimate.pace.by) == (Between(20.0, 20.0), "before")
    # That study had both CPUs for one training; each of these has one.
    assert astuple(estimate.pace.epoch_s) == pytest.approx((6 * 0.85, 6 * 1.3 * 2))
    assert estimate.wall_s.low == pytest.approx(3 * (20 + 5 * 6 * 0.85))
    assert estimate.gpu_hours is None
    assert "by before: 3 epochs of 8 images, 6.0s each" in str(estimate)


def test_a_study_that_ran_here_says_how_long_it_takes_again(plan: MakePlan) -> None:
    asked = (*NANO, "--trials", "6", "--set", "train.num_epochs=5")
    paths = trained(plan, *asked, "--name", "first", policy=())
    state = StudyState("first", StudyStatus.FINISHED, utc_now().isoformat(), 6, wall_s=300.0)
    write_state(paths, state)
    again = estimate_time(plan(*asked))
    assert again is not None
    assert astuple(again.wall_s) == pytest.approx((270.0, 360.0))
    assert "by first: the same study, which took 5m00s" in str(again)
    other = estimate_time(plan(*asked, "--trials", "7"))
    assert other is not None
    assert other.pace.wall_s == 0.0


def test_with_rungs_fewer_trials_train_to_their_end(plan: MakePlan) -> None:
    trained(plan, *NANO, "--name", "before")
    asked = ("--set", "train.num_epochs=27", "--max-concurrent", "1", "--trials", "6")
    rungs = plan(*NANO, "--fidelity", "asha", *asked)
    assert rungs.config.search.rungs == (3, 9)
    shorter, whole = estimate_time(rungs), estimate_time(plan(*NANO, "--fidelity", "full", *asked))
    assert shorter is not None
    assert whole is not None
    assert whole.wall_s.low == pytest.approx(6 * (20 + 27 * 6 * 0.85))
    share = 1.2 * (3 + (9 - 3) / 3 + (27 - 9) / 9) / 27
    assert shorter.wall_s.low == pytest.approx(6 * (20 + share * 27 * 6 * 0.85))
    assert shorter.wall_s.high < whole.wall_s.high


def test_what_confirms_the_winner_is_part_of_it(plan: MakePlan) -> None:
    trained(plan, *NANO, "--name", "before")
    asked = (*NANO, "--trials", "4", "--set", "train.num_epochs=2", "--max-concurrent", "1")
    alone, confirmed = estimate_time(plan(*asked)), estimate_time(plan(*asked, "--confirm", "3"))
    assert alone is not None
    assert confirmed is not None
    one = 20 + 2 * 6 * 0.85
    assert confirmed.wall_s.low == pytest.approx(alone.wall_s.low + 6 * one)
    assert confirmed.wall_s.high > alone.wall_s.high + 6 * one


def test_a_limit_of_time_ends_it(plan: MakePlan) -> None:
    trained(plan, *NANO, "--name", "before")
    estimate = estimate_time(plan(*NANO, "--trials", "60", "--max-wall", "5m"))
    assert estimate is not None
    assert estimate.wall_s.high == 300.0
    assert "(--max-wall 5m00s ends it)" in str(estimate)


def test_gpu_hours_are_those_of_all_trainings(plan: MakePlan, on_machine: OnMachine) -> None:
    on_machine(cpus=8, gpus=2)
    trained(plan, *NANO, "--name", "before")
    made = plan(*NANO, "--trials", "4", "--set", "train.num_epochs=10", "--fidelity", "full")
    estimate = estimate_time(made)
    assert estimate is not None
    assert estimate.gpu_hours is not None
    assert estimate.gpu_hours.low == pytest.approx(4 * (20 + 10 * 6 * 0.85) / 3600)
    assert estimate.wall_s.low == pytest.approx(2 * (20 + 10 * 6 * 0.85))


def test_another_network_is_scaled_by_what_an_image_costs_it(plan: MakePlan) -> None:
    trained(plan, *NANO, "--name", "before")
    estimate = estimate_time(plan("--policy", "off", *DLA34))
    assert estimate is not None
    times = 6.0 * GFLOP_FORWARD["DLA34"] / GFLOP_FORWARD["nano"]
    assert astuple(estimate.pace.epoch_s) == pytest.approx((times / 4, times * 4))
    assert "this network costs 173 times that an image" in str(estimate)


def test_its_own_network_counts_before_a_newer_one(plan: MakePlan) -> None:
    trained(plan, *NANO, "--name", "own")
    trained(plan, *DLA34, "--name", "newer", seconds=400.0)
    estimate = estimate_time(plan("--policy", "off", *NANO))
    assert estimate is not None
    assert estimate.pace.by == "own"


def test_another_machine_says_nothing(plan: MakePlan) -> None:
    paths = trained(plan, *NANO, "--name", "elsewhere")
    record = read_json(paths.provenance)
    write_json(paths.provenance, {**record, "gpus": [{"name": "NVIDIA H200"}]})
    estimate = estimate_time(plan("--policy", "off", *NANO))
    assert estimate is not None
    assert estimate.pace.by == ""


def test_a_trainer_of_another_kind_says_nothing(plan: MakePlan) -> None:
    trained(plan, "--name", "made-up")
    estimate = estimate_time(plan("--policy", "off", *NANO))
    assert estimate is not None
    assert estimate.pace.by == ""


def test_a_cpu_that_cannot_do_it_is_offered_what_it_can(
    plan: MakePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("automl.app.time_estimate.gflop_per_second", lambda: 10.0)
    asked = ("--set", "train.num_epochs=140", "--trials", "20")
    made, small = plan(*DLA34, *asked), plan(*NANO, *asked[:2])
    (text,) = forewarnings(made, estimate_time(made))
    assert "a GPU is what such a network is made for" in text
    assert "--set model.backbone.model_type=nano takes" in text
    assert text in [*opening(made)]
    assert [*forewarnings(small, estimate_time(small))] == []


def test_a_search_of_one_parameter_says_what_frees_the_other(plan: MakePlan) -> None:
    one = only_parameter(plan("--set", "train.num_epochs=10"))
    assert one == (
        "one parameter only, train.optim.lr; --set train.optim.lr_steps=[6,8] frees "
        "train.optim.lr_decay"
    )
    assert only_parameter(plan("--set", "train.num_epochs=140")) == ""
    lines = plan_text(plan("--set", "train.num_epochs=10"), first=1).splitlines()
    assert any("one parameter only" in line for line in lines[:3])


def test_the_disk_is_reckoned_by_what_is_kept(plan: MakePlan) -> None:
    asked = (*NANO, "--trials", "4", "--max-concurrent", "2", "--set", "train.num_epochs=8")
    best, every = (estimate_disk(plan(*asked, "--keep", keep)) for keep in ("best", "all"))
    assert best is not None
    assert every is not None
    assert best.checkpoint_bytes == pytest.approx(12 * 0.39e6)
    assert best.n_bytes == (4 + 2 * 3) * best.checkpoint_bytes
    assert every.n_bytes == (4 * 8 + 2 * 3) * best.checkpoint_bytes
    assert "the best checkpoint of 4 trainings" in str(best)
    short = replace(every, free=1)
    assert short.is_short
    assert str(short).endswith("which is too little: --keep best needs less")


def test_the_known_costs_are_those_that_are_counted() -> None:
    counted = json.loads(_GOLDEN.read_text())
    rows = counted["models"] if isinstance(counted, dict) else counted
    for row in rows:
        assert GFLOP_FORWARD[row["model_type"]] == pytest.approx(row["gflop_forward"], abs=0.006)
