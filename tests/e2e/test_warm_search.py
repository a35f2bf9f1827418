"""A search of real trainings in one trainer process, which is killed, and whose driver is."""

import csv
import json
import os
import signal
from pathlib import Path

import pytest

from automl.processes import started_at
from automl.study.layout import AttemptPaths, StudyPaths
from tests.e2e.terminal import Terminal, eventually, processes_naming

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.torch, pytest.mark.timeout(300)]

TRIALS = 3
STUDY = f"""
data: {{synth: {{category: shoe, train: 8, val: 4, test: 0, seed: 1}}}}
trials: {TRIALS}
max_concurrent: 1
set:
  dataset.category: shoe
  dataset.batch_size: 4
  dataset.workers: 1
  model.backbone.model_type: nano
  train.num_epochs: 3
  train.optim.lr: 2e-3
"""


def server_of(place: AttemptPaths) -> int:
    """The process that trains an attempt, once its log shows that it does."""
    assert eventually(lambda: place.log.exists() and "epoch 0:" in place.log.read_text(), 60.0)
    return int(json.loads(place.pid.read_text())["pid"])


def the_one_after(paths: StudyPaths) -> AttemptPaths:
    """What is trained after the first attempt of trial 1: its second one, or the next trial."""
    places = [paths.attempt(1, 2), paths.attempt(2, 1)]
    assert eventually(lambda: any(place.log.exists() for place in places), 60.0)
    return next(place for place in places if place.log.exists())


def numbers_in(trials: Path) -> list[str]:
    """What each attempt's log says of its place in its process, in order."""
    logs = sorted(trials.glob("*/*/log.txt"))
    return [log.read_text().splitlines()[0].rpartition(" ")[2] for log in logs]


def test_kills_of_the_process_and_of_the_driver_cost_no_finished_trial(
    terminal: Terminal,
) -> None:
    (terminal.folder / "shoe.yaml").write_text(STUDY)
    paths = StudyPaths(terminal.studies / "warm")
    driver = terminal.start("run", "shoe.yaml", "--name", "warm")
    first = server_of(paths.attempt(0, 1))
    assert server_of(paths.attempt(1, 1)) == first
    os.kill(first, signal.SIGKILL)
    driver.wait_until(paths.attempt(1, 1).outcome.exists, "the end of trial 1")
    process = server_of(the_one_after(paths))
    assert process != first
    before = {path: path.read_bytes() for path in paths.trials.glob("*/*/outcome.json")}
    driver.kill(everything=False)
    assert eventually(lambda: not started_at(process), 10.0)
    assert eventually(lambda: not processes_naming(paths.folder), 10.0)

    done = terminal.run("resume", "warm", within_s=150.0)
    assert done.code == 0, done.err
    assert before.items() <= {path: path.read_bytes() for path in before}.items()
    rows = list(csv.DictReader((paths.report / "trials.csv").read_text().splitlines()))
    assert [row["state"] for row in rows] == ["complete", "failed", "complete"]
    assert rows[1]["failure"] == "killed"
    assert numbers_in(paths.trials)[:2] == ["1", "2"]
    assert processes_naming(paths.folder) == []
