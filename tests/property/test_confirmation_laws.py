"""Laws of the count of trials: it is never too small, and at the end it is what was trained."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from automl.study.config import Direction, Objective, SearchSettings, StudyConfig
from automl.study.confirmation import Confirmation, most_of_race, n_asked, next_confirmation
from automl.study.limits import Limits
from automl.study.records import TrialRecord, TrialState

_VALUES = st.lists(st.none() | st.integers(0, 4).map(float), min_size=1, max_size=6)


def _trial(number: int, value: float | None, asked: Confirmation | None = None) -> TrialRecord:
    return TrialRecord(
        number,
        TrialState.FAILED if value is None else TrialState.COMPLETE,
        {},
        best_epoch=None if value is None else 0,
        best_value=value,
        confirms=None if asked is None else asked.confirms,
        source="sampler" if asked is None else asked.source,
    )


@given(_VALUES, st.integers(0, 3), st.integers(0, 4), st.randoms(use_true_random=False))
def test_the_trials_asked_for_are_those_that_are_trained_in_the_end(
    values: list[float | None], confirm: int, top: int, random: Random
) -> None:
    objective = Objective("m", Direction.MAXIMIZE)
    config = StudyConfig(
        "unit",
        "/skill",
        "on",
        "default",
        objective,
        search=SearchSettings(seed=1),
        limits=Limits(trials=len(values), confirm=confirm, confirm_top=top),
    )
    records: list[TrialRecord] = []
    asked = [n_asked(records, config)]
    for value in values:
        records.append(_trial(len(records), value))
        asked.append(n_asked(records, config))
    while (following := next_confirmation(records, config)) is not None:
        value = random.choice([None, 1.0, 9.0])
        records.append(_trial(len(records), value, following))
        asked.append(n_asked(records, config))
    assert asked == sorted(asked, reverse=True)
    assert asked[-1] == len(records)
    n_race = most_of_race(config) if confirm else 0
    assert asked[0] == len(values) + n_race + (2 * confirm if len(values) > 1 else 0)
