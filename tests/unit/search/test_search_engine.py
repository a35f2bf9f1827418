import math
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState as OptunaState

from automl.errors import FixInput, ResolveConflict
from automl.search.decision import Continue, EndCause, Stop
from automl.search.engine import Engine
from automl.space.distributions import Choice, FloatRange, IntRange
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.study import attributes
from automl.study.config import Direction, Objective, SearchSettings, StudyConfig
from automl.study.limits import Limits
from automl.study.records import Attempt, FailureClass, Measurement, OutcomeState, TrialState
from automl.study.storage import memory_study

Make = Callable[..., Engine]
End = Callable[..., Any]


def ask(engine: Engine) -> Attempt:
    attempt = engine.ask()
    assert attempt is not None
    return attempt


def measured(epoch: int, value: float) -> Measurement:
    return Measurement(epoch, {"val_3DIoU": value}, float(epoch))


# Asking


def test_trial_0_is_the_default(make: Make) -> None:
    engine = make()
    first = ask(engine)
    assert (first.number, first.attempt) == (0, 1)
    assert first.params == {"optim.lr": 1e-4, "batch": 4}
    assert engine.records()[0].source == "default"
    assert ask(engine).params != first.params
    assert engine.records()[1].source == "sampler"


def test_a_default_outside_the_space_is_run_but_not_modelled(
    make: Make, end: End, study: optuna.Study
) -> None:
    space = SearchSpace(
        (
            Parameter("lr", "float", FloatRange(1e-3, 1e-2, log=True), default=0.5),
            Parameter("net", "categorical", Choice(("a", "b")), default="c"),
        )
    )
    engine = make(space)
    attempt = ask(engine)
    assert attempt.params == {"lr": 0.5, "net": "c"}
    engine.finish(end(attempt, [0.3]))
    assert study.trials[0].params == {}
    assert "lr, net" in study.trials[0].user_attrs[attributes.OUTSIDE]
    assert engine.records()[0].params == attempt.params
    assert engine.incumbent() == engine.records()[0]


def test_numbers_run_on_without_gaps_up_to_the_limit(make: Make, end: End) -> None:
    engine = make()
    for number in range(8):
        assert engine.stopped is None
        attempt = ask(engine)
        assert attempt.number == number
        engine.finish(end(attempt, [0.1]))
    assert engine.ask() is None
    assert engine.stopped is not None
    assert engine.stopped.cause is EndCause.LIMITS
    assert str(engine.stopped) == "all 8 trials were started"


def test_a_larger_limit_lets_a_resumed_study_go_on(make: Make, end: End) -> None:
    engine = make(limits=Limits(1))
    engine.finish(end(ask(engine), [0.1]))
    assert engine.ask() is None
    assert ask(make(limits=Limits(2))).number == 1


def test_proposals_do_not_depend_on_the_engine_that_makes_them(
    space: SearchSpace, config: StudyConfig, end: End
) -> None:
    def proposals(*, renewed: bool) -> list[Any]:
        study = optuna.create_study(direction="maximize")
        settings = replace(config, search=SearchSettings(startup_trials=3))
        engine = Engine(study, space, settings)
        params = []
        for number in range(8):
            if renewed:
                engine = Engine(study, space, settings)
            attempt = ask(engine)
            params.append(attempt.params)
            engine.finish(end(attempt, [number % 3 / 10]))
        return params

    assert proposals(renewed=True) == proposals(renewed=False)


def test_another_seed_proposes_otherwise(space: SearchSpace, config: StudyConfig) -> None:
    def second(seed: int) -> Any:
        settings = replace(config, search=SearchSettings(seed=seed))
        engine = Engine(memory_study(config.objective), space, settings)
        return [ask(engine).params for _ in range(2)][1]

    assert second(1) == second(1)
    assert second(1) != second(2)


def test_start_up_proposals_do_not_wait_for_results(
    make: Make, end: End, space: SearchSpace, config: StudyConfig
) -> None:
    foreseeing = Engine(memory_study(config.objective), space, config)
    foreseen = [ask(foreseeing) for _ in range(4)]
    engine = make()
    for expected in foreseen:
        attempt = ask(engine)
        assert attempt == expected
        engine.finish(end(attempt, [0.2]))


def test_a_small_space_is_searched_once_and_no_more(make: Make, end: End) -> None:
    choices = ("a", "b", "c", "d")
    space = SearchSpace((Parameter("net", "categorical", Choice(choices), default="b"),))
    engine = make(space, limits=Limits(30))
    seen = []
    while (attempt := engine.ask()) is not None:
        seen.append(attempt.params["net"])
        engine.finish(end(attempt, [0.5]))
    assert set(seen) == set(choices)
    assert len(engine.records()) == len(seen)
    assert engine.stopped is not None
    assert engine.stopped.cause is EndCause.EXHAUSTED


def test_a_space_without_parameters_is_tried_once(make: Make, end: End) -> None:
    engine = make(SearchSpace())
    attempt = ask(engine)
    assert attempt.params == {}
    engine.finish(end(attempt, [0.5]))
    assert engine.ask() is None


def test_a_trial_from_another_program_gets_a_number_of_its_own(
    make: Make, study: optuna.Study
) -> None:
    engine = make()
    ask(engine)
    study.enqueue_trial({"optim.lr": 5e-4, "batch": 2})
    attempt = ask(engine)
    assert attempt.number == 1
    assert attempt.params == {"optim.lr": 5e-4, "batch": 2}
    assert engine.records()[1].source == "user"


def test_a_trial_from_another_program_does_not_exceed_the_limit(
    make: Make, study: optuna.Study
) -> None:
    engine = make(limits=Limits(1))
    ask(engine)
    study.enqueue_trial({"batch": 2})
    assert engine.ask() is None
    assert study.trials[1].state is OptunaState.FAIL
    assert len(engine.records()) == 1


def test_a_study_is_not_continued_in_another_space(make: Make) -> None:
    make()
    other = SearchSpace((Parameter("batch", "int", IntRange(1, 17), default=4),))
    with pytest.raises(ResolveConflict, match="must keep the search space"):
        make(other)


def test_a_study_of_another_format_is_left_alone(make: Make, study: optuna.Study) -> None:
    study.set_user_attr(attributes.FORMAT, 2)
    with pytest.raises(ResolveConflict, match="format 2"):
        make()


@pytest.mark.parametrize(
    "search", [SearchSettings(sampler="tpa"), SearchSettings(pruner="mediam")]
)
def test_unknown_methods_are_refused_with_the_nearest(make: Make, search: SearchSettings) -> None:
    with pytest.raises(FixInput, match=r"did you mean (tpe|median)"):
        make(search=search)


# Reporting


def test_a_repeated_measurement_changes_nothing(make: Make) -> None:
    engine = make()
    attempt = ask(engine)
    assert engine.report(attempt.number, measured(3, 0.2)) == Continue()
    before = engine.records()
    assert engine.report(attempt.number, measured(3, 0.9)) == Continue()
    assert engine.records() == before
    assert before[0].values == {3: 0.2}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_another_program_reports_counts_only_if_it_is_finite(
    make: Make, end: End, study: optuna.Study, value: float
) -> None:
    engine = make()
    attempt = ask(engine)
    trial = study.get_trials(deepcopy=False)[-1]
    study._storage.set_trial_intermediate_value(trial._trial_id, 7, value)
    assert engine.records()[0].values == {}
    assert engine.finish(end(attempt, [0.1, 0.2])).values == {0: 0.1, 1: 0.2}


def test_a_measurement_of_an_ended_trial_is_answered_with_stop(make: Make, end: End) -> None:
    engine = make()
    attempt = ask(engine)
    engine.finish(end(attempt, [0.1]))
    decision = engine.report(attempt.number, measured(1, 0.9))
    assert isinstance(decision, Stop)
    assert "ended" in decision.reason
    assert engine.records()[0].values == {0: 0.1}


def test_nobody_is_stopped_early_by_default(make: Make, end: End) -> None:
    engine = make(limits=Limits(20))
    for _ in range(7):
        engine.finish(end(ask(engine), [0.9] * 10))
    attempt = ask(engine)
    for epoch in range(10):
        assert engine.report(attempt.number, measured(epoch, 0.0)) == Continue()


def test_the_median_rule_stops_a_trial_that_is_behind(make: Make, end: End) -> None:
    engine = make(limits=Limits(20), search=SearchSettings(pruner="median"))
    for _ in range(5):
        engine.finish(end(ask(engine), [0.9] * 10))
    attempt = ask(engine)
    decisions = [engine.report(attempt.number, measured(epoch, 0.1)) for epoch in range(7)]
    assert decisions[:5] == [Continue()] * 5
    assert isinstance(decisions[6], Stop)
    assert "median" in decisions[6].reason
    record = engine.finish(end(attempt, [0.1] * 7, state=OutcomeState.PRUNED))
    assert record.state is TrialState.PRUNED
    assert not record.is_usable


def test_no_rule_stops_a_training_that_confirms_another(make: Make, end: End) -> None:
    search = SearchSettings(pruner="median")
    engine = make(limits=Limits(8, confirm=2, confirm_top=1), search=search)
    for number in range(8):
        engine.finish(end(ask(engine), [0.1 if number == 0 else 0.9] * 10))
    for _ in range(4):
        attempt = ask(engine)
        assert attempt.seed is not None
        for epoch in range(10):
            assert engine.report(attempt.number, measured(epoch, 0.05)) == Continue()
        record = engine.finish(end(attempt, [0.05] * 10))
        assert record.confirms is not None
        assert record.is_usable
    assert engine.ask() is None


# Finishing


def test_a_trial_counts_by_its_best_epoch(make: Make, end: End, study: optuna.Study) -> None:
    engine = make()
    record = engine.finish(end(ask(engine), [0.1, 0.7, 0.4, 0.7], checkpoint="trials/x.pth"))
    assert (record.best_epoch, record.best_value) == (1, 0.7)
    assert (record.seconds, record.gpu_seconds, record.checkpoint) == (2.0, 4.0, "trials/x.pth")
    assert study.trials[0].value == 0.7


def test_for_a_metric_to_minimise_the_lowest_is_best(
    space: SearchSpace, config: StudyConfig, end: End
) -> None:
    objective = Objective("val_3DIoU", Direction.MINIMIZE)
    study = optuna.create_study(direction="minimize")
    engine = Engine(study, space, replace(config, objective=objective))
    engine.finish(end(ask(engine), [0.5, 0.2, 0.3]))
    engine.finish(end(ask(engine), [0.4]))
    best = engine.incumbent()
    assert best is not None
    assert (best.number, best.best_value, best.best_epoch) == (0, 0.2, 1)


def test_of_equal_trials_the_first_is_the_incumbent(make: Make, end: End) -> None:
    engine = make()
    first, second = ask(engine), ask(engine)
    engine.finish(end(second, [0.6]))
    engine.finish(end(first, [0.6]))
    best = engine.incumbent()
    assert best is not None
    assert best.number == 0


@pytest.mark.parametrize("failure", [FailureClass.OOM, FailureClass.DIVERGED, FailureClass.HANG])
def test_what_the_config_caused_is_told_as_the_worst(
    make: Make, end: End, study: optuna.Study, failure: FailureClass
) -> None:
    engine = make()
    engine.finish(end(ask(engine), [0.5]))
    record = engine.finish(end(ask(engine), [0.8], failure=failure))
    assert study.trials[1].state is OptunaState.COMPLETE
    assert study.trials[1].value == 0.0
    assert record.state is TrialState.FAILED
    assert (record.failure, record.evidence) == (failure, "CUDA out of memory")
    assert not record.is_usable
    best = engine.incumbent()
    assert best is not None
    assert best.number == 0


def test_without_a_known_worst_the_worst_seen_is_told(
    make: Make, end: End, study: optuna.Study
) -> None:
    engine = make(objective=Objective("val_3DIoU", Direction.MAXIMIZE))
    engine.finish(end(ask(engine), failure=FailureClass.OOM))
    assert study.trials[0].state is OptunaState.PRUNED
    engine.finish(end(ask(engine), [0.3, 0.2, 0.5]))
    engine.finish(end(ask(engine), failure=FailureClass.OOM))
    assert study.trials[2].value == 0.2


def test_what_the_machine_caused_teaches_the_sampler_nothing(
    make: Make, end: End, study: optuna.Study
) -> None:
    engine = make()
    record = engine.finish(end(ask(engine), failure=FailureClass.DISK))
    assert study.trials[0].state is OptunaState.FAIL
    assert (record.state, record.failure) == (TrialState.FAILED, FailureClass.DISK)


def test_an_end_without_a_value_is_a_failure(make: Make, end: End) -> None:
    engine = make()
    record = engine.finish(end(ask(engine)))
    assert (record.state, record.failure) == (TrialState.FAILED, FailureClass.NO_METRIC)
    assert "val_3DIoU" in record.evidence
    assert engine.incumbent() is None


def test_a_metric_that_the_first_trial_lacks_ends_the_search(make: Make, end: End) -> None:
    engine = make()
    engine.finish(end(ask(engine)))
    assert engine.ask() is None
    assert engine.stopped is not None
    assert engine.stopped.cause is EndCause.NO_METRIC
    assert str(engine.stopped).startswith("trial 0: ")


def test_a_metric_that_was_measured_before_and_is_missing_once_ends_nothing(
    make: Make, end: End
) -> None:
    engine = make()
    engine.finish(end(ask(engine), [0.3]))
    engine.finish(end(ask(engine)))
    assert engine.stopped is None
    assert engine.ask() is not None


def test_the_second_end_of_an_attempt_is_ignored(make: Make, end: End) -> None:
    engine = make()
    attempt = ask(engine)
    first = engine.finish(end(attempt, [0.4]))
    assert engine.finish(end(attempt, [0.9])) == first
    assert engine.finish(end(attempt, failure=FailureClass.OOM)) == first
    assert engine.records() == (first,)


def test_the_end_of_a_trial_nobody_asked_for_is_refused(make: Make, end: End) -> None:
    with pytest.raises(ValueError, match="never asked for"):
        make().finish(end(Attempt(5, 1, {}), [0.1]))


def test_an_interrupted_trial_comes_first_and_goes_on_from_its_checkpoint(
    make: Make, end: End
) -> None:
    engine = make()
    attempt = ask(engine)
    ask(engine)
    outcome = end(attempt, [0.1, 0.3], OutcomeState.INTERRUPTED, checkpoint="trials/a.pth")
    assert engine.finish(outcome).state is TrialState.WAITING
    again = ask(engine)
    assert (again.number, again.attempt, again.params) == (0, 2, attempt.params)
    assert again.resume_from == "trials/a.pth"
    assert again.history == outcome.measurements
    engine.report(0, measured(2, 0.2))
    record = engine.finish(replace(end(again), measurements=(*again.history, measured(2, 0.2))))
    assert record.values == {0: 0.1, 1: 0.3, 2: 0.2}
    assert (record.attempts, record.best_epoch, record.seconds) == (2, 1, 4.0)
    assert ask(engine).number == 2


def test_without_a_checkpoint_an_interrupted_trial_starts_again(make: Make, end: End) -> None:
    engine = make()
    attempt = ask(engine)
    engine.report(0, measured(0, 0.9))
    engine.finish(end(attempt, [0.9], OutcomeState.INTERRUPTED))
    again = ask(engine)
    assert (again.attempt, again.resume_from, again.history) == (2, None, ())
    assert engine.finish(end(again, [0.2])).values == {0: 0.2}


def test_an_attempt_lost_before_its_first_checkpoint_keeps_the_earlier_one(
    make: Make, end: End
) -> None:
    engine = make()
    first = end(ask(engine), [0.1], OutcomeState.INTERRUPTED, checkpoint="trials/a.pth")
    engine.finish(first)
    engine.finish(end(ask(engine), None, OutcomeState.INTERRUPTED))
    third = ask(engine)
    assert (third.attempt, third.resume_from) == (3, "trials/a.pth")
    assert third.history == first.measurements


def test_late_news_of_a_replaced_attempt_is_ignored(make: Make, end: End) -> None:
    engine = make()
    attempt = ask(engine)
    engine.finish(end(attempt, None, OutcomeState.INTERRUPTED))
    again = ask(engine)
    assert engine.finish(end(attempt, [0.9])).state is TrialState.RUNNING
    assert engine.report(again.number, measured(0, 0.2)) == Continue()
    assert engine.finish(end(again, [0.2])).best_value == 0.2


# Ending the search


def test_one_cause_again_and_again_ends_the_search(make: Make, end: End) -> None:
    engine = make()
    for _ in range(3):
        engine.finish(end(ask(engine), failure=FailureClass.DATA))
    assert engine.ask() is None
    assert engine.stopped is not None
    assert engine.stopped.cause is EndCause.CIRCUIT_BREAKER
    assert "3 trials in a row" in engine.stopped.reason
    assert "data" in engine.stopped.reason


def test_settings_that_fail_with_every_fresh_seed_are_trained_to_the_last_of_them(
    make: Make, end: End
) -> None:
    engine = make(limits=Limits(2, confirm=5))
    engine.finish(end(ask(engine), [0.1]))
    engine.finish(end(ask(engine), [0.9]))
    for _ in range(10):
        engine.finish(end(ask(engine), failure=FailureClass.DIVERGED))
    assert engine.ask() is None
    assert engine.stopped is not None
    assert engine.stopped.cause is EndCause.LIMITS


def test_a_machine_that_breaks_confirmations_ends_the_study(make: Make, end: End) -> None:
    engine = make(limits=Limits(2, confirm=5))
    engine.finish(end(ask(engine), [0.1]))
    engine.finish(end(ask(engine), [0.9]))
    for _ in range(3):
        engine.finish(end(ask(engine), failure=FailureClass.DISK))
    assert engine.stopped is not None
    assert engine.stopped.cause is EndCause.CIRCUIT_BREAKER


def test_a_resumed_study_gets_another_chance(make: Make, end: End) -> None:
    engine = make()
    for _ in range(3):
        engine.finish(end(ask(engine), failure=FailureClass.DATA))
    assert make().stopped is None
    assert ask(make()).number == 3


def test_several_threads_never_get_the_same_trial(make: Make, end: End) -> None:
    engine = make(limits=Limits(24))
    numbers: list[int] = []

    def work() -> None:
        while (attempt := engine.ask()) is not None:
            numbers.append(attempt.number)
            engine.report(attempt.number, measured(0, 0.1))
            engine.records()
            engine.finish(end(attempt, [0.1]))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(24))
    assert all(record.state is TrialState.COMPLETE for record in engine.records())
