"""A batch that ran out of memory bounds the batches after it, at no cost."""

from collections.abc import Mapping
from dataclasses import replace

import optuna
import pytest

from automl.search.engine import Engine
from automl.search.frontier import beyond_memory
from automl.search.proposals import n_modelled
from automl.search.samplers import SAMPLERS
from automl.skill.keys import NetworkKeys
from automl.skill.tree import ParamValue
from automl.space.distributions import Choice, FloatRange, IntRange
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.study import attributes
from automl.study.config import Direction, Objective, Resources, SearchSettings, StudyConfig
from automl.study.limits import Limits
from automl.study.records import Attempt, FailureClass, Measurement, Outcome, OutcomeState
from automl.study.storage import memory_study
from automl.study.trials import by_number, is_refused, n_refused

OBJECTIVE = Objective("score", Direction.MAXIMIZE, worst=0.0)
LR, BATCH, NET = "train.optim.lr", "dataset.batch_size", "model.backbone.model_type"
KEYS = NetworkKeys(batch_sizes=(BATCH,), optimizer="train.optim.")
SPACE = SearchSpace(
    (
        Parameter(LR, "float", FloatRange(1e-5, 1e-2, log=True), default=1e-4),
        Parameter(BATCH, "int", IntRange(1, 64), default=4),
        Parameter(NET, "categorical", Choice(("nano", "DLA34")), default="nano"),
    )
)
#: The largest batch that each network has room for.
ROOM = {"nano": 48, "DLA34": 40}
OUT = "CUDA out of memory"


def config(sampler: str = "tpe", trials: int = 30, trials_per_gpu: int = 1) -> StudyConfig:
    return StudyConfig(
        "memory", "/skill", "on", "default", OBJECTIVE,
        search=SearchSettings(sampler=sampler, seed=5, startup_trials=6),
        limits=Limits(trials, same_failures=0),
        resources=Resources(gpus_per_trial=1, trials_per_gpu=trials_per_gpu),
        keys=KEYS,
    )  # fmt: skip


def trained(attempt: Attempt, evidence: str = OUT) -> Outcome:
    """Larger batches score better, until there is no room for them."""
    batch, net = attempt.params[BATCH], str(attempt.params[NET])
    assert isinstance(batch, int)
    if batch > ROOM[net]:
        return Outcome(attempt.number, 1, OutcomeState.FAILED, (), FailureClass.OOM, evidence)
    value = batch / 64 + (net == "DLA34") * 0.1
    return Outcome(attempt.number, 1, OutcomeState.OK, (Measurement(0, {"score": value}, 1.0),))


def drive(config: StudyConfig, evidence: str = OUT) -> tuple[optuna.Study, Engine]:
    study = memory_study(OBJECTIVE)
    engine = Engine(study, SPACE, config)
    while (attempt := engine.ask()) is not None:
        engine.finish(trained(attempt, evidence))
    return study, engine


def out_of_memory(engine: Engine) -> list[Mapping[str, ParamValue]]:
    return [r.params for r in engine.records() if r.failure is FailureClass.OOM]


@pytest.mark.parametrize("sampler", list(SAMPLERS))
def test_no_batch_at_or_above_the_frontier_is_started(sampler: str) -> None:
    _, engine = drive(config(sampler))
    seen: dict[str, int] = {}
    for params in out_of_memory(engine):
        batch, net = params[BATCH], str(params[NET])
        assert isinstance(batch, int)
        assert batch < seen.get(net, 1000), "a batch was paid for twice"
        seen[net] = batch
    assert seen


def test_refused_proposals_cost_no_trial_and_are_told_as_the_worst() -> None:
    study, engine = drive(config("random"))
    refused = [trial for trial in study.trials if is_refused(trial)]
    assert refused
    assert {trial.value for trial in refused} == {0.0}
    assert len(engine.records()) == 30
    assert all(trial.user_attrs[attributes.REFUSED].startswith("trial ") for trial in refused)
    assert all(record.attempts == 1 for record in engine.records())


def test_refusals_are_counted_for_the_report() -> None:
    study, _ = drive(config("random"))
    assert n_refused(study) == sum(is_refused(trial) for trial in study.trials) > 0


def two_at_a_time(config: StudyConfig) -> optuna.Study:
    """A study in which a trial starts before the one before it has ended."""
    study = memory_study(OBJECTIVE)
    engine = Engine(study, SPACE, config)
    waiting: list[Attempt] = []
    while (attempt := engine.ask()) is not None or waiting:
        waiting += [attempt] if attempt is not None else []
        if attempt is None or len(waiting) == 2:
            engine.finish(replace(trained(waiting.pop(0)), seconds=1.0))
    return study


def test_trials_beside_others_on_a_gpu_bound_nothing() -> None:
    study = two_at_a_time(config("random", trials_per_gpu=2))
    assert not any(is_refused(trial) for trial in study.trials)


def test_a_trial_alone_on_a_gpu_that_may_be_shared_bounds() -> None:
    study, _ = drive(config("random", trials_per_gpu=2))
    assert any(is_refused(trial) for trial in study.trials)


@pytest.mark.parametrize(
    ("evidence", "bounds"),
    [
        (
            "CUDA out of memory. Process 7 has 60 GiB memory in use. In all, this process has 9",
            False,
        ),
        ("CUDA out of memory. Process 7 has 60 GiB memory in use. Process 8 has 9 GiB", False),
        ("CUDA out of memory. Process 7 has 60 GiB memory in use. Of the allocated memory", True),
        ("CUDA out of memory. Including non-PyTorch memory, this process has 60 GiB", True),
    ],
)
def test_memory_that_other_programs_held_bounds_nothing(evidence: str, bounds: bool) -> None:
    study, _ = drive(config("random"), evidence)
    assert any(is_refused(trial) for trial in study.trials) is bounds


def ended(
    *ends: tuple[int, FailureClass | None, dict[int, float]],
) -> dict[int, list[optuna.trial.FrozenTrial]]:
    """Trials by batch, failure and measurements, as a study holds them."""
    study = memory_study(OBJECTIVE)
    for number, (batch, failure, values) in enumerate(ends):
        trial = study.ask()
        trial.set_user_attr(attributes.NUMBER, number)
        trial.set_user_attr(attributes.PARAMS, {LR: 1e-3, BATCH: batch, NET: "nano"})
        if failure is not None:
            trial.set_user_attr(attributes.FAILURE, str(failure))
            trial.set_user_attr(attributes.EVIDENCE, OUT)
        for epoch, value in values.items():
            trial.report(value, epoch)
        study.tell(trial, 0.0)
    return by_number(study.trials)


OOM = FailureClass.OOM


@pytest.mark.parametrize(
    ("ends", "bound"),
    [
        ([(16, OOM, {})], 0),
        ([(16, None, {0: 0.5}), (16, OOM, {})], None),
        ([(16, OOM, {}), (32, None, {0: 0.5})], None),
        ([(16, OOM, {}), (32, FailureClass.UNKNOWN, {0: 0.5})], None),
        ([(16, OOM, {}), (32, FailureClass.UNKNOWN, {})], 0),
        ([(16, OOM, {0: 0.5})], None),
        ([(16, OOM, {}), (8, None, {0: 0.5})], 0),
        ([(24, OOM, {}), (16, OOM, {}), (18, None, {})], 0),
    ],
)
def test_contradicted_evidence_does_not_bound(
    ends: list[tuple[int, FailureClass | None, dict[int, float]]], bound: int | None
) -> None:
    assert beyond_memory({LR: 1e-2, BATCH: 48, NET: "nano"}, ended(*ends), KEYS) == bound


def test_one_unlucky_trial_does_not_stop_a_search() -> None:
    """A batch that had worked runs out of memory once: what works is still proposed."""
    study = memory_study(OBJECTIVE)
    engine = Engine(study, SPACE, config("random", trials=40))
    while (attempt := engine.ask()) is not None:
        outcome = trained(attempt)
        if attempt.number == 12:
            outcome = Outcome(12, 1, OutcomeState.FAILED, (), FailureClass.OOM, OUT)
        engine.finish(outcome)
    refused = [trial.user_attrs[attributes.PARAMS] for trial in study.trials if is_refused(trial)]
    assert all(params[BATCH] > ROOM[params[NET]] for params in refused)


def test_failed_and_refused_trials_are_no_start_up() -> None:
    grouped = ended((4, None, {0: 0.2}), (64, OOM, {}), (48, None, {0: 0.4}))
    trials = [trial for group in grouped.values() for trial in group]
    for trial in trials:
        trial.params = {LR: 1e-3}
        trial.distributions = {LR: optuna.distributions.FloatDistribution(1e-5, 1e-2)}
    trials[2].user_attrs[attributes.REFUSED] = "trial 1 ran out of memory"
    assert n_modelled(trials) == 1


def test_refusals_are_bounded_in_a_whole_study() -> None:
    space = SearchSpace((Parameter(BATCH, "int", IntRange(1, 10**6), default=1),))
    study = memory_study(OBJECTIVE)
    engine = Engine(study, space, config("random", trials=12))
    while (attempt := engine.ask()) is not None:
        batch = attempt.params[BATCH]
        assert isinstance(batch, int)
        failure = FailureClass.OOM if batch > 1 else None
        state = OutcomeState.FAILED if failure else OutcomeState.OK
        values = () if failure else (Measurement(0, {"score": 0.5}, 1.0),)
        engine.finish(Outcome(attempt.number, 1, state, values, failure, OUT))
    assert 0 < n_refused(study) <= 4 * 12


def test_the_machines_own_memory_bounds_nothing() -> None:
    study, _ = drive(config("random"), "the kernel killed the trainer for want of memory")
    assert not any(is_refused(trial) for trial in study.trials)


def test_another_network_or_a_smaller_batch_is_not_beyond() -> None:
    study, engine = memory_study(OBJECTIVE), None
    engine = Engine(study, SPACE, config())
    study.enqueue_trial(
        {}, user_attrs={attributes.NUMBER: 0, attributes.ATTEMPT: 1,
                        attributes.PARAMS: {LR: 1e-4, BATCH: 44, NET: "DLA34"},
                        attributes.OUTSIDE: "a test"},
    )  # fmt: skip
    attempt = engine.ask()
    assert attempt is not None
    engine.finish(trained(attempt))
    grouped = by_number(study.trials)

    def beyond(batch: int, net: str = "DLA34", lr: float = 3e-3) -> int | None:
        return beyond_memory({LR: lr, BATCH: batch, NET: net}, grouped, KEYS)

    assert (beyond(44), beyond(45), beyond(64)) == (0, 0, 0)
    assert beyond(43) is None
    assert beyond(64, "nano") is None
    assert beyond_memory({LR: 1e-3}, grouped, KEYS) is None


def test_batch_and_optimiser_are_those_that_the_skill_names() -> None:
    """Another network's batch bounds as well; what a key is called decides nothing."""
    keys = NetworkKeys(batch_sizes=("train.rows", "eval.rows"), optimizer="train.optm_")
    study = memory_study(OBJECTIVE)
    trial = study.ask()
    for name, value in {
        attributes.NUMBER: 0,
        attributes.PARAMS: {"train.rows": 8, "eval.rows": 4, "train.optm_steps": 2, "net": "a"},
        attributes.FAILURE: str(FailureClass.OOM),
        attributes.EVIDENCE: OUT,
    }.items():
        trial.set_user_attr(name, value)
    study.tell(trial, 0.0)
    grouped = by_number(study.trials)

    def beyond(train: int, held_out: int, steps: int = 2, net: str = "a") -> int | None:
        params: dict[str, ParamValue] = {"train.rows": train, "eval.rows": held_out}
        return beyond_memory(params | {"train.optm_steps": steps, "net": net}, grouped, keys)

    assert beyond(8, 4) == beyond(9, 5, steps=3) == 0
    assert beyond(8, 3) is beyond(7, 4) is beyond(8, 4, net="b") is None


def test_a_space_that_holds_little_else_still_ends() -> None:
    space = SearchSpace((Parameter(BATCH, "int", IntRange(31, 64), default=31),))
    study = memory_study(OBJECTIVE)
    engine = Engine(study, space, config("random", trials=12))
    n_asked = 0
    while (attempt := engine.ask()) is not None:
        n_asked += 1
        failed = Outcome(
            attempt.number, 1, OutcomeState.FAILED, (), FailureClass.OOM, "CUDA out of memory"
        )
        engine.finish(failed)
    assert engine.stopped is not None
    assert n_asked <= 12
