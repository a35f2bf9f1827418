"""How long the engine takes to propose, at 10, 100 and 1,000 finished trials.

Prints one row for each number of finished trials: CPU and wall milliseconds of ``ask`` (median and
worst of several), of ``report`` and of ``finish``, with the study in a journal file as a run keeps
it. The space has eight parameters of four kinds.

    python tests/bench/suggest_latency.py [--sampler gp]  [--finished 10 100 1000]
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import optuna
from optuna.trial import create_trial

from automl.search.engine import Engine
from automl.search.queued_trial import QueuedTrial
from automl.search.sample import sample
from automl.search.samplers import SAMPLERS
from automl.skill.tree import ParamValue
from automl.space.distributions import Choice, FloatRange, IntRange
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.space.proposal import encode, sampled
from automl.study import attributes
from automl.study.config import Direction, Objective, SearchSettings, StudyConfig
from automl.study.layout import StudyPaths
from automl.study.limits import Limits
from automl.study.records import Measurement, Outcome, OutcomeState
from automl.study.storage import create_study, open_storage

EPOCHS = 10
OBJECTIVE = Objective("val_3DIoU", Direction.MAXIMIZE, 0.0)
SPACE = SearchSpace(
    (
        Parameter("lr", "float", FloatRange(1e-6, 1e-2, log=True), default=6e-5),
        Parameter("lr_decay", "float", FloatRange(0.01, 1.0, log=True), default=0.1),
        Parameter("weight_decay", "float", FloatRange(1e-6, 1e-2, log=True), default=1e-4),
        Parameter("dropout", "float", FloatRange(0.0, 0.5), default=0.1),
        Parameter("batch", "int", IntRange(1, 32, log=True), default=4),
        Parameter("rotation", "int", IntRange(0, 90, step=5), default=0),
        Parameter("flip", "bool", Choice((False, True)), default=True),
        Parameter("net", "string", Choice(("a", "b", "c")), default="a"),
    )
)

T = TypeVar("T")


@dataclass(slots=True)
class Stopwatch:
    """Milliseconds of repeated calls.

    Attributes:
        wall: Wall time of each call.
        cpu: CPU time of each call.
    """

    wall: list[float]
    cpu: list[float]

    def time(self, call: Callable[[], T]) -> T:
        """Calls and takes the time."""
        wall, cpu = time.perf_counter(), time.process_time()
        result = call()
        self.wall.append((time.perf_counter() - wall) * 1e3)
        self.cpu.append((time.process_time() - cpu) * 1e3)
        return result

    def __str__(self) -> str:
        cpu, wall = statistics.median(self.cpu), statistics.median(self.wall)
        return f"{cpu:8.2f} {wall:8.2f} {max(self.wall):8.2f}"


def add_finished(study: optuna.Study, count: int) -> None:
    """Enters finished trials as the engine would have left them."""
    for number, params in enumerate(sample(SPACE, count, seed=1)):
        study.add_trial(
            create_trial(
                params=dict(encode(SPACE, params)),
                distributions={one.draw_name: one.drawn.as_optuna() for one in sampled(SPACE)},
                value=score(params),
                intermediate_values=dict.fromkeys(range(EPOCHS), score(params)),
                user_attrs=QueuedTrial(number, params=params).attrs()
                | {attributes.ASKED_AT: "2026-01-01T00:00:00+00:00", attributes.SECONDS: 1.0},
            )
        )


def score(params: dict[str, ParamValue]) -> float:
    """A smooth objective of two of the parameters, from 0 to 1."""
    lr, dropout = params["lr"], params["dropout"]
    assert isinstance(lr, float)
    assert isinstance(dropout, float)
    return 1.0 / (1.0 + abs(lr - 1e-3) * 1e3 + dropout)


def measure(folder: Path, finished: int, sampler: str, repeats: int) -> str:
    """One row of the table."""
    config = StudyConfig(
        "bench",
        "/skill",
        "on",
        "bench",
        OBJECTIVE,
        search=SearchSettings(sampler=sampler),
        limits=Limits(finished + repeats, same_failures=0),
    )
    study = create_study(open_storage(StudyPaths(folder)), config.name, OBJECTIVE)
    add_finished(study, finished)
    engine = Engine(study, SPACE, config)
    asked, reported, ended = (Stopwatch([], []) for _ in range(3))
    for _ in range(repeats):
        attempt = asked.time(engine.ask)
        assert attempt is not None
        measurement = Measurement(0, {"val_3DIoU": score(dict(attempt.params))}, 1.0)
        reported.time(partial(engine.report, attempt.number, measurement))
        outcome = Outcome(attempt.number, attempt.attempt, OutcomeState.OK, (measurement,))
        ended.time(partial(engine.finish, outcome))
    return f"{finished:>8} |{asked} |{reported} |{ended}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sampler", default="tpe", choices=tuple(SAMPLERS))
    parser.add_argument("--finished", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--repeats", type=int, default=20)
    options = parser.parse_args(arguments)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    print(f"sampler {options.sampler}, 8 parameters, journal file; milliseconds a call")
    columns = f"{'cpu':>8} {'wall':>8} {'worst':>8}"
    print(f"{'':>8} |{'ask':^26} |{'report':^26} |{'finish':^26}")
    print(f"{'finished':>8} |{columns} |{columns} |{columns}")
    for finished in options.finished:
        with tempfile.TemporaryDirectory() as folder:
            print(measure(Path(folder), finished, options.sampler, options.repeats), flush=True)


if __name__ == "__main__":
    main()
