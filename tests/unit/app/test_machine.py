"""How a study is laid out over CPUs and GPUs."""

from collections.abc import Mapping

import pytest

from automl.app.machine import Machine, choose_resources
from automl.app.study_settings import TABLE
from automl.errors import FixInput, PrepareMachine
from automl.gpus import Gpu
from automl.settings.layers import merge, read_layer
from automl.study.config import Resources

FOUR_GPUS = Machine(
    cpus=16, gpus=tuple(Gpu(index, f"GPU-{index}", "NVIDIA H200") for index in range(4))
)


def choose(
    machine: Machine, num_gpus: int = 1, *, searches: bool = True, **flags: object
) -> tuple[Resources, tuple[str, ...]]:
    settings = merge(TABLE, [read_layer(TABLE, flags)])
    return choose_resources(settings, machine, num_gpus, searches=searches)


def test_without_gpus_each_cpu_trains_one_trial_and_a_note_says_so() -> None:
    resources, notes = choose(Machine(cpus=2))
    assert resources == Resources(2, 0, None, 1)
    assert notes == ("no GPU was found: each trial trains on the CPU",)


def test_gpus_are_filled_with_trials() -> None:
    resources, notes = choose(FOUR_GPUS, num_gpus=2)
    assert resources == Resources(2, 2, None, 8)
    assert notes == ()


def test_a_single_training_gets_the_whole_machine() -> None:
    for asked in (None, "4"):
        resources, _ = choose(Machine(cpus=8), searches=False, max_concurrent=asked)
        assert resources == Resources(1, 0, None, 8)


def test_more_trials_than_gpus_hold_are_cut_with_a_note() -> None:
    resources, notes = choose(FOUR_GPUS, max_concurrent="9")
    assert resources.max_concurrent == 4
    assert notes == ("9 trials at once were asked for, the GPUs hold 4",)


def test_chosen_gpus_are_the_only_ones_counted() -> None:
    resources, _ = choose(FOUR_GPUS, gpus="1,3")
    assert resources.gpu_ids == (1, 3)
    assert resources.max_concurrent == 2


def test_a_gpu_that_is_not_there_is_refused() -> None:
    with pytest.raises(PrepareMachine, match="index 7 of 4 GPUs"):
        choose(FOUR_GPUS, gpus="7")


def test_gpus_are_known_by_their_uuids_too() -> None:
    assert choose(FOUR_GPUS, gpus="GPU-3,1")[0].gpu_ids == (3, 1)
    alike = Machine(4, tuple(Gpu(index, f"GPU-a{index}b", "H200") for index in range(2)))
    assert choose(alike, gpus="GPU-a1")[0].gpu_ids == (1,)
    with pytest.raises(FixInput, match="nvidia-smi -L"):
        choose(alike, gpus="GPU-a")


def test_more_gpus_a_trial_than_there_are_is_refused() -> None:
    with pytest.raises(PrepareMachine, match="8 asked for, 4 there"):
        choose(FOUR_GPUS, num_gpus=8)


def test_nonsense_is_refused() -> None:
    with pytest.raises(FixInput, match="at least 1"):
        choose(FOUR_GPUS, max_concurrent="0")
    with pytest.raises(FixInput, match="named by their indices"):
        choose(FOUR_GPUS, gpus="first")


def test_trials_share_a_gpu_where_that_is_asked_for() -> None:
    resources, notes = choose(FOUR_GPUS, trials_per_gpu="3", gpus="0,2")
    assert resources == Resources(6, 1, (0, 2), 2, 3)
    assert resources.gpus_held == pytest.approx(1 / 3)
    assert notes == ()
    assert choose(FOUR_GPUS, trials_per_gpu=3, max_concurrent=5)[0].max_concurrent == 5


def test_nothing_is_shared_without_a_gpu_or_a_search() -> None:
    assert choose(Machine(cpus=2), trials_per_gpu=3)[0] == Resources(2, 0, None, 1)
    assert choose(FOUR_GPUS, trials_per_gpu=3, searches=False)[0].trials_per_gpu == 1


def test_a_trial_of_several_gpus_shares_none() -> None:
    with pytest.raises(FixInput, match="trials_per_gpu 2, gpus_per_trial 4"):
        choose(FOUR_GPUS, num_gpus=4, trials_per_gpu=2)
    with pytest.raises(FixInput, match="at least 1"):
        choose(FOUR_GPUS, trials_per_gpu=0)


def test_more_trials_than_cpus_are_told_what_that_means() -> None:
    resources, notes = choose(Machine(cpus=2), max_concurrent="50")
    assert (resources.max_concurrent, resources.threads_per_trial) == (50, 1)
    assert "50 trials at once share 2 CPUs: each trains with one thread for 4% of" in notes[1]
    assert "no sooner than with --max-concurrent 2" in notes[1]


def _notes(flags: Mapping[str, object]) -> tuple[str, ...]:
    settings = merge(TABLE, [read_layer(TABLE, flags)])
    return choose_resources(settings, FOUR_GPUS, 1, searches=True)[1]


def test_named_gpus_that_will_not_train_are_said_with_both_ways_out() -> None:
    _, notes = choose(FOUR_GPUS, gpus="0,1", trials="1")
    (note,) = notes
    assert "2 GPUs are named and 1 will train, the other idles" in note
    assert "--gpus-per-trial 2" in note
    assert "--trials 2" in note
    _, notes = choose(FOUR_GPUS, gpus="0,1,2,3", max_concurrent="1")
    assert "4 GPUs are named and 1 will train, 3 idle" in notes[0]


@pytest.mark.parametrize(
    "flags",
    [
        {"gpus": "0,1"},
        {"gpus": "0"},
        {"trials": "1"},
        {"gpus": "0,1", "trials": "1", "gpus_per_trial": "2"},
        {"gpus": "0,1", "gpus_per_trial": "0"},
        {"gpus": "0,1", "trials_per_gpu": "3"},
    ],
)
def test_nothing_is_said_where_every_named_gpu_trains(flags: dict[str, str]) -> None:
    assert not any("are named" in note for note in _notes(flags))
