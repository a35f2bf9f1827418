"""What reading a study of thousands of trials costs, and listing a thousand studies.

The study is a real folder with its journal and an outcome for each trial; its trainings are made
up. Prints CPU and wall seconds of what ``automl status``, ``report``, ``resume`` and ``list`` do,
and the size of the report.

    python -m tests.bench.scale_folder --trials 2000 --studies 1000
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from automl.app.glance_keeper import GlanceKeeper
from automl.reports.model import Summary
from automl.reports.summary import read_summary
from automl.reports.write import write_report
from automl.search.engine import Engine
from automl.search.simulate import simulate
from automl.skill.read import own_skill_dir
from automl.study.config import Resources, SearchSettings, StudyConfig
from automl.study.confirmation import n_asked
from automl.study.folder import NewStudy, create_folder, write_study
from automl.study.layout import StudyPaths
from automl.study.limits import Limits
from automl.study.measured import measured_of
from automl.study.outcomes import write_outcome
from automl.study.records import Outcome, OutcomeState
from automl.study.state import StudyState, StudyStatus, counts_of, read_state, write_state
from automl.study.storage import create_study, open_storage, open_study
from automl.study.trials import by_number, read_records
from tests.bench.scale import EPOCHS, MadeUp
from tests.bench.suggest_latency import OBJECTIVE, SPACE


def make_study(studies: Path, name: str, trials: int) -> StudyPaths:
    """A finished study whose trainings never took place."""
    config = StudyConfig(
        name,
        str(own_skill_dir()),
        "on",
        "default",
        OBJECTIVE,
        search=SearchSettings(sampler="random", n_epochs=EPOCHS),
        limits=Limits(trials, same_failures=0, confirm=0),
        resources=Resources(max_concurrent=16),
    )
    paths = create_folder(studies, name)
    space = {**SPACE.to_json(), "digest": SPACE.digest}
    made = datetime.now(UTC).isoformat()
    write_study(paths, NewStudy({}, config, space, {"train": {}}, {"created_at": made}))
    study = create_study(open_storage(paths), name, OBJECTIVE)
    simulate(SPACE, config, MadeUp(), study=study)
    for number, starts in by_number(study.get_trials(deepcopy=False)).items():
        attempt = paths.attempt(number, 1)
        attempt.folder.mkdir(parents=True)
        measured = measured_of(starts[-1], OBJECTIVE.metric)
        outcome = Outcome(number, 1, OutcomeState.OK, measured, seconds=measured[-1].elapsed_s)
        write_outcome(attempt, replace(outcome, started_at=made, ended_at=made))
    records = read_records(study, OBJECTIVE)
    ended = StudyState(
        name, StudyStatus.FINISHED, made, n_asked(records, config), counts_of(records)
    )
    write_state(paths, ended)
    return paths


def timed(act: Callable[[], object]) -> dict[str, float]:
    """CPU and wall seconds of one call."""
    cpu, wall = time.process_time(), time.perf_counter()
    act()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu_s": round(cpu, 2), "wall_s": round(wall, 2)}


def command(*words: str) -> dict[str, float]:
    """CPU and wall seconds of a command line in a process of its own, its start included."""
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-m", "automl", *words], check=True, capture_output=True)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - wall
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu_s": round(cpu, 2), "wall_s": round(wall, 2)}


def _resume(paths: StudyPaths, config: StudyConfig) -> None:
    study = open_study(open_storage(paths), config.name, OBJECTIVE)
    engine = Engine(study, SPACE, config)
    engine.recover(paths, lambda _: (), lambda *_: None)
    assert engine.ask() is None


def _glances(paths: StudyPaths, summary: Summary) -> list[dict[str, float]]:
    """What a driver pays for its first glance of a study, and for a later one."""
    keeper, state = GlanceKeeper(paths, summary.config), read_state(paths)
    records = [trial.record for trial in summary.trials]
    assert state is not None
    return [timed(lambda: keeper.keep(records, state, 0)) for _ in range(2)]


def main(given: Sequence[str] | None = None) -> None:
    """Runs it and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--trials", type=int, default=2_000)
    parser.add_argument("--studies", type=int, default=1_000)
    parser.add_argument(
        "--folder", help="where the studies are made; /dev/shm leaves the disk out"
    )
    arguments = parser.parse_args(given)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        os.environ["AUTOML_CACHE_DIR"] = f"{folder}/cache"
        print(json.dumps(_figures(Path(folder), arguments.trials, arguments.studies)))


def _figures(folder: Path, trials: int, studies: int) -> dict[str, Any]:
    found: dict[str, Any] = {"trials": trials, "studies": studies}
    if trials:
        paths = make_study(folder / "one", "large", trials)
        summary = read_summary(paths.folder)
        asked = {"status": ("status",), "best": ("best",), "status_json": ("status", "--json")}
        for name, (word, *more) in asked.items():
            for key in (f"first_{name}", name):
                found[key] = command(word, "large", "--studies-dir", str(folder / "one"), *more)
        found["glances"] = _glances(paths, summary)
        found["report"] = timed(lambda: write_report(paths.folder))
        page = paths.report / "index.html"
        found["report_mb"] = round(page.stat().st_size / 2**20, 1)
        found["resume"] = timed(lambda: _resume(paths, summary.config))
    for number in range(studies):
        make_study(folder / "many", f"study{number:04d}", 6)
    if studies:
        for name in ("first_list", "list"):
            found[name] = command("list", "--studies-dir", str(folder / "many"))
    return found


if __name__ == "__main__":
    main()
