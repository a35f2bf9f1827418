"""How far a live attempt is, and how long it takes at its pace."""

from dataclasses import asdict, replace

import pytest

from automl.study.config import Direction, Objective
from automl.study.live import LiveAttempt
from automl.study.records import Attempt, Measurement

OBJECTIVE = Objective("val_3DIoU", Direction.MAXIMIZE)
BEGUN = LiveAttempt(4, 1, 1000.0)
MIDWAY = replace(BEGUN, epoch=1, phase="train", in_epoch=2, of_epochs=10, step=30, of_steps=60)


def test_an_attempt_reads_back_as_it_was_written() -> None:
    live = replace(MIDWAY, gpus=("0", "1"), gpu_memory=5, images_per_s=12.5)
    assert LiveAttempt.from_json(asdict(live)) == live


def test_an_attempt_that_goes_on_begins_where_its_history_ends() -> None:
    history = (Measurement(0, {"val_3DIoU": 0.3}, 1.0), Measurement(1, {"val_3DIoU": 0.2}, 2.0))
    live = LiveAttempt.of(Attempt(7, 2, {}, "x.pth", history), 5.0, OBJECTIVE)
    assert (live.first_epoch, live.epoch, live.value, live.best) == (2, 1, 0.2, 0.3)
    assert live.epochs_done == 2.0


@pytest.mark.parametrize(
    ("live", "done"),
    [
        (BEGUN, 0.0),
        (replace(BEGUN, epoch=1), 2.0),
        (MIDWAY, 2.5),
        (replace(MIDWAY, phase="validate", step=1), 3.0),
        # The line of the steps is older than the measurement.
        (replace(MIDWAY, epoch=2), 3.0),
        (replace(MIDWAY, step=99), 3.0),
    ],
)
def test_the_epochs_behind_it(live: LiveAttempt, done: float) -> None:
    assert live.epochs_done == done


def test_what_is_left_follows_from_the_pace() -> None:
    assert MIDWAY.left_s(1050.0, None) == pytest.approx(7.5 * 20.0)
    assert MIDWAY.left_s(1050.0, 99) == pytest.approx(7.5 * 20.0)
    late = replace(MIDWAY, trains_since_s=1025.0)
    assert late.left_s(1050.0, None) == pytest.approx(7.5 * 10.0)
    resumed = replace(MIDWAY, first_epoch=2)
    assert resumed.left_s(1050.0, None) == pytest.approx(7.5 * 100.0)


def test_without_a_pace_or_a_number_of_epochs_nothing_is_foretold() -> None:
    assert BEGUN.left_s(1050.0, 10) is None
    assert replace(MIDWAY, of_epochs=0).left_s(1050.0, None) is None
    assert replace(MIDWAY, epoch=None, in_epoch=0, step=1).left_s(1050.0, 10) is None
