"""What is expected of a trial, by which of its metrics."""

from collections.abc import Sequence
from dataclasses import replace

import optuna
import pytest

from automl.search.method import SearchView, TrialView
from automl.search.prediction import forecast, predictor
from automl.skill.signals import Signal
from automl.skill.tree import ParamValue
from automl.study import attributes
from automl.study.config import Direction, StudyConfig
from automl.study.records import TrialState
from tests.halving_views import asked, trial

CONFIG = asked()
RUNNING, COMPLETE = TrialState.RUNNING, TrialState.COMPLETE


def shown(
    number: int,
    score: float,
    loss: float,
    config: StudyConfig = CONFIG,
    final: float | None = None,
    **params: ParamValue,
) -> TrialView:
    """A trial with two epochs; one that has ended has a third."""
    early = {"score": score, "train_loss": loss}
    end = [] if final is None else [{"score": final, "train_loss": loss}]
    state = RUNNING if final is None else COMPLETE
    return trial(number, [early, early, *end], config, state, params or None)


def order(trials: Sequence[TrialView], config: StudyConfig = CONFIG) -> list[int]:
    seen = forecast(SearchView(trials, config), 2)
    return seen.order([each.number for each in trials])


def test_the_loss_ranks_while_the_objective_is_flat() -> None:
    losses = [5.0, 3.0, 4.0, 6.0]
    trials = [shown(n, 0.0, loss) for n, loss in enumerate(losses)]
    assert order(trials) == [1, 2, 0, 3]


def test_a_third_of_tied_trials_is_flat() -> None:
    # The objective alone would put the trials of 0.1 and 0.2 first.
    tied = [shown(0, 0.1, 6.0), shown(1, 0.2, 5.0), shown(2, 0.0, 4.0), shown(3, 0.0, 3.0)]
    assert order(tied) == [3, 2, 1, 0]


def test_an_objective_that_moves_counts_as_much_as_the_loss() -> None:
    trials = [shown(0, 0.3, 4.0), shown(1, 0.2, 3.0), shown(2, 0.1, 5.0), shown(3, 0.4, 2.0)]
    assert order(trials)[0] == 3
    assert order(trials)[-1] == 2
    seen = forecast(SearchView(trials, CONFIG), 2)
    assert {one.scored.metric for one in seen.signals} == {"score", "train_loss"}
    assert seen.signals[0].reliability == pytest.approx(seen.signals[1].reliability)


def test_a_loss_that_misled_loses_its_weight() -> None:
    """Ten trials ended as their objective said and against their loss."""
    ended = [shown(n, n / 10, float(n), final=n / 5) for n in range(10)]
    now = [shown(10, 0.75, 9.5), shown(11, 0.15, 0.5)]
    assert order([*ended, *now])[-1] == 0
    seen = forecast(SearchView([*ended, *now], CONFIG), 2)
    assert seen.scores[10] > seen.scores[11]
    worth = {one.scored.metric: one.reliability for one in seen.signals}
    assert worth["score"] > 0.8
    assert worth.get("train_loss", 0.0) < 0.3


def test_nothing_to_tell_trials_apart_is_blind() -> None:
    flat = [shown(n, 0.0, 1.0) for n in range(4)]
    assert forecast(SearchView(flat, CONFIG), 2).is_blind
    two = [shown(4, 0.0, 0.5), shown(5, 0.0, 1.5)]
    assert forecast(SearchView([*flat, two[0]], CONFIG), 2).is_blind
    assert not forecast(SearchView([*flat, *two], CONFIG), 2).is_blind


def test_losses_compare_only_within_what_changes_their_meaning() -> None:
    config = asked(signals=(Signal("train_loss", within=("model.net",)),))
    losses = {0: ("a", 50.0), 1: ("a", 40.0), 2: ("b", 5.0), 3: ("b", 4.0)}
    trials = [
        shown(n, 0.0, loss, config, None, **{"model.net": net})
        for n, (net, loss) in losses.items()
    ]
    seen = forecast(SearchView(trials, config), 2)
    assert seen.scores[1] == pytest.approx(seen.scores[3])
    assert seen.scores[0] == pytest.approx(seen.scores[2])
    assert seen.scores[1] > seen.scores[0]


def test_without_a_profile_the_loss_compares_within_the_optimisers_settings() -> None:
    config = asked(signals=())
    alike = [shown(n, 0.0, 5.0 - n, config, None, **{"optim.lr": 0.1 * n}) for n in range(4)]
    assert order(alike, config) == [3, 2, 1, 0]
    other = [shown(n, 0.0, 5.0 - n, config, width=n) for n in range(4)]
    assert forecast(SearchView(other, config), 2).is_blind


def test_evidence_lets_a_loss_count_across_settings() -> None:
    config = asked(signals=())
    ended = [shown(n, 0.0, 9.0 - n, config, final=n / 10, width=n) for n in range(9)]
    now = [shown(9, 0.0, 0.5, config, width=20), shown(10, 0.0, 8.5, config, width=21)]
    seen = forecast(SearchView([*ended, *now], config), 2)
    assert seen.scores[9] > seen.scores[10]


def test_a_metric_that_is_silent_at_first_counts_on_evidence_alone() -> None:
    config = asked(signals=(Signal("error", "lower", silent=0.0),))

    def seen(number: int, error: float, final: float | None = None) -> TrialView:
        end = [] if final is None else [{"score": final, "error": error}]
        state = RUNNING if final is None else COMPLETE
        return trial(number, [{"score": 0.0, "error": error}] * 2 + end, config, state)

    now = [seen(20, 0.0), seen(21, 5.5), seen(22, 1.5)]
    early = forecast(SearchView(now, config), 2)
    assert early.is_blind
    ended = [seen(n, n + 1.0, final=1.0 - n / 10) for n in range(8)]
    scores = forecast(SearchView([*ended, *now], config), 2).scores
    assert scores[22] > scores[21]
    # Nothing is known of the one that detected nothing.
    assert scores[20] == 0.0


def test_the_best_value_so_far_counts() -> None:
    losses = {0: (3.0, 9.0), 1: (4.0, 4.0)}
    trials = [
        trial(n, [{"score": 0.0, "train_loss": loss} for loss in pair], CONFIG)
        for n, pair in losses.items()
    ]
    assert order(trials) == [0, 1]
    assert forecast(SearchView(trials, CONFIG), 2).words(0) == "train_loss 3"


def test_a_prediction_needs_a_trial_that_ended() -> None:
    early = [shown(0, 0.1, 5.0), shown(1, 0.2, 4.0)]
    assert forecast(SearchView(early, CONFIG), 2).predict(1) is None
    view = SearchView([shown(0, 0.1, 5.0, final=0.3), early[1]], CONFIG)
    seen = forecast(view, 2).predict(1)
    assert seen is not None
    assert seen.mean > 0.3
    assert seen.sd > 0


def test_predictions_follow_the_ends_and_their_spread() -> None:
    ended = [shown(n, n / 10, 9.0 - n, final=n / 10 + 0.5) for n in range(8)]
    now = shown(8, 0.35, 5.5)
    seen = forecast(SearchView([*ended, now], CONFIG), 2).predict(8)
    assert seen is not None
    assert seen.mean == pytest.approx(0.85, abs=0.06)
    assert 0.0 < seen.sd < 0.15


def test_a_prediction_is_no_worse_than_what_was_seen() -> None:
    ended = [shown(n, 0.1 * n, 9.0 - n, final=0.1 * n) for n in range(4)]
    view = SearchView([*ended, shown(4, 0.9, 20.0)], CONFIG)
    seen = forecast(view, 2).predict(4)
    assert seen is not None
    assert seen.mean >= 0.9


def test_minimised_objectives_are_predicted_in_their_own_unit() -> None:
    config = asked(direction=Direction.MINIMIZE)
    ended = [shown(n, 5.0 - n, 9.0 - n, config, final=4.0 - n) for n in range(4)]
    seen = forecast(SearchView([*ended, shown(4, 1.5, 5.5, config)], config), 2).predict(4)
    assert seen is not None
    assert 0.0 < seen.mean <= 1.5


def test_words_say_the_values_that_count() -> None:
    trials = [shown(n, 0.0, 5.0 - n) for n in range(4)]
    seen = forecast(SearchView(trials, CONFIG), 2)
    assert seen.words(1) == "train_loss 4"
    assert forecast(SearchView(trials[:1], CONFIG), 2).words(0) == "nothing reported"


def test_the_samplers_hook_knows_trials_by_their_number() -> None:
    view = SearchView([shown(0, 0.1, 5.0, final=0.3), shown(1, 0.2, 4.0)], CONFIG)
    predict = predictor(view)
    frozen = optuna.trial.create_trial(value=0.0, user_attrs={attributes.NUMBER: 1})
    seen = predict(frozen)
    assert seen == forecast(view, 2).predict(1)
    frozen.set_user_attr(attributes.NUMBER, 7)
    assert predict(frozen) is None
    failed = replace(view.trials[1].record, state=TrialState.FAILED)
    broken = SearchView([view.trials[0], replace(view.trials[1], record=failed)], CONFIG)
    frozen.set_user_attr(attributes.NUMBER, 1)
    assert predictor(broken)(frozen) is None
