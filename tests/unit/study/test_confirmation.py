"""What is trained again when a search is over, in which order and with which seeds."""

from dataclasses import replace

import pytest

from automl.study.config import Direction, Objective, SearchSettings, StudyConfig
from automl.study.confirmation import (
    n_asked,
    next_confirmation,
    searched,
)
from automl.study.limits import Limits
from automl.study.ranking import best_trial
from automl.study.records import TrialRecord, TrialState

CONFIG = StudyConfig(
    "unit",
    "/skill",
    "on",
    "default",
    Objective("val_3DIoU", Direction.MAXIMIZE, worst=0.0),
    search=SearchSettings(seed=3),
    limits=Limits(trials=3, confirm=2, confirm_top=1),
)


def trial(number: int, value: float | None, confirms: int | None = None) -> TrialRecord:
    state = TrialState.FAILED if value is None else TrialState.COMPLETE
    epoch = None if value is None else 0
    return TrialRecord(number, state, {}, best_epoch=epoch, best_value=value, confirms=confirms)


SEARCH = (trial(0, 0.4), trial(1, 0.6), trial(2, 0.5))


def all_of(records: tuple[TrialRecord, ...], config: StudyConfig) -> list[tuple[int, int]]:
    """Every training that is asked for, each taken to fail at once."""
    asked: list[tuple[int, int]] = []
    while (following := next_confirmation(records, config)) is not None:
        asked.append((following.confirms, following.seed))
        records = (*records, trial(len(records), None, following.confirms))
    return asked


def test_winner_and_default_take_turns_with_the_same_seeds() -> None:
    asked = all_of(SEARCH, CONFIG)
    assert [number for number, _ in asked] == [0, 1, 0, 1]
    seeds = [seed for _, seed in asked]
    assert seeds[0] == seeds[1] != seeds[2] == seeds[3]
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_seeds_follow_from_the_studys_seed() -> None:
    other = replace(CONFIG, search=SearchSettings(seed=4))
    assert all_of(SEARCH, CONFIG) == all_of(SEARCH, CONFIG)
    assert all_of(SEARCH, CONFIG) != all_of(SEARCH, other)


def test_nothing_is_asked_while_a_trial_of_the_search_runs() -> None:
    running = replace(SEARCH[2], state=TrialState.RUNNING)
    assert next_confirmation((*SEARCH[:2], running), CONFIG) is None


def test_a_default_that_was_not_beaten_is_not_trained_again() -> None:
    assert all_of((trial(0, 0.9), *SEARCH[1:]), CONFIG) == []


def test_a_default_without_a_value_is_not_trained_again() -> None:
    asked = all_of((trial(0, None), *SEARCH[1:]), CONFIG)
    assert [number for number, _ in asked] == [1, 1]


def test_a_lucky_seed_does_not_become_the_winner() -> None:
    records = (*SEARCH, trial(3, 0.99, confirms=0))
    best = best_trial(records, CONFIG.objective)
    assert best is not None
    assert best.number == 1
    assert searched(records) == SEARCH


@pytest.mark.parametrize(
    ("records", "asked"),
    [
        ((), 7),
        (SEARCH[:1], 7),
        ((*SEARCH[:2], replace(SEARCH[2], state=TrialState.RUNNING)), 7),
        (SEARCH, 7),
        ((*SEARCH, trial(3, 0.4, confirms=0)), 7),
        ((*SEARCH, trial(3, None, confirms=0), trial(4, None, confirms=1)), 7),
        ((trial(0, 0.9), *SEARCH[1:]), 3),
        ((trial(0, None),), 5),
        ((trial(0, None), *SEARCH[1:]), 5),
    ],
    ids=[
        "not begun",
        "searching",
        "the last one runs",
        "searched",
        "confirming",
        "failed ones count",
        "default stays",
        "default failed, searching",
        "default failed, searched",
    ],
)
def test_the_trials_asked_for_hold_the_confirmation_from_the_start(
    records: tuple[TrialRecord, ...], asked: int
) -> None:
    assert n_asked(records, CONFIG) == asked


def test_a_search_of_one_trial_has_no_winner_to_confirm() -> None:
    assert n_asked((), replace(CONFIG, limits=Limits(trials=1, confirm=2, confirm_top=1))) == 1


def test_a_longer_search_asks_for_its_trials_and_keeps_what_was_confirmed() -> None:
    records = (*SEARCH, *(trial(3 + i, 0.5, confirms=i % 2) for i in range(4)))
    assert n_asked(records, CONFIG) == 7
    assert (
        n_asked(records, replace(CONFIG, limits=Limits(trials=6, confirm=2, confirm_top=1))) == 10
    )


def test_a_direct_training_is_one_trial() -> None:
    assert n_asked((), replace(CONFIG, policy="off")) == 1
