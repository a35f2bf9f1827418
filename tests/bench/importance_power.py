"""How often a report's importance is right, and what it costs.

``python -m tests.bench.importance_power [STUDIES]`` makes searches whose objective depends on the
learning rate alone: four parameters, 40 trials, noise of 0.15 (sd), the sampler as in a search. It
prints how often PED-ANOVA alone puts the learning rate first, and what a report shows: the
learning rate first, an inert parameter first, an inert one at all, nothing. ``flat`` depends on
nothing. Then the seconds for 1,000 trials.

Two busy cores of a shared server, 2026-11-29, % of 100 studies each:

==============  ===================  ================  ===========  ============  =======
objective       PED-ANOVA: lr first  shown: lr first   inert first  inert at all  nothing
==============  ===================  ================  ===========  ============  =======
steep, tpe                       76                80            1             5       19
steep, random                    99               100            0             2        0
gentle, tpe                      55                50            3             4       47
gentle, random                   93                95            0             3        5
peak, tpe                        97                95            0             2        5
peak, random                    100               100            0             4        0
flat, tpe                        25                 -            5             5       95
flat, random                     22                 1            3             3       96
==============  ===================  ================  ===========  ============  =======

1,000 trials take 0.7 s of CPU with 4 parameters and 1.2 s with 10; forty bootstrap draws of
PED-ANOVA, which were shown before, took 3.2 s with 4.
"""

import math
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import optuna

from automl.reports.importance import importance_of
from automl.reports.model import Summary, TrialReport
from automl.search.samplers import SamplerSource
from automl.skill.tree import ParamValue
from automl.space.distributions import FloatRange, IntRange
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.space.proposal import sampled, suggest
from automl.study.config import Direction, Objective, SearchSettings, StudyConfig
from automl.study.records import TrialRecord, TrialState
from automl.study.state import StudyStatus

_LR = "train.optim.lr"
_NOISE = 0.15
_SHAPES: Mapping[str, Callable[[float], float]] = {
    "steep": lambda place: 1 - 4 * (place - 0.6) ** 2,
    "gentle": lambda place: 1 - 2 * (place - 0.6) ** 2,
    "peak": lambda place: math.exp(-(((place - 0.6) / 0.25) ** 2)),
    "flat": lambda place: 0.0,
}


def _space(n_parameters: int) -> SearchSpace:
    lr = Parameter(_LR, "float", FloatRange(1e-5, 1e-2, log=True), default=1e-4)
    batch = Parameter("dataset.batch_size", "int", IntRange(2, 32), default=8)
    others = [
        Parameter(f"train.inert_{i}", "float", FloatRange(0.0, 1.0), default=0.5)
        for i in range(n_parameters - 2)
    ]
    return SearchSpace((lr, batch, *others))


def _search(sampler: str, shape: str, seed: int, trials: int, space: SearchSpace) -> Summary:
    rng = np.random.default_rng(seed)
    settings = SearchSettings(sampler=sampler, seed=seed)
    source = SamplerSource(settings, space, trials)
    study = optuna.create_study(direction="maximize")
    records = []
    for number in range(trials):
        study.sampler = source.make(number, 0, number)
        trial = study.ask()
        params: Mapping[str, ParamValue] = suggest(space, trial)
        lr = params[_LR]
        assert isinstance(lr, float)
        value = _SHAPES[shape](math.log10(lr / 1e-5) / 3) + _NOISE * rng.normal()
        study.tell(trial, value)
        records.append(_record(number, params, value))
    return _summary(space, settings, records)


def _record(number: int, params: Mapping[str, ParamValue], value: float) -> TrialReport:
    record = TrialRecord(number, TrialState.COMPLETE, params, best_epoch=0, best_value=value)
    return TrialReport(record)


def _summary(space: SearchSpace, settings: SearchSettings, trials: list[TrialReport]) -> Summary:
    objective = Objective("score", Direction.MAXIMIZE)
    config = StudyConfig("bench", "/skill", "on", "default", objective, search=settings)
    return Summary(Path("bench"), config, space, StudyStatus.FINISHED, trials=tuple(trials))


def _ped_anova_first(summary: Summary) -> str:
    study = optuna.create_study(direction="maximize")
    names = {p.key: p.distribution.as_optuna() for p in sampled(summary.space)}
    for trial in summary.trials:
        study.add_trial(
            optuna.trial.create_trial(
                params=dict(trial.record.params),
                distributions=names,
                value=trial.record.best_value,
            )
        )
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=0.25)
    shares = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return max(shares, key=shares.__getitem__)


def _rates(sampler: str, shape: str, studies: int) -> list[float]:
    counts = np.zeros(5)
    for seed in range(studies):
        summary = _search(sampler, shape, seed, 40, _space(4))
        shares = sorted(importance_of(summary).shares, key=lambda share: -share.mdi)
        first = shares[0].key if shares else None
        is_inert_shown = any(share.key != _LR for share in shares)
        is_inert_first = first not in (None, _LR)
        before = _ped_anova_first(summary) == _LR
        counts += [before, first == _LR, is_inert_first, is_inert_shown, first is None]
    return [100 * float(count) / studies for count in counts]


def _seconds(n_parameters: int) -> tuple[float, float]:
    summary = _search("random", "gentle", 0, 1000, _space(n_parameters))
    wall, cpu = time.perf_counter(), time.process_time()
    importance_of(summary)
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """Prints both tables."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    studies = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    head = ("PED-ANOVA: lr first", "shown: lr first", "inert first", "inert at all", "nothing")
    print(f"{'% of studies':<16}" + "".join(f"{title:>20}" for title in head))
    for shape in _SHAPES:
        for sampler in ("tpe", "random"):
            rates = _rates(sampler, shape, studies)
            print(f"{shape + ', ' + sampler:<16}" + "".join(f"{rate:>20.0f}" for rate in rates))
    for n_parameters in (4, 10):
        wall, cpu = _seconds(n_parameters)
        print(f"1,000 trials, {n_parameters} parameters: {wall:.2f} s, {cpu:.2f} s of CPU")


if __name__ == "__main__":
    main()
