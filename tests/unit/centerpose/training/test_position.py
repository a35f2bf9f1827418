"""Places within a training, counted in batches of different sizes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.centerpose.training.position import Position, Schedule
from automl.errors import FixInput


def test_the_rate_falls_at_each_milestone() -> None:
    schedule = Schedule(0.01, (2, 3), 0.1)
    assert [schedule.at(epoch) for epoch in range(5)] == pytest.approx(
        [0.01, 0.01, 1e-3, 1e-4, 1e-4]
    )


@given(st.integers(0, 50), st.integers(1, 64), st.integers(1, 64), st.integers(0, 1000))
def test_a_place_is_kept_in_images_or_refused(batch: int, old: int, new: int, step: int) -> None:
    place = Position(epoch=2, batch=batch, step=step, loss_sum=3.0 * batch)
    if batch * old % new:
        with pytest.raises(FixInput, match=f"{new} a step after {batch} steps of {old}"):
            place.in_batches_of(new, instead_of=old)
        return
    again = place.in_batches_of(new, instead_of=old)
    assert (again.epoch, again.step) == (2, step)
    assert again.batch * new == batch * old
    assert again.loss_sum == pytest.approx(3.0 * again.batch)
    assert again.in_batches_of(old, instead_of=new).batch == batch
