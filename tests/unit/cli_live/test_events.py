"""Event lines: one an event, in a form that both people and scripts read."""

import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from automl.app.screen import Sight
from automl.cli.events import EventScreen, event_line, heartbeat_line
from automl.cli.progress import Progress
from automl.execution.driver import Measured, Note, TrialEnded, TrialStarted
from automl.study.config import StudyConfig
from automl.study.layout import StudyPaths
from automl.study.records import (
    Attempt,
    FailureClass,
    Measurement,
    Outcome,
    OutcomeState,
    TrialRecord,
    TrialState,
)
from tests.unit.cli_live.conftest import FakeSeconds

_NOW = datetime(2026, 11, 22, 13, 41, 7, tzinfo=UTC)


def _screen(config: StudyConfig) -> tuple[EventScreen, io.StringIO]:
    stream = io.StringIO()
    screen = EventScreen(stream, lambda: _NOW)
    screen.opened(StudyPaths(Path("/studies/bike fan")), config)
    return screen, stream


def test_a_line_has_a_time_a_word_and_pairs(config: StudyConfig) -> None:
    screen, stream = _screen(config)
    screen.event(TrialStarted(Attempt(22, 1, {"train.optim.lr": 8.1e-5, "dataset.kind": "x"})))
    opened, started = stream.getvalue().splitlines()
    assert started == "2026-11-22T13:41:07Z start     trial=22 lr=8.1e-5 kind=x"
    assert 'folder="/studies/bike fan"' in opened
    assert "trials=12" in opened


def test_trial_zero_shows_all_its_params_and_later_ones_what_differs(busy: Progress) -> None:
    snapshot = busy.snapshot()
    params = {"train.optim.lr": 6e-5, "dataset.batch_size": 8}
    first = event_line(TrialStarted(Attempt(0, 2, params)), snapshot)
    assert first == "start     trial=0 attempt=2 lr=6e-5 batch_size=8"
    later = event_line(TrialStarted(Attempt(9, 1, params)), snapshot)
    assert later == "start     trial=9 batch_size=8"


def test_each_ending_names_its_class_and_why(busy: Progress) -> None:
    snapshot = busy.snapshot()
    record = TrialRecord(
        21, TrialState.FAILED, {}, failure=FailureClass.OOM, evidence='CUDA "oom" at a=b'
    )
    outcome = Outcome(
        21, 2, OutcomeState.FAILED, failure=FailureClass.OOM, evidence=record.evidence, seconds=12
    )
    line = event_line(TrialEnded(record, outcome), snapshot)
    assert line.startswith("fail      trial=21 attempt=2 class=oom took=12s why=")
    assert json.loads(line.partition("why=")[2]) == 'CUDA "oom" at a=b'


def test_measurements_and_notes(busy: Progress) -> None:
    snapshot = busy.snapshot()
    attempt = Attempt(5, 1, {})
    line = event_line(Measured(attempt, Measurement(3, {"val_3DIoU": 0.5}, 192.0)), snapshot)
    assert line == "epoch     trial=5 epoch=3 val_3DIoU=0.5000 elapsed=3m12s"
    assert event_line(Note("first\nsecond"), snapshot) == "note      first second"


def test_a_new_best_is_told_once(config: StudyConfig) -> None:
    screen, stream = _screen(config)
    for number, value in enumerate((0.3, 0.2, 0.4)):
        record = TrialRecord(
            number, TrialState.COMPLETE, {}, best_value=value, best_epoch=1, values={1: value}
        )
        screen.event(TrialEnded(record, Outcome(number, 1, OutcomeState.OK, seconds=60)))
    best = [line for line in stream.getvalue().splitlines() if " best " in line]
    assert [line.partition("best      ")[2] for line in best] == [
        "trial=0 val_3DIoU=0.3000",
        "trial=2 val_3DIoU=0.4000",
    ]


def test_the_heartbeat_counts_and_forecasts(busy: Progress) -> None:
    assert heartbeat_line(busy.snapshot()) == (
        "heartbeat done=5/12 ok=3 pruned=1 failed=1 running=2 best=0.4700 trial=4 eta=4m05s-4m12s "
        "epochs=5:2.0/10,6:0.0/10"
    )


def test_silence_is_broken_after_ten_seconds_and_then_ever_more_rarely(
    config: StudyConfig, seconds: FakeSeconds
) -> None:
    stream = io.StringIO()
    screen = EventScreen(stream, lambda: _NOW, seconds)
    screen.opened(StudyPaths(Path("/studies/bikes")), config)
    spoken = []
    for second in range(300):
        seconds.now_s += 1.0
        before = len(stream.getvalue())
        screen.look(Sight((), 0.0))
        if len(stream.getvalue()) > before:
            spoken.append(second + 1)
    assert spoken == [10, 30, 70, 130, 190, 250]
    screen.event(Note("something new"))
    before = len(stream.getvalue())
    seconds.now_s += 9.0
    screen.look(Sight((), 0.0))
    assert len(stream.getvalue()) == before
    seconds.now_s += 1.0
    screen.look(Sight((), 0.0))
    assert "heartbeat done=0/12" in stream.getvalue()[before:]


def test_a_heartbeat_says_how_fast_images_are_learnt(busy: Progress) -> None:
    live = [
        replace(each, in_epoch=2, of_epochs=30, step=1, of_steps=4, images_per_s=20.5)
        for each in busy.snapshot().running
    ]
    busy.look(Sight((), 0.0, tuple(replace(each, phase="train") for each in live)))
    line = heartbeat_line(busy.snapshot())
    assert line.endswith("epochs=5:2.2/30,6:2.2/30 images_per_s=41")


def test_looking_does_not_flood_the_log(config: StudyConfig) -> None:
    screen, stream = _screen(config)
    before = stream.getvalue()
    for _ in range(50):
        screen.look(Sight((), 0.0))
    assert stream.getvalue() == before


def test_lines_are_never_coloured_and_never_redrawn(config: StudyConfig) -> None:
    screen, stream = _screen(replace(config, trainer="scripted"))
    screen.event(TrialStarted(Attempt(0, 1, {})))
    text = stream.getvalue()
    assert not re.search(r"[\x1b\r]", text)
    assert text.splitlines()[0].endswith(
        "FAKE: a script made these numbers up; nothing was trained"
    )
    assert all(line.startswith("2026-11-22T13:41:07Z ") for line in text.splitlines())


def test_nothing_is_printed_before_the_study_is_open() -> None:
    stream = io.StringIO()
    screen = EventScreen(stream, lambda: _NOW)
    with screen:
        screen.event(Note("early"))
        screen.look(Sight((), 0.0))
    assert stream.getvalue() == ""


class _Gone(io.StringIO):
    """A pipe whose reader has left."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_reader_that_leaves_does_not_end_the_search(config: StudyConfig) -> None:
    screen = EventScreen(_Gone(), lambda: _NOW)
    screen.opened(StudyPaths(Path("/studies/bikes")), config)
    screen.event(Note("nobody hears this"))
    screen.look(Sight((), 0.0))


def test_a_pause_and_what_goes_on_are_told_as_such(busy: Progress, config: StudyConfig) -> None:
    why = "3rd of 4 at epoch 2"
    record = TrialRecord(9, TrialState.PAUSED, {}, values={2: 0.2}, best_epoch=2, best_value=0.2)
    outcome = Outcome(9, 1, OutcomeState.PAUSED, evidence=why, seconds=12)
    before = heartbeat_line(busy.snapshot())
    assert "paused" not in before
    busy.event(TrialStarted(Attempt(9, 1, {})))
    busy.event(TrialEnded(record, outcome))
    told = event_line(TrialEnded(record, outcome), busy.snapshot())
    assert told == f'pause     trial=9 best=0.2000 epoch=2 took=12s why="{why}"'
    assert "done=6/12 ok=3 paused=1 pruned=1" in heartbeat_line(busy.snapshot())
    history = (Measurement(2, {config.objective.metric: 0.2}, 12.0),)
    busy.event(TrialStarted(Attempt(9, 2, {}, "trials/0009/1/x.pth", history)))
    (again,) = (each for each in busy.snapshot().running if each.number == 9)
    assert (again.epoch, again.value) == (2, 0.2)
    told = heartbeat_line(busy.snapshot())
    assert told.startswith(before.replace("running=2", "running=3").partition(" eta=")[0])
    assert told.endswith("epochs=5:2.0/10,6:0.0/10,9:3.0/10")
