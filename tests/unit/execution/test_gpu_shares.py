"""What Ray is asked for where trials share GPUs."""

import pytest

from automl.execution.local_ray import gpus_of_all
from automl.execution.ray_driver import gpus_of_a_trial
from automl.study.config import Resources


@pytest.mark.parametrize("sharing", range(2, 12))
def test_so_many_shares_fit_into_one_gpu_and_no_more(sharing: int) -> None:
    share = gpus_of_a_trial(Resources(sharing, 1, trials_per_gpu=sharing))
    parts = round(share * 10_000)
    assert parts * sharing <= 10_000 < parts * (sharing + 1)


def test_whole_gpus_are_asked_for_as_they_are() -> None:
    assert gpus_of_a_trial(Resources(1, 2)) == 2
    assert gpus_of_a_trial(Resources(1, 0)) == 0


@pytest.mark.parametrize(
    ("slots", "sharing", "gpus"), [(1, 3, 1), (3, 3, 1), (4, 3, 2), (6, 3, 2), (4, 1, 4)]
)
def test_as_many_gpus_as_the_slots_need(slots: int, sharing: int, gpus: int) -> None:
    assert gpus_of_all(Resources(slots, 1, trials_per_gpu=sharing), slots) == gpus
