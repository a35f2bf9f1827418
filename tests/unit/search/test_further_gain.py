"""When a search ends itself because more trials would gain nothing that could be seen."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from automl.errors import FixInput
from automl.search.decision import EndCause
from automl.search.further_gain import further_gain
from automl.search.simulate import simulate
from automl.search.simulation import Simulation
from automl.study.config import StudyConfig
from automl.study.earlier import Earlier
from automl.study.limits import Limits
from automl.study.records import TrialRecord, TrialState
from tests.bench.search.families import FAMILIES
from tests.bench.search.warm_start import RESUMED, config_of


def records(scores: Sequence[float], places: Sequence[float]) -> list[TrialRecord]:
    return [
        TrialRecord(
            number,
            TrialState.COMPLETE,
            {"optim.lr": 10.0**place, "batch": 4},
            values={0: score},
            best_epoch=0,
            best_value=score,
        )
        for number, (score, place) in enumerate(zip(scores, places, strict=True))
    ]


def explored(noise: float, n: int = 60) -> list[TrialRecord]:
    """A bowl that has been looked at closely."""
    generator = np.random.default_rng(3)
    places = np.linspace(-4.5, -2.5, n)
    scores = 0.8 - 0.1 * (places + 3.5) ** 2 + noise * generator.standard_normal(n)
    return records(scores.tolist(), places.tolist())


def rough(n: int = 20) -> list[TrialRecord]:
    """Scores that follow no rule but differ far more than any noise would explain."""
    places = np.linspace(-5, -2, n)
    return records((0.5 + 0.3 * np.sin(4.0 * places)).tolist(), places.tolist())


def test_a_bowl_that_is_known_leaves_little_to_gain(config: StudyConfig) -> None:
    gain, open_gain = further_gain(explored(0.01), config, 10), further_gain(rough(), config, 10)
    assert gain is not None
    assert open_gain is not None
    assert gain.expected < gain.noise
    assert gain.chance < open_gain.chance
    assert gain.best == pytest.approx(0.8, abs=0.02)
    assert str(gain).startswith("the 10 trials left would gain ")


def test_where_much_is_open_it_is_not_unlikely(config: StudyConfig) -> None:
    gain = further_gain(rough(), config, 10)
    assert gain is not None
    assert not gain.is_unlikely


def test_it_is_a_pure_function_of_its_arguments(config: StudyConfig) -> None:
    first, second = (further_gain(explored(0.01), config, 10) for _ in range(2))
    assert first == second
    assert further_gain(explored(0.01)[::-1], config, 10) == first


def test_few_trials_and_no_trial_left_say_nothing(config: StudyConfig) -> None:
    assert further_gain(explored(0.01)[:14], config, 10) is None
    assert further_gain(explored(0.01), config, 0) is None
    flat = records([0.5] * 20, np.linspace(-5, -2, 20).tolist())
    assert further_gain(flat, config, 10) is None


def test_fresh_seeds_open_no_search_again(config: StudyConfig) -> None:
    known = explored(0.01)
    fresh = [replace(known[3], number=100 + n, confirms=3, source="race") for n in range(4)]
    assert further_gain([*known, *fresh], config, 10) == further_gain(known, config, 10)


def searched(seed: int, stop: str, trials: int = 40) -> Simulation:
    problem = FAMILIES["default2"].problem(seed)
    config = config_of(problem, seed, trials, Earlier(), "auto")
    limits = Limits(trials, same_failures=0, stop=stop, confirm=2)
    return simulate(problem.space, replace(config, limits=limits), problem, until=RESUMED)


@pytest.mark.timeout(60)
def test_a_search_ends_itself_says_why_and_then_confirms() -> None:
    done = searched(1, "auto")
    assert done.end is not None
    assert done.end.cause is EndCause.NO_GAIN
    assert "further gain is unlikely" in str(done.end)
    assert str(done.end).endswith("(--stop auto)")
    n_searched = sum(each.record.confirms is None for each in done.trials)
    assert 15 <= n_searched < 40
    assert sum(each.record.confirms is not None for each in done.trials) > 0
    # Every trial after the search confirms: nothing was proposed again once it had ended.
    assert all(each.record.confirms is not None for each in done.trials[n_searched:])


@pytest.mark.timeout(60)
def test_it_never_ends_itself_unless_asked() -> None:
    done = searched(1, "never", trials=30)
    assert done.end is not None
    assert done.end.cause is EndCause.LIMITS
    assert sum(each.record.confirms is None for each in done.trials) == 30


def test_the_word_is_checked() -> None:
    with pytest.raises(FixInput, match="stop must be one of never, auto"):
        Limits(stop="soon")
