"""Who races for being the winner, in which order the seeds are trained, and when it is over."""

from dataclasses import replace

import numpy as np
import pytest

from automl.study.confirmation import (
    Confirmation,
    n_asked,
    n_planned,
    next_confirmation,
)
from automl.study.race import n_of_race, race, winner
from automl.study.records import TrialRecord, TrialState
from automl.study.sequential import FEWEST_PAIRS, MOST_PAIRS
from tests.unit.study.race_kit import finish, study_config, trial

#: Trials 4, 5 and 6 are close to each other and ahead of the default.
VALUES = (0.40, 0.42, 0.38, 0.41, 0.60, 0.61, 0.62, 0.39)
SEARCH = tuple(trial(i, v, {"lr": 0.1 * (i + 1)}) for i, v in enumerate(VALUES))
CONFIG = study_config(confirm=2)


def asked_of(records: tuple[TrialRecord, ...]) -> list[tuple[str, int]]:
    again = [each for each in records if each.confirms is not None]
    return [(each.source, each.confirms or 0) for each in again]


def steady(asked: Confirmation) -> float:
    """Trial 5 is the best indeed, whatever its first value said."""
    return {0: 0.40, 4: 0.60, 5: 0.66, 6: 0.61}[asked.confirms] + 1e-9 * (asked.seed % 100)


def test_three_race_then_two_then_the_winner_against_the_default() -> None:
    done = finish(SEARCH, CONFIG, steady)
    sources = asked_of(done)
    assert [source for source, _ in sources] == ["race"] * 7 + ["confirm"] * 4
    assert {number for _, number in sources[:3]} == {4, 5, 6}
    assert [number for _, number in sources[7:]] == [0, 5, 0, 5]
    best = winner(done, CONFIG)
    assert best is not None
    assert best.number == 5


def test_the_seeds_that_judge_have_chosen_nothing() -> None:
    done = finish(SEARCH, CONFIG, steady)
    chose = {each.seed for each in done if each.source == "race"}
    judged = {each.seed for each in done if each.source == "confirm"}
    assert (len(chose), len(judged)) == (3, 2)
    assert not chose & judged
    # Values of the seeds that judge do not change who won.
    turned = [replace(each, best_value=0.0) if each.seed in judged else each for each in done]
    assert winner(turned, CONFIG) == winner(done, CONFIG)


def test_while_a_round_runs_out_the_default_is_trained() -> None:
    records: tuple[TrialRecord, ...] = SEARCH
    started = []
    for _ in range(6):
        asked = next_confirmation(records, CONFIG)
        if asked is None:
            break
        started.append((asked.source, asked.confirms))
        running = trial(len(records), None, {}, asked, TrialState.RUNNING)
        records = (*records, running)
    assert [source for source, _ in started] == ["race"] * 3 + ["confirm"] * 2
    assert [number for source, number in started if source == "confirm"] == [0, 0]


def test_nothing_is_asked_before_the_search_is_over() -> None:
    running = replace(SEARCH[7], state=TrialState.RUNNING)
    assert next_confirmation((*SEARCH[:7], running), CONFIG) is None


def test_a_trial_out_of_reach_does_not_race() -> None:
    values = (0.10, 0.11, 0.12, 0.13, 0.14, 0.15, 0.16, 0.90)
    records = [trial(i, v, {"lr": float(i % 2), "a": float(i)}) for i, v in enumerate(values)]
    sure = [replace(each, number=8 + i) for i, each in enumerate(records)]
    assert race([*records, *sure], CONFIG).left[0] in (7, 15)
    assert not {0, 1, 2} & set(race([*records, *sure], CONFIG).left)


def test_a_default_that_is_expected_to_be_the_best_is_confirmed_by_nothing() -> None:
    best = replace(SEARCH[0], best_value=0.9)
    assert next_confirmation((best, *SEARCH[1:]), CONFIG) is None


def test_settings_that_break_their_trainings_lose_the_race() -> None:
    done = finish(SEARCH, CONFIG, lambda asked: None if asked.confirms == 5 else steady(asked))
    best = winner(done, CONFIG)
    assert best is not None
    assert best.number in (4, 6)


def test_one_contestant_needs_no_race() -> None:
    alone = study_config(confirm=2, confirm_top=1)
    done = finish(SEARCH, alone, steady)
    assert [source for source, _ in asked_of(done)] == ["confirm"] * 4


def test_a_study_of_an_older_version_confirms_its_best_value() -> None:
    old = study_config(confirm=1, confirm_top=0)
    done = finish(SEARCH, old, steady)
    assert asked_of(done) == [("confirm", 0), ("confirm", 6)]
    best = winner(done, old)
    assert best is not None
    assert best.number == 6


@pytest.mark.parametrize(("top", "n"), [(0, 0), (1, 0), (2, 2), (3, 7), (4, 8), (6, 18)])
def test_what_a_race_takes(top: int, n: int) -> None:
    assert n_of_race(top) == n


def test_what_is_planned_has_room_for_the_default_in_the_race() -> None:
    assert n_planned(study_config(confirm=2, confirm_top=3)) == n_of_race(4) + 4
    assert n_planned(study_config(confirm=2, confirm_top=1)) == 4
    assert n_planned(study_config(confirm=0)) == 0


def test_a_default_that_is_not_far_behind_races_too_and_may_win() -> None:
    values = (0.50, 0.53, 0.49, 0.55, 0.56, 0.52, 0.55, 0.50)
    records = tuple(trial(i, v, {"lr": 0.1 * (i + 1)}) for i, v in enumerate(values))
    assert 0 in race(records, CONFIG).left
    done = finish(records, CONFIG, lambda asked: 0.60 if asked.confirms == 0 else 0.45)
    assert {source for source, _ in asked_of(done)} == {"race"}
    best = winner(done, CONFIG)
    assert best is not None
    assert best.number == 0


@pytest.mark.parametrize("confirm", [2, "auto"])
def test_the_count_ends_at_what_was_trained(confirm: int | str) -> None:
    config = study_config(confirm=confirm)
    done = finish(SEARCH, config, steady)
    assert n_asked(done, config) == len(done)
    assert n_asked(SEARCH, config) <= n_asked(SEARCH[:3], config)


def test_auto_stops_as_soon_as_it_is_certain() -> None:
    config = study_config(confirm="auto", confirm_top=1)
    done = finish(SEARCH, config, lambda asked: steady(asked) + 1e-3 * (asked.seed % 7))
    n_pairs = sum(each.confirms == 0 for each in done)
    assert FEWEST_PAIRS <= n_pairs <= FEWEST_PAIRS + 2


def test_auto_gives_up_where_there_is_nothing_to_find() -> None:
    config = study_config(confirm="auto", confirm_top=1)
    rng = np.random.default_rng(0)
    done = finish(SEARCH, config, lambda _: 0.4 + 0.02 * rng.standard_normal())
    assert sum(each.confirms == 0 for each in done) < MOST_PAIRS


def test_auto_gives_up_on_settings_that_break() -> None:
    config = study_config(confirm="auto", confirm_top=1)
    done = finish(SEARCH, config, lambda asked: 0.4 if asked.confirms == 0 else None)
    assert sum(each.confirms == 0 for each in done) == FEWEST_PAIRS


def test_interrupted_at_any_moment_it_goes_on_as_it_would_have() -> None:
    config = study_config(confirm="auto")
    done = finish(SEARCH, config, steady)
    for n in range(len(SEARCH), len(done)):
        assert finish(done[:n], config, steady) == done
