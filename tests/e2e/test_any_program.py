"""Training programs that know nothing of this one: found, planned, searched, killed, reported."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from automl.app.skills import list_skills

FIXTURES = Path(__file__).parents[1] / "fixtures"
FOREST, LINE = FIXTURES / "random_forest", FIXTURES / "plain_regression"
ACCURACY = ("--metric", "accuracy", "--direction", "maximize")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def command(*words: str, studies: Path) -> list[str]:
    where = ("--studies-dir", str(studies))
    return [sys.executable, "-m", "tests.e2e.serially", *words, *where]


def automl(*words: str, studies: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words, studies=studies), capture_output=True, text=True, check=False
    )


def rows_of(study: Path) -> list[dict[str, str]]:
    with (study / "report" / "trials.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_random_forest_is_searched_killed_and_resumed(studies_dir: Path) -> None:
    names = {listing.name: listing for listing in list_skills(FIXTURES)}
    assert names["random-forest"].runnable
    asked = ("--skill-dir", str(FOREST), *ACCURACY, "--trials", "10")
    plan = automl("plan", *asked, studies=studies_dir)
    assert plan.returncode == 0
    assert "model.n_estimators  4 .. 12" in plan.stdout
    assert "model.max_depth     1 .. 5" in plan.stdout
    assert "read from the first of status.json, metrics.json" in plan.stdout

    words = command("run", *asked, "--name", "forest", "--confirm", "0", studies=studies_dir)
    driver = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    study = studies_dir / "forest"
    while not (study / "trials" / "0003").exists() and driver.poll() is None:
        time.sleep(0.05)
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()

    ended = automl("resume", "forest", studies=studies_dir)
    assert ended.returncode == 0, ended.stderr
    rows = rows_of(study)
    assert [int(row["number"]) for row in rows] == list(range(10))
    assert all(row["state"] == "complete" for row in rows)
    first = json.loads((study / "trials/0000/1/spec.json").read_text(encoding="utf-8"))
    assert first["model"] == {"n_estimators": 8, "max_depth": 3}
    assert first["results_dir"] == str(study / "trials/0000/1")
    log = (study / "trials/0000/1/log.txt").read_text(encoding="utf-8")
    assert log.startswith("accuracy: 0.9")
    best = json.loads((study / "best/provenance.json").read_text(encoding="utf-8"))
    assert best["value"] == pytest.approx(max(float(row["metric.accuracy"]) for row in rows))


def test_a_fit_with_epochs_is_read_from_its_table(studies_dir: Path) -> None:
    asked = ("--skill-dir", str(LINE), "--trials", "5", "--name", "line", "--confirm", "0")
    ended = automl("run", *asked, "--python", sys.executable, studies=studies_dir)
    assert ended.returncode == 0, ended.stderr
    study = studies_dir / "line"
    rows = rows_of(study)
    assert [row["state"] for row in rows] == ["complete"] * 5
    outcome = json.loads((study / "trials/0000/1/outcome.json").read_text(encoding="utf-8"))
    assert [each["epoch"] for each in outcome["measurements"]] == [0, 1, 2, 3, 4, 5]
    losses = [each["metrics"]["val/loss"] for each in outcome["measurements"]]
    assert losses == sorted(losses, reverse=True)
    assert outcome["measurements"][0]["metrics"]["train/loss"] > losses[0]
