"""What a report knows of a study folder, for every shape that a study can be left in."""

import json
import math
import os
import shlex
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import optuna
import pytest

from automl.cli.parser import build_parser
from automl.errors import FixInput
from automl.reports.findings import NOT_BEATEN, ONE_SEED, UNCHALLENGED
from automl.reports.glancing import glance_of
from automl.reports.html import render_html
from automl.reports.markdown import render_markdown
from automl.reports.status import status_text
from automl.reports.summary import read_summary
from automl.reports.text import run_footer
from automl.skill.keys import NetworkKeys
from automl.space.model import SearchSpace
from automl.study import attributes
from automl.study.config import Direction, Objective
from automl.study.layout import StudyPaths
from automl.study.limits import Limits
from automl.study.lock import StudyLock
from automl.study.records import FailureClass, Measurement, OutcomeState, TrialState
from automl.study.state import StudyState, StudyStatus, write_state
from tests.unit.reports.study_builder import (
    METRIC,
    START,
    StudyBuilder,
    Told,
    config,
    fill,
    params,
)

if TYPE_CHECKING:
    from automl.reports.model import Summary, TrialReport

_OOM = "CUDA out of memory"


def test_counts_and_order_of_a_finished_search(full_study: Path) -> None:
    summary = read_summary(full_study)
    assert [trial.number for trial in summary.trials] == list(range(8))
    assert summary.counts == {
        TrialState.COMPLETE: 5,
        TrialState.PRUNED: 1,
        TrialState.FAILED: 2,
    }
    assert summary.status is StudyStatus.FINISHED
    assert summary.n_usable == 5
    assert summary.notes == ()


def test_the_winner_is_measured_against_trial_zero(full_study: Path) -> None:
    winner = read_summary(full_study).winner
    assert winner is not None
    assert (winner.number, winner.value, winner.epoch) == (4, 0.47, 3)
    assert winner.last_value == 0.452
    assert winner.baseline == 0.31
    assert winner.difference == pytest.approx(0.16)
    assert winner.note == ONE_SEED
    changed = {change.key: (change.base, change.value) for change in winner.changes}
    assert changed == {"train.optim.lr": (6e-5, 9e-4), "dataset.batch_size": (4, 8)}


def test_a_pruned_value_never_wins(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    builder.add(0, Told(params(), [0.1, 0.2]))
    builder.add(1, Told(params(1e-3), [0.9], OutcomeState.PRUNED))
    winner = read_summary(builder.folder).winner
    assert winner is not None
    assert winner.number == 0
    assert winner.note == UNCHALLENGED
    builder.add(2, Told(params(2e-3), [0.1, 0.15]))
    winner = read_summary(builder.folder).winner
    assert winner is not None
    assert (winner.number, winner.note) == (0, NOT_BEATEN)


def test_lower_is_better_where_the_study_says_so(studies_dir: Path) -> None:
    objective = Objective("val_2DMPE", Direction.MINIMIZE)
    builder = StudyBuilder(studies_dir, config(objective=objective))
    builder.add(0, Told(params(), [0.3, 0.2], metrics={}))
    builder.add(1, Told(params(1e-3), [0.4, 0.1], metrics={}))
    summary = read_summary(builder.folder)
    assert summary.winner is not None
    assert summary.winner.number == 1
    assert summary.winner.difference == pytest.approx(-0.1)
    assert [point.best for point in summary.incumbents] == [0.2, 0.1]


def test_incumbents_follow_the_order_of_ending_and_count_all_training(full_study: Path) -> None:
    points = read_summary(full_study).incumbents
    assert [point.number for point in points] == [0, 1, 4, 7, 6]
    assert [point.best for point in points] == [0.31, 0.43, 0.47, 0.47, 0.47]
    # Trials 0 and 1, the failed 2 and 5, the pruned 3, and trial 4 itself.
    assert points[2].spent_s == 60 + 60 + 12 + 30 + 25 + 60
    assert points[-1].spent_s == sum(t.record.seconds for t in read_summary(full_study).trials)


def test_failures_are_grouped_with_evidence_and_advice(full_study: Path) -> None:
    groups = read_summary(full_study).failures
    assert [group.failure for group in groups] == [FailureClass.DIVERGED, FailureClass.OOM]
    assert groups[1].numbers == (2,)
    assert groups[1].seconds == 12
    assert _OOM in groups[1].example
    assert all(group.advice for group in groups)


@pytest.mark.parametrize(
    ("status", "is_driven", "wall_s"),
    [
        (StudyStatus.FINISHED, False, 500.0),
        (StudyStatus.RUNNING, False, 500.0),
        (StudyStatus.RUNNING, True, 507.0),
    ],
    ids=["ended", "killed", "running"],
)
def test_wall_time_is_what_the_drivers_have_written(
    studies_dir: Path, status: StudyStatus, is_driven: bool, wall_s: float
) -> None:
    builder = StudyBuilder(studies_dir)
    builder.add(0, Told(params(), [0.1], begin_s=0, seconds=60))
    state = StudyState("bike-fan", status, START.isoformat(), 8, wall_s=500.0)
    write_state(builder.paths, state)
    now = START + timedelta(seconds=7)
    if is_driven:
        with StudyLock(builder.paths, clock=lambda: now):
            summary = read_summary(builder.folder, lambda: now)
    else:
        summary = read_summary(builder.folder, lambda: now)
    assert summary.cost.wall_s == wall_s
    assert f"{wall_s // 60:.0f}m" in run_footer(summary).splitlines()[0]


def test_wall_time_counts_overlaps_once_and_pauses_not_at_all(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    builder.add(0, Told(params(), [0.1], begin_s=0, seconds=60))
    builder.add(1, Told(params(1e-3), [0.1], begin_s=30, seconds=60))
    builder.add(2, Told(params(2e-3), [0.1], begin_s=1000, seconds=10))
    cost = read_summary(builder.folder).cost
    assert cost.wall_s == 90 + 10
    assert cost.seconds == 130


def test_a_retried_trial_is_one_trial_with_two_attempts(full_study: Path) -> None:
    trial = read_summary(full_study).trial(6)
    assert trial is not None
    assert trial.record.attempts == 2
    assert [span.state for span in trial.attempts] == [OutcomeState.INTERRUPTED, OutcomeState.OK]
    assert trial.record.seconds == 80


def test_an_earlier_attempts_other_values_do_not_count(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    builder.add(0, Told(params(), [0.5, 0.6, 0.7], OutcomeState.INTERRUPTED))
    builder.add(0, Told(params(), [0.1, 0.2], attempt=2, begin_s=80))
    trial = read_summary(builder.folder).trials[0]
    assert [m.metrics[METRIC] for m in trial.measurements] == [0.1, 0.2]


def test_an_epoch_that_is_trained_anew_has_nothing_of_the_earlier_attempt(
    studies_dir: Path,
) -> None:
    builder = StudyBuilder(studies_dir)
    builder.add(0, Told(params(), [0.0, 0.6], OutcomeState.INTERRUPTED))
    builder.add(0, Told(params(), [0.0], state=None, attempt=2))
    (measurement,) = read_summary(builder.folder).trials[0].measurements
    assert measurement.metrics == {METRIC: 0.0}


def test_a_running_trial_shows_its_epochs_without_a_time(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    builder.add(0, Told(params(), [0.1, 0.2]))
    builder.add(1, Told(params(1e-3), [0.3], state=None))
    summary = read_summary(builder.folder)
    assert summary.status is StudyStatus.INTERRUPTED
    assert summary.counts[TrialState.RUNNING] == 1
    running = summary.trials[1]
    assert running.last_value == 0.3
    assert math.isnan(running.measurements[0].elapsed_s)
    value = summary.to_json()
    assert value["trials"][1]["measurements"][0]["elapsed_s"] is None
    assert value["nulls"]["trials[1].measurements[0].elapsed_s"] == "not finite: nan"


def test_without_any_trial_nothing_is_claimed_and_no_file_is_made(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    before = sorted(builder.folder.iterdir())
    summary = read_summary(builder.folder)
    assert sorted(builder.folder.iterdir()) == before
    assert summary.winner is None
    assert summary.trials == ()
    assert "no storage yet" in summary.notes[0]


def test_a_lost_journal_is_not_taken_for_a_study_that_never_began(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    (builder.folder / "trials" / "0000" / "1").mkdir(parents=True)
    with pytest.raises(FixInput, match=r"no study\.journal, though trials/0000 is there"):
        read_summary(builder.folder)


def test_without_a_success_the_failures_are_what_is_told(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir, config(limits=Limits(trials=2)))
    for number in range(2):
        builder.add(number, Told(params(), (), OutcomeState.FAILED, FailureClass.OOM, _OOM))
    summary = read_summary(builder.folder)
    assert summary.winner is None
    assert summary.incumbents == ()
    assert summary.failures[0].numbers == (0, 1)
    assert not any("winner" in command.purpose for command in summary.commands)


def test_a_failed_trial_zero_leaves_the_winner_without_a_baseline(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    builder.add(0, Told(params(), (), OutcomeState.FAILED, FailureClass.OOM, _OOM))
    builder.add(1, Told(params(1e-3), [0.4]))
    winner = read_summary(builder.folder).winner
    assert winner is not None
    assert winner.baseline is None
    assert winner.difference is None
    assert "trial 0" in winner.note


def test_one_direct_training(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir, config(policy="off"), SearchSpace())
    builder.add(0, Told({}, [0.2, 0.3]))
    summary = read_summary(builder.folder)
    assert not summary.is_search
    assert summary.n_asked == 1
    assert summary.status is StudyStatus.FINISHED


def test_a_broken_outcome_costs_a_note_and_not_the_report(full_study: Path) -> None:
    StudyPaths(full_study).attempt(1, 1).outcome.write_text('{"format": 1, "num', encoding="utf-8")
    summary = read_summary(full_study)
    assert summary.winner is not None
    assert summary.trials[1].attempts == ()
    assert summary.trials[1].last_value == 0.43
    assert any("0001" in note for note in summary.notes)


@pytest.mark.parametrize("name", ["space.json", "provenance.json"])
def test_a_broken_side_file_costs_a_note(full_study: Path, name: str) -> None:
    (full_study / name).write_text("{", encoding="utf-8")
    summary = read_summary(full_study)
    assert summary.winner is not None
    assert any(name in note for note in summary.notes)


def test_a_folder_that_is_no_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FixInput, match=r"resolved\.json"):
        read_summary(tmp_path)


def test_best_holds_the_winners_files_once_it_is_current(full_study: Path) -> None:
    paths = StudyPaths(full_study)
    before = read_summary(full_study).winner
    assert before is not None
    assert before.spec == "trials/0004/1/spec.yaml"
    assert before.checkpoint == "trials/0004/1/model_epoch_003_step_00032.pth"
    paths.best.mkdir()
    paths.best_spec.write_text("train: {}\n", encoding="utf-8")
    (paths.best / "model.pth").write_bytes(b"weights")
    paths.best_provenance.write_text(
        json.dumps({"trial": 1, "checkpoint": "model.pth"}), encoding="utf-8"
    )
    stale = read_summary(full_study).winner
    assert stale == before
    paths.best_provenance.write_text(
        json.dumps(
            {"format": 1, "trial": 4, "checkpoint": "model.pth", "checkpoint_sha256": "4be1"}
        ),
        encoding="utf-8",
    )
    current = read_summary(full_study).winner
    assert current is not None
    assert (current.spec, current.checkpoint) == ("best/train.yaml", "best/model.pth")
    assert current.checkpoint_sha256 == "4be1"


def test_a_checkpoint_that_is_gone_is_not_promised(full_study: Path) -> None:
    for file in StudyPaths(full_study).trials.rglob("*.pth"):
        file.unlink()
    winner = read_summary(full_study).winner
    assert winner is not None
    assert winner.checkpoint == ""


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (StudyStatus.STOPPED, StudyStatus.STOPPED),
        (StudyStatus.RUNNING, StudyStatus.INTERRUPTED),
    ],
)
def test_status_trusts_the_driver_until_it_died(
    studies_dir: Path, written: StudyStatus, expected: StudyStatus
) -> None:
    builder = StudyBuilder(studies_dir)
    builder.add(0, Told(params(), [0.1]))
    state = StudyState("bike-fan", written, "2026-11-22T13:05:00+00:00", 8, reason="a reason")
    write_state(builder.paths, state)
    summary = read_summary(builder.folder)
    assert summary.status is expected
    assert summary.stop_reason == "a reason"


def test_a_driver_elsewhere_is_alive_while_its_beat_is_fresh(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    beat = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
    owner = {
        "pid": os.getpid(),
        "host": f"not-{socket.gethostname()}",
        "process_started": 1,
        "started_at": beat.isoformat(),
        "heartbeat_at": beat.isoformat(),
    }
    builder.paths.lock.write_text(json.dumps(owner), encoding="utf-8")
    assert read_summary(builder.folder, lambda: beat).status is StudyStatus.RUNNING
    later = beat.replace(hour=14)
    assert read_summary(builder.folder, lambda: later).status is StudyStatus.INTERRUPTED


def test_the_scripted_trainer_is_called_fake(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir, config(trainer="scripted"))
    summary = read_summary(builder.folder)
    assert summary.is_fake
    assert summary.to_json()["fake"] is True


def test_json_is_strict_and_names_its_schema(full_study: Path) -> None:
    summary = read_summary(full_study)
    text = json.dumps(summary.to_json(), allow_nan=False)
    value = json.loads(text)
    assert value["schema"] == "automl.report/1"
    assert value["winner"]["number"] == 4
    assert value["counts"]["complete"] == 5
    assert value["nulls"] == {}


def test_a_value_that_is_not_finite_becomes_null_with_its_place(full_study: Path) -> None:
    summary = read_summary(full_study)
    broken = Measurement(0, {METRIC: 0.1}, math.inf)
    trials: tuple[TrialReport, ...] = (replace(summary.trials[0], measurements=(broken,)),)
    changed: Summary = replace(summary, trials=trials)
    value = changed.to_json()
    assert value["trials"][0]["measurements"][0]["elapsed_s"] is None
    assert value["nulls"] == {"trials[0].measurements[0].elapsed_s": "not finite: inf"}


def test_a_winner_at_the_end_of_its_range_is_pointed_out(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    builder.add(0, Told(params(), [0.1]))
    builder.add(1, Told(params(9.9e-3, 8), [0.4]))
    edges = read_summary(builder.folder).edges
    assert [(hint.key, hint.side, hint.bound) for hint in edges] == [
        ("train.optim.lr", "high", 1e-2)
    ]


def test_commands_are_complete_and_quoted(tmp_path: Path) -> None:
    folder = tmp_path / "my studies"
    builder = StudyBuilder(folder)
    builder.add(0, Told(params(), [0.1]))
    lines = {command.purpose: command.line for command in read_summary(builder.folder).commands}
    assert lines["where the winner is"] == f"automl best bike-fan --studies-dir '{folder}'"
    assert lines["go on with this study"].startswith("automl resume bike-fan")
    repeated = "automl run 'my study.yaml' --name bike-fan-again"
    assert lines["repeat it under a new name"] == repeated


def names_of(builder: StudyBuilder) -> list[str]:
    return [command.name for command in read_summary(builder.folder).commands]


def test_a_checkpoint_can_be_scored_and_its_settings_trained_longer(tmp_path: Path) -> None:
    folder = tmp_path / "my studies"
    builder = StudyBuilder(folder)
    builder.add(0, Told(params(), [0.1, 0.3, 0.2]))
    summary = read_summary(builder.folder)
    lines = {command.name: command.line for command in summary.commands}
    where = f"--studies-dir '{folder}'"
    assert lines["retrain"] == f"automl retrain --study bike-fan --epochs 6 {where}"
    assert lines["evaluate"] == f"automl evaluate --study bike-fan {where}"
    for line in (lines["retrain"], lines["evaluate"], lines["export"]):
        build_parser().parse_args(shlex.split(line)[1:])
    shown = run_footer(summary).partition("next ")[2].replace(" \\\n", " ").splitlines()
    assert [shlex.split(line)[1] for line in shown] == ["resume", "evaluate", "export"]
    assert max(map(len, run_footer(summary).splitlines())) <= 100 or len(str(folder)) > 60


def test_no_command_stands_twice(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    fill(builder)
    summary = read_summary(builder.folder)
    lines = [command.line for command in summary.commands]
    assert len(set(lines)) == len(lines)
    names = [command.name for command in summary.next_commands]
    assert names == ["evaluate", "export", "retrain", "confirm"]
    assert not set(summary.next_commands) & set(summary.other_commands)


def test_the_epochs_of_another_network_are_known_by_its_own_key(studies_dir: Path) -> None:
    keys = NetworkKeys(epochs="train.epochs")
    builder = StudyBuilder(studies_dir, config(keys=keys))
    builder.add(0, Told(params(), [0.1]))
    builder.paths.attempt(0, 1).spec.write_text("train: {epochs: 4, num_epochs: 9}")
    lines = {command.name: command.line for command in read_summary(builder.folder).commands}
    assert "--epochs 8" in lines["retrain"]


def test_without_a_checkpoint_there_is_nothing_to_score(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    builder.add(0, Told(params(), [0.1], checkpoint=False))
    names = names_of(builder)
    assert not {"evaluate", "export"} & set(names)
    assert "retrain" in names  # its settings are there


def test_without_the_spec_of_the_trial_nothing_can_be_trained_longer(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    builder.add(0, Told(params(), [0.1], checkpoint=False))
    builder.paths.attempt(0, 1).spec.unlink()
    assert "retrain" not in names_of(builder)


def test_a_script_s_checkpoint_holds_no_weights(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir, config(trainer="scripted"))
    builder.add(0, Told(params(), [0.1]))
    assert not {"retrain", "evaluate"} & set(names_of(builder))


@pytest.mark.parametrize("spec", ["train: {}", "train: {num_epochs: many}", "a: [", "- 1"])
def test_a_spec_that_names_no_epochs_is_not_trained_longer(studies_dir: Path, spec: str) -> None:
    builder = StudyBuilder(studies_dir)
    builder.add(0, Told(params(), [0.1]))
    builder.paths.attempt(0, 1).spec.write_text(spec)
    assert "retrain" not in names_of(builder)
    assert "evaluate" in names_of(builder)


def test_refused_proposals_are_counted_and_told(studies_dir: Path) -> None:
    builder = StudyBuilder(studies_dir)
    fill(builder)
    given = {attributes.NUMBER: 7, attributes.REFUSED: "trial 2 ran out of memory"}
    for _ in range(3):
        refused = optuna.trial.create_trial(
            state=optuna.trial.TrialState.COMPLETE, value=0.0, user_attrs=given
        )
        builder._study.add_trial(refused)
    builder.add(7, Told(params(1.1e-3, 6), [0.0, 0.2], begin_s=140, attempt=2))
    summary = read_summary(builder.folder)
    assert summary.n_refused == 3
    assert summary.to_json()["refused"] == 3
    now = datetime.now(UTC)
    text = status_text(glance_of(summary, None, now), summary.folder, None, now)
    assert "1 oom, 3 refused free" in text
    assert "proposals refused free: 3" in render_markdown(summary).decode()
    assert "3 proposals refused free" in render_html(summary).decode()


@pytest.mark.parametrize(
    ("failure", "offered"), [(FailureClass.NO_METRIC, False), (FailureClass.GPU, True)]
)
def test_going_on_is_offered_only_where_it_can_come_to_more(
    studies_dir: Path, failure: FailureClass, offered: bool
) -> None:
    builder = StudyBuilder(studies_dir)
    builder.add(0, Told(params(), (), OutcomeState.FAILED, failure, "why"))
    assert ("resume" in names_of(builder)) is offered
