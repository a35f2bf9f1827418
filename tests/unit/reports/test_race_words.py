"""The race in sentences, where the golden race does not come by."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from automl.app.race_notes import RaceNotes
from automl.reports.race_words import pairs_sentence, race_sentence
from automl.study.confirmation import Confirmation
from automl.study.race import Race
from automl.study.records import TrialRecord
from tests.unit.study.race_kit import finish, search, study_config


def hill(point: NDArray[np.float64]) -> float:
    return 0.7 - float(((point - 0.3) ** 2).sum())


@pytest.fixture
def ended() -> tuple[TrialRecord, ...]:
    return search(np.random.default_rng(2), hill, 2, noise=0.02, n_trials=12).records


def test_the_default_may_win(ended: Sequence[TrialRecord]) -> None:
    text = race_sentence(ended, study_config(confirm=3), Race((3, 0), 1), Race((), 1))
    assert text.startswith("race: trial 0 (")
    assert ", the default, wins: nothing is left to confirm; out: trial 3 (" in text


def test_a_lone_contestant_races_with_nobody(ended: Sequence[TrialRecord]) -> None:
    assert race_sentence(ended, study_config(confirm=3), None, Race((3,), 0)) == ""


@pytest.mark.parametrize(
    ("gain", "said"),
    [(0.2, "the trial is better"), (-0.2, "the trial is worse"), (0.0, "given up, since")],
)
def test_the_pairs_say_how_they_ended(
    ended: Sequence[TrialRecord], gain: float, said: str
) -> None:
    def value_of(asked: Confirmation) -> float:
        luck = np.random.default_rng([asked.confirms, asked.seed, 1]).standard_normal()
        is_fresh = asked.source == "confirm" and asked.confirms != 0
        return 0.4 + 0.01 * float(luck) + (gain if is_fresh else 0.0)

    config = study_config(trials=12, confirm="auto", confirm_top=1)
    records = finish(ended, config, value_of)
    number = next(each.confirms for each in records if each.confirms)
    assert number is not None
    assert said in pairs_sentence(records, config, number)
    assert pairs_sentence(records[:-3], config, number) != pairs_sentence(records, config, number)


def test_each_sentence_is_said_once() -> None:
    ended = search(np.random.default_rng(2), hill, 2, noise=0.1, n_trials=12).records
    config = study_config(trials=12, confirm="auto", confirm_top=3)
    done = finish(ended, config, lambda asked: 0.6 - 0.02 * asked.confirms + 1e-11 * asked.seed)
    notes = RaceNotes(config)
    said = [*notes.price(ended)]
    for n in range(len(ended), len(done) + 1):
        said += [*notes.price(done[:n]), *notes.standing(done[:n])]
    assert len(said) == len(set(said)) > 3
    assert said[0].startswith("confirmation: ")
    assert said[1].startswith("race: trials ")
