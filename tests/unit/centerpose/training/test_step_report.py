"""Lines within an epoch: how many, when, and what they say."""

import json
from pathlib import Path
from typing import Any

import pytest

from automl.centerpose.session.interrupt import Interrupt
from automl.centerpose.session.run import Run
from automl.centerpose.session.status import StatusLog
from automl.centerpose.training.reporting import StepReport
from automl.trainers.contract import PROGRESS, Phase, StatusLine, StepProgress


class Ticking:
    """A clock that goes on by a second whenever it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def report(tmp_path: Path, clock: Ticking) -> StepReport:
    run = Run(tmp_path, StatusLog(tmp_path), Interrupt(), lambda _: None)
    return StepReport(run, 30, every_s=5.0, clock=clock)


def lines_of(folder: Path) -> list[dict[str, Any]]:
    path = folder / "status.json"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def said(folder: Path) -> list[StepProgress | None]:
    found = (StatusLine.parse(json.dumps(line)) for line in lines_of(folder))
    return [StepProgress.of(line) for line in found if line is not None]


def take(report: StepReport, clock: Ticking, steps: int, each_s: float) -> None:
    for _ in range(steps):
        clock.now += each_s
        report.step()


def test_a_line_comes_every_five_seconds_with_the_rate_since_the_one_before(
    report: StepReport, clock: Ticking, tmp_path: Path
) -> None:
    report.begin(Phase.TRAIN, 3, range(100), images=16)
    take(report, clock, 20, 0.5)
    take(report, clock, 10, 1.0)
    assert said(tmp_path) == [
        StepProgress(Phase.TRAIN, 3, 30, 10, 100, 32.0),
        StepProgress(Phase.TRAIN, 3, 30, 20, 100, 32.0),
        StepProgress(Phase.TRAIN, 3, 30, 25, 100, 16.0),
        StepProgress(Phase.TRAIN, 3, 30, 30, 100, 16.0),
    ]


def test_a_short_epoch_says_nothing(report: StepReport, clock: Ticking, tmp_path: Path) -> None:
    for epoch in range(4):
        report.begin(Phase.TRAIN, epoch, range(9), images=16)
        take(report, clock, 9, 0.5)
    assert lines_of(tmp_path) == []


def test_an_epoch_that_is_taken_up_midway_counts_from_there(
    report: StepReport, clock: Ticking, tmp_path: Path
) -> None:
    report.begin(Phase.TRAIN, 3, range(60, 100), images=4)
    take(report, clock, 1, 8.0)
    assert said(tmp_path) == [StepProgress(Phase.TRAIN, 3, 30, 61, 100, 0.5)]


def test_a_validation_is_told_from_the_learning_before_it(
    report: StepReport, clock: Ticking, tmp_path: Path
) -> None:
    report.begin(Phase.TRAIN, 0, range(4), images=4)
    take(report, clock, 4, 1.0)
    report.begin(Phase.VALIDATE, 0, range(2), images=4)
    take(report, clock, 2, 4.0)
    assert said(tmp_path) == [StepProgress(Phase.VALIDATE, 0, 30, 2, 2, 1.0)]


def test_the_line_has_nothing_that_a_reader_of_the_container_looks_at(
    report: StepReport, clock: Ticking, tmp_path: Path
) -> None:
    report.begin(Phase.TRAIN, 0, range(1), images=4)
    take(report, clock, 1, 6.0)
    (line,) = lines_of(tmp_path)
    assert line.keys() == {"progress", "date", "time", "status", "verbosity", "message"}
    assert line["status"] == "RUNNING"
    assert line["message"] == PROGRESS
