"""Looks that are taken so seldom that they stay a share of the time."""

import pytest

from automl.app.sparing import Sparing


@pytest.mark.parametrize(("work_s", "pause_s"), [(0.01, 0.1), (2.0, 20.0), (100.0, 30.0)])
def test_a_look_is_paid_for_before_the_next_one(work_s: float, pause_s: float) -> None:
    seconds = {"now": 0.0, "worked": 0.0}
    sparing = Sparing(0.1, 30.0, lambda: seconds["now"], lambda: seconds["worked"])
    found = [sparing.is_due]
    with sparing.look():
        seconds["worked"] = work_s
    seconds["now"] = 0.99 * pause_s
    found.append(sparing.is_due)
    seconds["now"] = 1.01 * pause_s
    found.append(sparing.is_due)
    assert found == [True, False, True]
