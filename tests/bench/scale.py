"""What a study of thousands of trials costs its driver, by simulated time.

The engine, its storage and its methods are the real ones; in place of trainings stand made-up
curves, and a clock that jumps from epoch to epoch. Prints the CPU of a trial (every ``ask``,
``report`` and ``finish`` while a hundred of them began) at several numbers of trials, the CPU of
naming the best once, and the memory of the process.

    python -m tests.bench.scale --trials 10000 --slots 1000 --method full --sampler random
    python -m tests.bench.scale --trials 500 --slots 64 --postgresql
"""

import argparse
import json
import math
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automl.search.curves import Curve, Epoch
from automl.search.engine import Engine
from automl.search.rungs import rung_epochs
from automl.search.simulate import simulate
from automl.skill.tree import ParamValue
from automl.study.config import Resources, SearchSettings, StudyConfig
from automl.study.database_url import PASSWORD_VARIABLE
from automl.study.layout import StudyPaths
from automl.study.limits import Limits
from automl.study.patience import Patience
from automl.study.records import Outcome
from automl.study.storage import create_study, open_storage, open_study
from tests.bench.suggest_latency import OBJECTIVE, SPACE
from tests.postgres.server import PASSWORD, PrivateServer

EPOCHS = 12
#: Trials over which the CPU of one is averaged.
WINDOW = 100
LOOKED_AT = (100, 200, 500, 1_000, 2_000, 5_000, 10_000)


class MadeUp:
    """Made-up trainings."""

    n_epochs = EPOCHS

    def train(self, params: Mapping[str, ParamValue], seed: int | None) -> Curve:
        """Better the nearer the learning rate is to 3e-4; longer with a larger batch."""
        lr, batch = float(str(params["lr"])), float(str(params["batch"]))
        off = abs(math.log10(lr / 3e-4)) + (seed or 0) % 7 / 100
        ends = 1.0 / (1.0 + off)
        epochs = (
            Epoch(
                10.0 + batch / 10.0,
                {OBJECTIVE.metric: ends * done / EPOCHS, "train_loss": off + 1.0 / done},
            )
            for done in range(1, EPOCHS + 1)
        )
        return Curve(tuple(epochs))


@dataclass(slots=True)
class Stopwatch:
    """CPU seconds of the engine's calls, each by how many trials had begun."""

    spent: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    n_begun: int = 0

    def timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, timed."""

        def _timed(*values: Any) -> Any:
            began = time.process_time()
            found = call(*values)
            took = time.process_time() - began
            self.n_begun += name == "ask" and found is not None
            self.spent.setdefault(name, []).append((self.n_begun, took))
            return found

        return _timed

    def ms(self, name: str, number: int) -> float:
        """Milliseconds of a call, over those up to ``number`` trials; NaN without any."""
        near = [took for n, took in self.spent.get(name, ()) if number - WINDOW < n <= number]
        return sum(near) / len(near) * 1e3 if near else math.nan

    def spent_ms(self, number: int) -> float:
        """Milliseconds of all calls a trial, while those up to ``number`` began."""
        calls = ("ask", "report", "finish")
        spent = sum(
            took
            for name in calls
            for n, took in self.spent.get(name, ())
            if number - WINDOW < n <= number
        )
        return spent / min(WINDOW, number) * 1e3

    def row(self, number: int) -> dict[str, float]:
        """Milliseconds of each call, and of a whole trial."""
        found = {name: self.ms(name, number) for name in ("ask", "report", "finish", "incumbent")}
        found["trial"] = self.spent_ms(number)
        return {name: round(ms, 2) for name, ms in found.items()}


def config(arguments: argparse.Namespace) -> StudyConfig:
    """The study that is asked for."""
    return StudyConfig(
        "scale",
        "/skill",
        "on",
        "default",
        OBJECTIVE,
        search=SearchSettings(
            sampler=arguments.sampler,
            fidelity=arguments.method,
            rungs=() if arguments.method == "full" else rung_epochs(EPOCHS, 1),
            n_epochs=EPOCHS,
        ),
        limits=Limits(arguments.trials, same_failures=0, confirm=0),
        resources=Resources(max_concurrent=arguments.slots),
        storage_url=arguments.storage,
    )


def _naming_the_best(finish: Callable[..., Any]) -> Callable[..., Any]:
    """Asks which trial is the best, at the numbers of trials that are looked at.

    A driver asks after each end, but so seldom that it takes a share of its time and no more.
    """

    def _finish(engine: Engine, outcome: Outcome) -> Any:
        found = finish(engine, outcome)
        if outcome.number + 1 in LOOKED_AT:
            engine.incumbent()
        return found

    return _finish


def run(arguments: argparse.Namespace, folder: Path) -> dict[str, object]:
    """One simulated study; its figures."""
    asked, paths, timed = config(arguments), StudyPaths(folder), Stopwatch()
    storage = open_storage(paths, arguments.storage, Patience())
    study = create_study(storage, asked.name, OBJECTIVE)
    began = time.perf_counter()
    timed_calls = {
        name: timed.timed(name, getattr(Engine, name))
        for name in ("ask", "report", "finish", "incumbent")
    }
    timed_calls["finish"] = _naming_the_best(timed_calls["finish"])
    for name, call in timed_calls.items():
        setattr(Engine, name, call)
    done = simulate(SPACE, asked, MadeUp(), study=study)
    wall_s = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    opened = time.process_time()
    engine = Engine(
        open_study(open_storage(paths, arguments.storage), asked.name, OBJECTIVE), SPACE, asked
    )
    opened = time.process_time() - opened
    best = time.process_time()
    engine.incumbent()
    best = time.process_time() - best
    return {
        "method": arguments.method,
        "sampler": arguments.sampler,
        "storage": "journal" if not arguments.storage else arguments.storage.partition(":")[0],
        "slots": arguments.slots,
        "trials": len(done.trials),
        "ms": {number: timed.row(number) for number in LOOKED_AT if number <= arguments.trials},
        "trials_per_s": round(len(done.trials) / wall_s, 1),
        "open_s": round(opened, 2),
        "best_s": round(best, 2),
        "peak_mb": round(peak),
        "journal_mb": round(paths.journal.stat().st_size / 2**20, 1)
        if paths.journal.exists()
        else 0,
    }


@contextmanager
def server_of(folder: Path) -> Iterator[str]:
    """The address of a PostgreSQL server that runs within the block, its files in a folder."""
    folder.chmod(0o755)
    os.environ[PASSWORD_VARIABLE] = PASSWORD
    server = PrivateServer(folder / "server")
    server.start()
    try:
        yield server.url()
    finally:
        server.stop()


def main(given: Sequence[str] | None = None) -> None:
    """Runs it and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--slots", type=int, default=1_000)
    parser.add_argument("--method", default="full")
    parser.add_argument("--sampler", default="random")
    parser.add_argument("--storage", default="")
    parser.add_argument("--folder", help="where the journal is; /dev/shm leaves the disk out")
    parser.add_argument(
        "--postgresql", action="store_true", help="start a PostgreSQL server and keep it there"
    )
    arguments = parser.parse_args(given)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=arguments.folder)))
        if arguments.postgresql:
            arguments.storage = stack.enter_context(server_of(folder))
        print(json.dumps(run(arguments, folder)))


if __name__ == "__main__":
    main()
