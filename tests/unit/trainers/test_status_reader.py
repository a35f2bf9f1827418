"""The read rule of the trainer contract, line by line."""

import json
import math
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.trainers.contract import (
    EVAL_METRICS,
    PROGRESS,
    TRAIN_FINISHED,
    TRAINING_LOOP,
    Phase,
    Status,
    StatusLine,
    StepProgress,
)
from automl.trainers.status import EpochReading, StatusReader, history

LOCAL = datetime(2026, 11, 22, 12, 0, 0).astimezone()


def metrics_of(readings: list[EpochReading]) -> list[tuple[int, dict[str, float]]]:
    return [(reading.epoch, reading.finite) for reading in readings]


def test_a_validation_belongs_to_the_next_line_that_names_an_epoch(status: Any) -> None:
    status.epoch(0, {"val_3DIoU": "0.25", "val_2DMPE": "0.5"}, loss=2.0)
    readings = StatusReader(status.path).read()
    assert metrics_of(readings) == [(0, {"train_loss": 2.0, "val_3DIoU": 0.25, "val_2DMPE": 0.5})]


def test_the_metrics_repeated_on_every_later_line_are_ignored(status: Any) -> None:
    status.epoch(0, {"val_3DIoU": "0.25"}, loss=2.0)
    status.epoch(1, loss=1.0)
    status.say(TRAIN_FINISHED)
    readings = StatusReader(status.path).read(final=True)
    assert [reading.validation for reading in readings] == [{"val_3DIoU": 0.25}, {}]
    assert [reading.training for reading in readings] == [{"train_loss": 2.0}, {"train_loss": 1.0}]


def test_a_validation_without_any_epoch_after_it_counts_for_none(status: Any) -> None:
    status.epoch(0, {"val_3DIoU": "0.25"}, loss=2.0)
    status.kpi = {"val_3DIoU": "0.75"}
    status.say(EVAL_METRICS)
    reader = StatusReader(status.path)
    assert [reading.epoch for reading in reader.read(final=True)] == [0]
    assert reader.metrics_seen == {"val_3DIoU", "train_loss"}


def test_an_epoch_without_training_metrics_is_handed_out_with_the_next_line(status: Any) -> None:
    reader = StatusReader(status.path)
    status.epoch(0, {"val_3DIoU": "0.25"})
    assert reader.read() == []
    status.epoch(1, {"val_3DIoU": "0.5"})
    assert metrics_of(reader.read()) == [(0, {"val_3DIoU": 0.25})]
    assert metrics_of(reader.read(final=True)) == [(1, {"val_3DIoU": 0.5})]
    assert reader.read(final=True) == []


def test_a_line_still_being_written_waits(status: Any) -> None:
    reader = StatusReader(status.path)
    status.epoch(0, {"val_3DIoU": "0.25"}, loss=2.0)
    content = status.path.read_bytes()
    status.path.write_bytes(content[:-20])
    assert reader.read() == []
    status.path.write_bytes(content)
    assert [reading.epoch for reading in reader.read()] == [0]


def test_a_broken_line_is_passed_over(status: Any) -> None:
    status.path.write_text('{"epoch": 7, "mess\n[1, 2]\nnull\n')
    status.epoch(0, {"val_3DIoU": "0.25"}, loss=2.0)
    assert [reading.epoch for reading in StatusReader(status.path).read()] == [0]


def test_a_missing_file_holds_nothing(tmp_path: Path) -> None:
    assert StatusReader(tmp_path / "status.json").read(final=True) == []


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity", "NaN"])
def test_values_that_are_not_finite_are_kept_apart(status: Any, text: str) -> None:
    status.epoch(0, {"val_3DIoU": text, "val_2DMPE": "0.5"}, loss=2.0)
    (reading,) = StatusReader(status.path).read()
    assert not math.isfinite(reading.validation["val_3DIoU"])
    assert reading.finite == {"val_2DMPE": 0.5, "train_loss": 2.0}


def test_failure_lines_are_collected(status: Any) -> None:
    status.say("File system error: no such folder", Status.FAILURE)
    reader = StatusReader(status.path)
    reader.read()
    assert reader.failure_messages == ["File system error: no such folder"]


@given(st.data())
def test_reading_in_pieces_reads_the_same(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("pieces") / "status.json"
    lines = []
    for epoch in range(4):
        kpi = {"val_3DIoU": str(epoch / 4)}
        lines.append(StatusLine(Status.RUNNING, EVAL_METRICS, {}, kpi).to_json(LOCAL))
        lines.append(StatusLine(Status.RUNNING, TRAINING_LOOP, {"epoch": epoch}).to_json(LOCAL))
    content = ("\n".join(lines) + "\n").encode()
    path.write_bytes(content)
    whole = StatusReader(path).read(final=True)
    cuts = data.draw(st.lists(st.integers(0, len(content)), max_size=8).map(sorted))
    reader, readings = StatusReader(path), []
    for cut in cuts:
        path.write_bytes(content[:cut])
        readings += reader.read()
    path.write_bytes(content)
    readings += reader.read(final=True)
    assert readings == whole


class TestHistory:
    def test_gives_the_measurements_with_the_seconds_of_their_lines(self, status: Any) -> None:
        status.say("Starting Centerpose train.", Status.STARTED, second=0)
        status.epoch(0, {"val_3DIoU": "0.25"}, loss=2.0, second=30)
        status.epoch(1, {"val_3DIoU": "0.5"}, loss=1.0, second=70)
        found = history(status.path.parent, "val_3DIoU", elapsed_before_s=100.0)
        assert [(entry.epoch, entry.elapsed_s) for entry in found] == [(0, 130.0), (1, 170.0)]
        assert found[1].metrics == {"val_3DIoU": 0.5, "train_loss": 1.0}

    def test_a_later_line_for_an_epoch_replaces_the_earlier(self, status: Any) -> None:
        status.epoch(0, {"val_3DIoU": "0.25"}, loss=2.0)
        status.epoch(1, {"val_3DIoU": "0.5"}, loss=1.0)
        status.epoch(0, {"val_3DIoU": "0.3"}, loss=2.0)
        found = history(status.path.parent, "val_3DIoU")
        assert [(entry.epoch, entry.metrics["val_3DIoU"]) for entry in found] == [
            (0, 0.3),
            (1, 0.5),
        ]

    def test_leaves_out_what_lacks_a_finite_value(self, status: Any) -> None:
        status.epoch(0, {"val_3DIoU": "nan"}, loss=2.0)
        status.epoch(1, {"other": "1"}, loss=2.0)
        status.epoch(2, loss=2.0)
        assert history(status.path.parent, "val_3DIoU") == ()

    def test_lines_without_a_time_count_from_the_start(self, tmp_path: Path) -> None:
        lines = [
            {"message": EVAL_METRICS, "kpi": {"m": "1"}},
            {"message": TRAINING_LOOP, "epoch": 0},
        ]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (tmp_path / "status.json").write_text(text)
        (entry,) = history(tmp_path, "m")
        assert entry.elapsed_s == 0.0


class TestOddLines:
    @pytest.mark.parametrize(
        "text",
        [
            '{"epoch": Infinity}',
            '{"epoch": -1}',
            '{"epoch": true}',
            '{"epoch": [0]}',
            '{"epoch": 0.5}',
            '{"epoch": "1_0_0_0_0_0_0_0"}',
            '{"epoch": 1' + "0" * 400 + "}",
            '{"epoch": 1e7}',
            "[" * 3000,
            '{"message": "Eval metrics generated.", "kpi": {"val_3DIoU": 1' + "0" * 400 + "}}",
            '{"message": "Eval metrics generated.", "kpi": {"val_3DIoU": true}}',
            '{"message": "Eval metrics generated.", "kpi": {"\\ud800": 0.5}}',
        ],
    )
    def test_one_is_passed_over_with_a_note_that_says_where(self, status: Any, text: str) -> None:
        status.epoch(0, {"val_3DIoU": "0.25"}, loss=2.0)
        with status.path.open("a") as file:
            file.write(text + "\n")
        status.epoch(1, {"val_3DIoU": "0.5"}, loss=1.0)
        reader = StatusReader(status.path)
        readings = reader.read(final=True)
        assert [each.validation for each in readings] == [{"val_3DIoU": 0.25}, {"val_3DIoU": 0.5}]
        assert reader.note.startswith("1 line of status.json passed over, the first because ")
        assert reader.note.endswith("(line 4)")

    def test_a_line_without_an_end_is_not_held_in_memory(self, status: Any) -> None:
        status.epoch(0, {"val_3DIoU": "0.25"}, loss=2.0)
        with status.path.open("a") as file:
            file.write("x" * (5 << 20) + "\n")
        status.epoch(1, {"val_3DIoU": "0.5"}, loss=1.0)
        reader = StatusReader(status.path)
        assert [each.epoch for each in reader.read(final=True)] == [0, 1]
        assert "(line 4)" in reader.note

    def test_a_pipe_in_the_place_of_the_file_holds_nothing(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "status.json")
        assert StatusReader(tmp_path / "status.json").read(final=True) == []


STEPS = StepProgress(Phase.TRAIN, 2, 30, 120, 400, 716.5)


def test_the_steps_of_an_epoch_are_known_until_it_ends(status: Any) -> None:
    reader = StatusReader(status.path)
    status.say(PROGRESS, **STEPS.fields)
    assert reader.read() == []
    assert reader.progress == STEPS
    status.epoch(2, {"val_3DIoU": "0.25"}, loss=2.0)
    assert [reading.epoch for reading in reader.read()] == [2]
    assert reader.progress is None


def test_steps_between_a_validation_and_its_epoch_take_nothing_from_it(status: Any) -> None:
    status.kpi = {"val_3DIoU": "0.25"}
    status.say(EVAL_METRICS)
    status.say(PROGRESS, **STEPS.fields)
    status.say(TRAINING_LOOP, epoch=2)
    readings = StatusReader(status.path).read(final=True)
    assert metrics_of(readings) == [(2, {"val_3DIoU": 0.25})]


def test_a_trainer_that_says_nothing_of_steps_has_none(status: Any) -> None:
    reader = StatusReader(status.path)
    status.say(TRAINING_LOOP, epoch=2)
    reader.read()
    assert reader.progress is None
    assert reader.last_status == f"{TRAINING_LOOP} (epoch 2)"


@pytest.mark.parametrize(
    "change",
    [
        {"step": -1},
        {"step": True},
        {"of_steps": "400"},
        {"epoch": 1.5},
        {"of_epochs": None},
        {"images_per_s": float("nan")},
        {"images_per_s": "fast"},
        {"images_per_s": -1},
        {"phase": "resting"},
        {"phase": []},
        {"step": 10**12},
    ],
)
def test_steps_that_cannot_be_are_passed_over(status: Any, change: dict[str, Any]) -> None:
    entry = {**STEPS.fields["progress"], **change}
    status.say(PROGRESS, progress=entry)
    reader = StatusReader(status.path)
    reader.read()
    assert reader.progress is None


@pytest.mark.parametrize("entry", [None, 7, [], "120/400", {}])
def test_steps_of_another_shape_are_passed_over(status: Any, entry: Any) -> None:
    status.say(PROGRESS, progress=entry)
    reader = StatusReader(status.path)
    reader.read()
    assert reader.progress is None
