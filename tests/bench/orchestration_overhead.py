"""What a trial costs beside its training: scripted trials through the drivers, as a table.

    python tests/bench/orchestration_overhead.py [--trials 20 100 500] [--driver ray serial]

Each line is a process of its own with a study of its own in a temporary folder: the real engine
(TPE over one parameter), the real journal, the scripted trainer as a real process. ``overhead`` is
the wall time between the first and the last trial's start, per trial, less what the trainings
themselves took on the places they shared.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automl.execution.control import Control
from automl.execution.driver import DriveRequest, Event, TrainerChoice, TrialStarted
from automl.search.engine import Engine
from automl.skill.model import Skill
from automl.space.distributions import FloatRange
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.study.config import Direction, Objective, Resources, SearchSettings, StudyConfig
from automl.study.layout import StudyPaths
from automl.study.limits import Limits
from automl.study.records import Attempt
from automl.study.storage import create_study, open_storage
from automl.trainers.attempt_settings import AttemptSettings
from automl.trainers.base import TrialTask
from automl.yamltext import dump_yaml

LR = "train.optim.lr"
COLUMNS = (
    ("driver", "{driver}"),
    ("places", "{places}"),
    ("trials", "{trials}"),
    ("epoch s", "{epoch_s:.2f}"),
    ("start s", "{start_s:.1f}"),
    ("wall/trial s", "{wall_s:.3f}"),
    ("training s", "{training_s:.3f}"),
    ("overhead s", "{overhead_s:.3f}"),
    ("driver CPU/trial s", "{cpu_s:.3f}"),
    ("driver MiB", "{rss_mib:.0f}"),
    ("end s", "{end_s:.1f}"),
    ("failed", "{failed}"),
)


def measure(driver: str, trials: int, epoch_s: float, places: int) -> dict[str, Any]:
    """Drives one study in this process and says what it cost."""
    with tempfile.TemporaryDirectory(prefix="automl-bench-") as folder:
        return _measure(StudyPaths(Path(folder) / "study"), driver, trials, epoch_s, places)


def _measure(
    paths: StudyPaths, driver: str, trials: int, epoch_s: float, places: int
) -> dict[str, Any]:
    began = time.monotonic()
    engine, request, starts = prepare(paths, trials, epoch_s, places)
    if driver == "ray":
        from automl.execution.ray_driver import drive
    else:
        from automl.execution.serial import drive
    drive(request)
    ended = time.monotonic()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    records = engine.records()
    wall_s = (starts[-1] - starts[0]) / (trials - 1)
    training_s = sum(record.seconds for record in records) / trials
    return {
        "driver": driver,
        "places": places,
        "trials": trials,
        "epoch_s": epoch_s,
        "start_s": starts[0] - began,
        "wall_s": wall_s,
        "training_s": training_s,
        "overhead_s": wall_s - training_s / places,
        "cpu_s": (usage.ru_utime + usage.ru_stime) / trials,
        "rss_mib": usage.ru_maxrss / 1024,
        "end_s": ended - starts[-1],
        "failed": sum(record.failure is not None for record in records),
    }


def prepare(
    paths: StudyPaths, trials: int, epoch_s: float, places: int
) -> tuple[Engine, DriveRequest, list[float]]:
    """A new study, a request over it, and the list that takes when each trial began."""
    paths.trials.mkdir(parents=True)
    objective = Objective("val_3DIoU", Direction.MAXIMIZE, 0.0)
    resources = Resources(max_concurrent=places)
    config = StudyConfig(
        *("bench", "/skill", "on", "bench"),
        objective,
        search=SearchSettings(seed=1),
        limits=Limits(trials),
        resources=resources,
    )
    parameter = Parameter(LR, "float", FloatRange(1e-5, 1e-1, log=True), default=1e-4)
    study = create_study(open_storage(paths), "bench", objective)
    engine = Engine(study, SearchSpace((parameter,)), config)
    starts: list[float] = []

    def prepare_attempt(attempt: Attempt) -> TrialTask:
        place = paths.attempt(attempt.number, attempt.attempt)
        place.folder.mkdir(parents=True)
        spec = {"train": {"num_epochs": 3, "optim": {"lr": attempt.params[LR]}}}
        place.spec.write_text(dump_yaml(spec))
        return TrialTask(
            "bench", attempt.number, attempt.attempt, place.folder, place.spec, place.log
        )

    def listen(event: Event) -> None:
        if isinstance(event, TrialStarted):
            starts.append(time.monotonic())

    options = {"epoch_s": epoch_s, "bowls": {LR: {"best": 1e-3}}}
    request = DriveRequest(
        engine=engine,
        prepare=prepare_attempt,
        trainer=TrainerChoice("scripted", Skill(Path("/skill"), "s", "s", True), options),
        settings=AttemptSettings(paths, objective),
        resources=resources,
        control=Control(paths.stop, print),
        on_event=listen,
    )
    return engine, request, starts


def in_own_process(*arguments: object) -> Mapping[str, Any]:
    """The measurement of one line, made in a fresh process."""
    command = [sys.executable, __file__, "--one", *map(str, arguments)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    line: Mapping[str, Any] = json.loads(output.splitlines()[-1])
    return line


def main() -> None:
    """Prints the table, a line as soon as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trials", type=int, nargs="+", default=[20, 100, 500])
    parser.add_argument("--driver", nargs="+", default=["ray", "serial"])
    parser.add_argument("--epoch-s", type=float, nargs="+", default=[0.0])
    parser.add_argument("--one", nargs=4, metavar=("DRIVER", "TRIALS", "EPOCH_S", "PLACES"))
    asked = parser.parse_args()
    if asked.one:
        driver, trials, epoch_s, places = asked.one
        print(json.dumps(measure(driver, int(trials), float(epoch_s), int(places))))
        return
    print("  ".join(title for title, _ in COLUMNS))
    for driver in asked.driver:
        for trials in asked.trials:
            for epoch_s in asked.epoch_s:
                places = 2 if driver == "ray" else 1
                line = in_own_process(driver, trials, epoch_s, places)
                cells = [cell.format(**line).rjust(len(title)) for title, cell in COLUMNS]
                print("  ".join(cells), flush=True)


if __name__ == "__main__":
    main()
