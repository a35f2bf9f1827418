"""Trials that pause, as the engine records them: what is written, and what goes on."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState as OptunaState

from automl.search.budget import Budget
from automl.search.decision import Continue, Decision, Pause, SearchEnd, Stop
from automl.search.engine import Engine
from automl.search.method import GoOn, Propose, SearchView, Start
from automl.search.trial_store import TrialStore
from automl.search.view import ViewSource
from automl.space.model import SearchSpace
from automl.study import attributes
from automl.study.clock import utc_now
from automl.study.config import SearchSettings, StudyConfig
from automl.study.layout import AttemptPaths, StudyPaths
from automl.study.limits import Limits
from automl.study.records import Attempt, Measurement, Outcome, OutcomeState, TrialState

RUNG = 2


@dataclass
class Says:
    """A method that says what a test wants, and keeps the views that it was asked by."""

    decisions: dict[int, Decision] = field(default_factory=dict)
    starts: list[Start | SearchEnd | None] = field(default_factory=list)
    judged: list[SearchView] = field(default_factory=list)

    def next_start(self, view: SearchView) -> Start | SearchEnd | None:
        return self.starts.pop(0) if self.starts else Propose()

    def judge(self, view: SearchView, number: int) -> Decision:
        self.judged.append(replace(view, trials=tuple(view.trials)))
        epoch = view.by_number[number].epoch
        return self.decisions.get(epoch, Continue())


@dataclass(frozen=True, slots=True)
class Found:
    epoch: int
    path: Path


Open = Callable[[Says], Engine]


@pytest.fixture
def begin(study: optuna.Study, space: SearchSpace, config: StudyConfig) -> Open:
    def make(method: Says) -> Engine:
        search = SearchSettings(fidelity="asha", rungs=(RUNG,), n_epochs=6)
        settings = StudyConfig(
            "unit", "/skill", "on", "default", config.objective, search=search, limits=Limits(8)
        )
        return Engine(study, space, settings, method=method)

    return make


@pytest.fixture
def paths(tmp_path: Path) -> StudyPaths:
    return StudyPaths(tmp_path)


def measured(epoch: int, value: float = 0.1) -> Measurement:
    metrics = {"val_3DIoU": value, "train_loss": 2.0 - value}
    return Measurement(epoch, metrics, 10.0 * (epoch + 1))


def ask(engine: Engine) -> Attempt:
    attempt = engine.ask()
    assert attempt is not None
    return attempt


def paused(attempt: Attempt, last: int, checkpoint: str = "trials/x/1.pth") -> Outcome:
    return Outcome(
        attempt.number,
        attempt.attempt,
        OutcomeState.PAUSED,
        tuple(measured(epoch) for epoch in range(last + 1)),
        evidence="3rd of 4",
        checkpoint=checkpoint,
        seconds=20.0,
    )


def leave(paths: StudyPaths, attempt: Attempt, *epochs: int) -> Path:
    folder = paths.attempt(attempt.number, attempt.attempt).folder
    folder.mkdir(parents=True, exist_ok=True)
    for epoch in epochs:
        (folder / f"{epoch}.pth").touch()
    return folder


def found(paths: AttemptPaths, epoch: int | None) -> Found | None:
    all_ = [Found(int(path.stem), path) for path in paths.folder.glob("*.pth")]
    wanted = [each for each in all_ if epoch is None or each.epoch <= epoch]
    return max(wanted, key=lambda each: each.epoch, default=None)


# What is written


def test_all_metrics_and_the_decision_are_one_write(begin: Open, study: optuna.Study) -> None:
    method = Says({1: Pause("3rd of 4")})
    engine = begin(method)
    attempt = ask(engine)
    assert engine.report(attempt.number, measured(0)) == Continue()
    assert engine.report(attempt.number, measured(1)) == Pause("3rd of 4")
    attrs = study.trials[0].user_attrs
    assert attrs[f"{attributes.MEASURED}0"] == measured(0).to_json()
    assert attrs[f"{attributes.MEASURED}1"] == {**measured(1).to_json(), "pause": "3rd of 4"}
    view = method.judged[-1].by_number[0]
    assert view.measured == (measured(0), measured(1))
    assert view.record.best_value == 0.1
    assert view.metric("train_loss", 0) == 1.9


def test_a_repeated_epoch_is_answered_as_before_and_asks_nobody(begin: Open) -> None:
    method = Says({1: Pause("3rd of 4"), 2: Stop("last"), 3: Continue(audited="would stop")})
    engine = begin(method)
    attempt = ask(engine)
    said = [engine.report(attempt.number, measured(epoch)) for epoch in range(4)]
    assert [engine.report(attempt.number, measured(epoch, 0.9)) for epoch in range(4)] == said
    assert len(method.judged) == 4
    assert engine.records()[0].values == dict.fromkeys(range(4), 0.1)


def test_why_a_trial_goes_on_all_the_same_stays_with_it(
    begin: Open, study: optuna.Study, paths: StudyPaths
) -> None:
    method = Says({1: Continue(audited="would stop"), 3: Pause("later")})
    engine = begin(method)
    attempt = ask(engine)
    for epoch in range(4):
        engine.report(attempt.number, measured(epoch))
    engine.finish(paused(attempt, 3))
    method.starts = [GoOn(0, "its turn")]
    ask(engine)
    assert study.trials[-1].user_attrs[attributes.AUDITED] == "would stop"
    assert study.trials[-1].user_attrs[attributes.GOES_ON] == "its turn"


def test_a_paused_trial_stays_running_for_the_sampler(begin: Open, study: optuna.Study) -> None:
    engine = begin(Says({1: Pause("3rd of 4")}))
    attempt = ask(engine)
    for epoch in range(2):
        engine.report(attempt.number, measured(epoch))
    record = engine.finish(paused(attempt, 1))
    assert (record.state, record.evidence, record.seconds) == (TrialState.PAUSED, "3rd of 4", 20.0)
    assert study.trials[0].state is OptunaState.RUNNING
    assert study.trials[0].intermediate_values == {0: 0.1, 1: 0.1}
    before = engine.records()
    assert engine.finish(paused(attempt, 1)) == before[0]
    assert engine.records() == before
    assert isinstance(engine.report(0, measured(2)), Stop)


def test_a_pause_without_any_value_is_a_failure(begin: Open) -> None:
    engine = begin(Says())
    outcome = Outcome(ask(engine).number, 1, OutcomeState.PAUSED, evidence="3rd of 4")
    assert engine.finish(outcome).state is TrialState.FAILED


# What goes on


def test_it_goes_on_from_its_checkpoint_with_its_history(begin: Open, study: optuna.Study) -> None:
    method = Says({1: Pause("3rd of 4")})
    engine = begin(method)
    first = ask(engine)
    for epoch in range(2):
        engine.report(first.number, measured(epoch))
    engine.finish(paused(first, 1))
    method.starts = [GoOn(0, "1st of 4")]
    again = ask(engine)
    assert (again.number, again.attempt, again.params) == (0, 2, first.params)
    assert again.resume_from == "trials/x/1.pth"
    assert again.history == (measured(0), measured(1))
    assert engine.records()[0].state is TrialState.RUNNING
    assert engine.records()[0].seconds == 20.0
    assert [trial.state for trial in study.trials] == [OptunaState.FAIL, OptunaState.RUNNING]


def test_only_a_paused_trial_can_go_on(begin: Open) -> None:
    method = Says()
    engine = begin(method)
    ask(engine)
    method.starts = [GoOn(0, "its turn")]
    with pytest.raises(ValueError, match="is not paused"):
        engine.ask()


def test_one_that_cannot_go_on_any_more_is_seen_as_stopped(
    begin: Open, study: optuna.Study, space: SearchSpace, config: StudyConfig
) -> None:
    engine = begin(Says({1: Pause("3rd of 4")}))
    attempt = ask(engine)
    engine.report(0, measured(1))
    engine.finish(paused(attempt, 1))
    store = TrialStore(study, config.objective)
    views = ViewSource(store, space, config, Budget(store, config, utc_now))
    assert views.view().by_number[0].record.state is TrialState.PAUSED
    views.lose(frozenset({0}))
    assert views.view().by_number[0].record.state is TrialState.PRUNED


# After a crash


def crashed(begin: Open, method: Says, epochs: int) -> Attempt:
    engine = begin(method)
    attempt = ask(engine)
    for epoch in range(epochs):
        engine.report(attempt.number, measured(epoch))
    return attempt


def history(*epochs: int) -> Callable[[AttemptPaths], tuple[Measurement, ...]]:
    return lambda _: tuple(measured(epoch) for epoch in epochs)


def test_a_pause_that_was_decided_takes_place(begin: Open, paths: StudyPaths) -> None:
    method = Says({1: Pause("3rd of 4")})
    attempt = crashed(begin, method, 2)
    leave(paths, attempt, 0, 1, 2)  # the trainer went on past it
    engine = begin(method)
    (recovered,) = engine.recover(paths, history(0, 1, 2), found)
    assert str(recovered) == "trial 0  was to pause: paused"
    (record,) = engine.records()
    assert (record.state, record.evidence) == (TrialState.PAUSED, "3rd of 4")
    assert record.values == {0: 0.1, 1: 0.1}
    assert record.checkpoint == "trials/0000/1/1.pth"
    assert (record.seconds, len(method.judged)) == (30.0, 2)
    assert engine.recover(paths, history(0, 1, 2), found) == ()


def test_without_its_checkpoint_it_trains_to_its_rung_again(
    begin: Open, paths: StudyPaths
) -> None:
    method = Says({1: Pause("3rd of 4")})
    attempt = crashed(begin, method, 2)
    leave(paths, attempt, 0)
    engine = begin(method)
    engine.recover(paths, history(0, 1), found)
    again = ask(engine)
    assert (again.attempt, again.resume_from) == (2, "trials/0000/1/0.pth")
    assert again.history == (measured(0),)
    assert engine.report(again.number, measured(1)) == Pause("3rd of 4")


def test_a_stop_that_was_decided_takes_place(begin: Open, paths: StudyPaths) -> None:
    method = Says({1: Stop("9th of 9")})
    attempt = crashed(begin, method, 2)
    leave(paths, attempt, 0, 1, 2)
    engine = begin(method)
    engine.recover(paths, history(0, 1, 2), found)
    (record,) = engine.records()
    assert (record.state, record.evidence) == (TrialState.PRUNED, "9th of 9")
    assert record.values == {0: 0.1, 1: 0.1}


@pytest.mark.parametrize(
    ("decision", "state"),
    [
        (Pause("3rd of 4"), TrialState.PAUSED),
        (Stop("9th of 9"), TrialState.PRUNED),
        (Continue(), TrialState.RUNNING),
        (Continue(audited="would stop"), TrialState.RUNNING),
    ],
)
def test_a_rung_that_nobody_judged_is_judged_before_it_goes_on(
    begin: Open, paths: StudyPaths, decision: Decision, state: TrialState
) -> None:
    method = Says({1: decision}, [Propose(), None])
    attempt = crashed(begin, method, 1)  # the search never heard of epochs 1 and 2
    leave(paths, attempt, 0, 1, 2)
    engine = begin(method)
    engine.recover(paths, history(0, 1, 2), found)
    again = engine.ask()
    (record,) = engine.records()
    assert record.state is state
    assert record.values == {0: 0.1, 1: 0.1}
    assert method.judged[-1].by_number[0].record.state is TrialState.RUNNING
    if isinstance(decision, Continue):
        assert again is not None
        assert again.history == (measured(0), measured(1))
        assert again.resume_from == "trials/0000/1/1.pth"
    else:
        assert again is None
        assert record.evidence == decision.reason


def test_a_paused_trial_is_left_alone_while_its_checkpoint_is_there(
    begin: Open, paths: StudyPaths, study: optuna.Study
) -> None:
    method = Says({1: Pause("3rd of 4")})
    attempt = crashed(begin, method, 2)
    place = leave(paths, attempt, 1) / "1.pth"
    begin(method).recover(paths, history(0, 1), found)
    engine = begin(method)
    assert engine.recover(paths, history(0, 1), found) == ()
    place.unlink()
    (recovered,) = engine.recover(paths, history(0, 1), found)
    assert "its checkpoint has gone" in str(recovered)
    assert engine.records()[0].state is TrialState.PRUNED
    assert study.trials[0].value == 0.1


def test_a_training_that_is_found_again_is_not_judged_again(
    begin: Open, paths: StudyPaths
) -> None:
    method = Says({0: Continue(), 1: Pause("3rd of 4")})
    attempt = crashed(begin, method, 2)
    folder = leave(paths, attempt, 0, 1)
    method.decisions = {0: Stop("never"), 1: Continue()}
    engine = begin(method)
    (recovered,) = engine.recover(paths, history(0, 1), found, frozenset({folder}))
    assert "found again" in str(recovered)
    same = ask(engine)
    assert (same.number, same.attempt) == (0, 1)
    assert engine.report(0, measured(0)) == Continue()
    assert engine.report(0, measured(1)) == Pause("3rd of 4")
    assert len(method.judged) == 2


# Storage of others


def test_what_others_reported_counts_by_the_objective_alone(
    begin: Open, study: optuna.Study
) -> None:
    method = Says()
    ask(begin(method))
    study._storage.set_trial_intermediate_value(study.trials[0]._trial_id, 0, 0.4)
    engine = begin(method)
    engine.report(ask(engine).number, measured(1))
    (seen,) = method.judged[-1].by_number[0].measured
    assert seen == Measurement(0, {"val_3DIoU": 0.4}, 0.0)
