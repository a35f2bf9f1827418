"""Whole studies of scripted trainings through the command line: what is left, told and returned.

No model is trained; everything else (Ray, processes, files, signals) is real.
"""

import csv
import json
import math
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import pytest

from automl.yamltext import load_yaml
from tests.e2e.terminal import Done, Terminal, eventually, processes_naming

FILES = {
    *("study.yaml", "resolved.json", "space.json", "base_spec.yaml", "provenance.json"),
    *("study.journal", "state.json", "trials", "best", "report"),
}
REPORT = {
    *("index.html", "summary.md", "trials.csv"),
    *("trials.parquet", "attempts.parquet", "epochs.parquet"),
    "report.json",
}

SEARCH = """
set: {train.num_epochs: 3, train.optim.lr_steps: [1, 2]}
sampler: random
max_concurrent: 2
trials: 5
script:
  epoch_s: 0.05
  bowls: {train.optim.lr: {best: 1e-3}}
  faults: {1: {kind: crash}, 3: {kind: nan, epoch: 1}}
"""


def strict(text: str) -> Any:
    """Parsed JSON; NaN and infinities are no JSON."""

    def refuse(constant: str) -> NoReturn:
        raise ValueError(constant)

    return json.loads(text, parse_constant=refuse)


def rows_of(study: Path) -> list[dict[str, str]]:
    text = (study / "report" / "trials.csv").read_text()
    return list(csv.DictReader(text.splitlines()))


def names_in(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir() if not entry.name.startswith(".")}


class Study:
    """A finished search with failures, made once for the tests that look at it."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        file = terminal.study_file(SEARCH)
        self.done = terminal.run("run", file, "--name", "bikes", "--policy", "on")
        self.folder = terminal.studies / "bikes"

    def json_of(self, *argv: str) -> Mapping[str, Any]:
        done = self.terminal.run(*argv, "--json")
        assert done.code == 0, done.err
        value = strict(done.out)
        assert isinstance(value, dict)
        return value


#: Variables whose values are nobody's business, as a user's own environment holds them.
SECRETS = {
    "WANDB_API_KEY": "s3cr3t-of-wandb",
    "NGC_API_KEY": "s3cr3t-of-ngc",
    "AWS_SECRET_ACCESS_KEY": "s3cr3t-of-aws",
    "MY_OWN_TOKEN": "s3cr3t-of-mine",
}


@pytest.fixture(scope="module")
def study(shared_terminal: Terminal) -> Iterator[Study]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        yield Study(shared_terminal)


@pytest.mark.ray
class TestFinishedSearch:
    def test_it_ends_well_though_trials_failed(self, study: Study) -> None:
        assert study.done.code == 0, study.done.err
        assert "3 complete, 2 failed" in study.done.out
        assert "not confirmed: one seed each" in study.done.out
        assert "Traceback" not in study.done.err

    def test_the_folder_is_complete(self, study: Study) -> None:
        assert names_in(study.folder) >= FILES
        assert names_in(study.folder / "report") >= REPORT
        assert names_in(study.folder / "trials") == {f"{number:04d}" for number in range(5)}
        for number in range(5):
            attempt = study.folder / "trials" / f"{number:04d}" / "1"
            assert names_in(attempt) >= {"spec.yaml", "log.txt", "outcome.json", "status.json"}

    def test_no_file_and_no_word_holds_a_secret_of_the_environment(self, study: Study) -> None:
        files = [path for path in study.folder.rglob("*") if path.is_file()]
        assert len(files) > 20
        telling = [path for path in files if b"s3cr3t-of-" in path.read_bytes()]
        assert telling == []
        assert "s3cr3t-of-" not in study.done.out + study.done.err

    def test_the_table_of_trials_has_the_promised_columns(self, study: Study) -> None:
        rows = rows_of(study.folder)
        assert list(rows[0])[:5] == [
            *("number", "state", "metric.val_3DIoU"),
            *("param.train.optim.lr", "param.train.optim.lr_decay"),
        ]
        assert {"seconds", "failure"} <= rows[0].keys()
        assert [row["number"] for row in rows] == ["0", "1", "2", "3", "4"]
        assert [row["state"] for row in rows] == [
            *("complete", "failed", "complete", "failed", "complete"),
        ]
        assert [row["failure"] for row in rows] == ["", "unknown", "", "diverged", ""]
        assert float(rows[0]["param.train.optim.lr"]) == 6e-5
        assert all(float(row["seconds"]) > 0 for row in rows)

    def test_the_winner_is_the_best_row_with_a_real_checkpoint(self, study: Study) -> None:
        rows = [row for row in rows_of(study.folder) if row["state"] == "complete"]
        best = max(rows, key=lambda row: float(row["metric.val_3DIoU"]))
        provenance = strict((study.folder / "best" / "provenance.json").read_text())
        assert str(provenance["trial"]) == best["number"]
        spec = load_yaml(study.folder / "best" / "train.yaml")
        assert spec["train"]["optim"]["lr"] == float(best["param.train.optim.lr"])
        checkpoint = study.folder / "best" / provenance["checkpoint"]
        assert checkpoint.is_file()
        assert not checkpoint.is_symlink()
        told = study.json_of("best", "bikes")
        assert told["winner"]["number"] == provenance["trial"]

    def test_reading_commands_write_strict_json(self, study: Study) -> None:
        status = study.json_of("status", "bikes")
        assert status["schema"] == "automl.status/1"
        assert status["status"] == "finished"
        assert status["state"]["counts"] == {"complete": 3, "failed": 2}
        listed = study.json_of("list")
        assert [entry["name"] for entry in listed["studies"]] == ["bikes"]
        files = study.json_of("report", "bikes")["files"]
        assert files.keys() >= REPORT
        assert all(Path(path).is_file() for path in files.values())
        report = strict((study.folder / "report" / "report.json").read_text())
        assert math.isfinite(report["winner"]["value"])

    def test_the_newest_study_is_meant_where_none_is_named(self, study: Study) -> None:
        assert study.json_of("best")["study"] == "bikes"

    def test_its_name_is_taken(self, study: Study) -> None:
        before = (study.folder / "resolved.json").read_bytes()
        done = study.terminal.run("run", "study.yaml", "--name", "bikes")
        assert done.code == 7
        assert "automl resume bikes" in done.err
        assert (study.folder / "resolved.json").read_bytes() == before

    def test_resuming_it_changes_nothing(self, study: Study) -> None:
        before = rows_of(study.folder)
        assert study.terminal.run("resume", "bikes").code == 0
        assert rows_of(study.folder) == before

    def test_nothing_of_it_runs_any_more(self, study: Study) -> None:
        assert processes_naming(study.folder) == []


@pytest.mark.ray
def test_a_search_without_a_usable_trial_is_4_and_still_reports(terminal: Terminal) -> None:
    faults = "{0: {kind: crash}, 1: {kind: nan}, 2: {kind: no-metric}}"
    file = terminal.study_file(f"trials: 3\nscript: {{epoch_s: 0.0, faults: {faults}}}\n")
    done = terminal.run("run", file, "--name", "ill")
    assert done.code == 4, done.err
    assert "error: no trial ended usable" in done.err
    study = terminal.studies / "ill"
    assert names_in(study / "report") >= REPORT
    assert [row["failure"] for row in rows_of(study)] == ["unknown", "diverged", "no-metric"]
    assert terminal.run("best", "ill").code == 4
    assert strict(terminal.run("best", "ill", "--json").out)["winner"] is None


@pytest.mark.ray
def test_the_same_failure_in_a_row_ends_the_search_with_5(terminal: Terminal) -> None:
    faults = ", ".join(f"{number}: {{kind: crash}}" for number in range(20))
    file = terminal.study_file(
        f"max_concurrent: 1\nscript: {{epoch_s: 0.0, faults: {{{faults}}}}}\n"
    )
    done = terminal.run("run", file, "--name", "broken")
    assert done.code == 5, done.err
    assert "3 trials in a row failed with the class unknown" in done.err
    assert "automl resume broken" in done.out
    rows = rows_of(terminal.studies / "broken")
    assert len(rows) == 3
    assert names_in(terminal.studies / "broken" / "report") >= REPORT


LONG = """
set: {train.num_epochs: 8}
sampler: random
max_concurrent: 2
trials: 8
script: {epoch_s: 0.4}
"""


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(240)
def test_interrupted_in_every_way_a_study_still_comes_to_its_end(terminal: Terminal) -> None:
    study = terminal.studies / "long"
    driver = terminal.start("run", terminal.study_file(LONG), "--name", "long")
    driver.wait_for("epoch ")

    # Another driver is refused, a reader is not.
    others = (("resume", "long"), ("run", "study.yaml", "--name", "long"))
    second, third = [terminal.start(*argv) for argv in others]
    assert strict(terminal.run("status", "long", "--json").out)["status"] == "running"
    for refused in (second.wait(), third.wait()):
        assert refused.code == 7, refused.err
    assert f"pid {driver.pid} on" in second.told()
    assert terminal.run("report", "long").code == 0

    driver.interrupt()
    driver.wait_for("stopping after the running trials")
    gentle = driver.wait()
    assert gentle.code == 130, gentle.err
    states = [row["state"] for row in rows_of(study)]
    assert set(states) == {"complete"}
    assert 2 <= len(states) < 8
    assert "automl resume long" in gentle.out
    assert strict(terminal.run("status", "long", "--json").out)["status"] == "interrupted"

    driver = terminal.start("resume", "long")
    driver.wait_for("epoch=1 ")
    driver.interrupt()
    driver.wait_for("Ctrl-C again stops them now")
    driver.interrupt()
    stopped = driver.wait()
    assert stopped.code == 130, stopped.err
    assert eventually(lambda: not processes_naming(study), 20.0)
    kept = [strict(path.read_text()) for path in study.glob("trials/*/1/outcome.json")]
    # One that had just been started has neither measured nor saved anything yet.
    interrupted = [
        outcome
        for outcome in kept
        if outcome["state"] == "interrupted" and outcome["measurements"]
    ]
    assert interrupted
    assert all((study / outcome["checkpoint"]).is_file() for outcome in interrupted)

    driver = terminal.start("resume", "long")
    driver.wait_for("epoch ")
    driver.terminate()
    assert driver.wait().code == 143
    assert names_in(study / "report") >= REPORT

    done = terminal.run("resume", "long")
    assert done.code == 0, done.err
    rows = rows_of(study)
    assert [row["number"] for row in rows] == [str(number) for number in range(8)]
    assert {row["state"] for row in rows} == {"complete"}
    again = interrupted[0]["number"]
    spec = load_yaml(study / "trials" / f"{again:04d}" / "2" / "spec.yaml")
    resumed_from = Path(spec["train"]["resume_training_checkpoint_path"])
    assert resumed_from == study / interrupted[0]["checkpoint"]


def trained_once(terminal: Terminal, *argv: str) -> Done:
    file = terminal.study_file("set: {train.num_epochs: 2}\nscript: {epoch_s: 0.0}\n")
    return terminal.run("run", file, "--policy", "off", "--name", "once", *argv)


def test_one_plain_training_leaves_the_same_shape(terminal: Terminal) -> None:
    done = trained_once(terminal)
    assert done.code == 0, done.err
    assert "AutoML is off for this run: one direct training." in done.err
    study = terminal.studies / "once"
    assert names_in(study) >= FILES
    assert names_in(study / "report") >= REPORT
    assert len(rows_of(study)) == 1
    assert strict((study / "resolved.json").read_text())["policy"] == "off"
    assert trained_once(terminal).code == 7


def test_a_plain_training_that_fails_is_4(terminal: Terminal) -> None:
    text = "automl_policy: off\nscript: {epoch_s: 0.0, faults: {0: {kind: oom}}}\n"
    done = terminal.run("run", terminal.study_file(text), "--name", "once")
    assert done.code == 4, done.err
    rows = rows_of(terminal.studies / "once")
    assert [(row["state"], row["failure"]) for row in rows] == [("failed", "oom")]


def test_nothing_is_asked_even_with_standard_input_closed(terminal: Terminal) -> None:
    file = terminal.study_file("automl_policy: off\nscript: {epoch_s: 0.0}\n")
    command = [sys.executable, "-m", "automl", "run", file, "--name", "shut"]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *command],
        capture_output=True,
        text=True,
        cwd=terminal.folder,
        env=terminal.environment(),
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "?" not in done.stdout + done.stderr


def test_a_mistake_is_2_one_line_and_no_study(terminal: Terminal) -> None:
    file = terminal.study_file("set: {train.num_epoch: 2}\n")
    done = terminal.run("run", file, "--name", "typo")
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert "did you mean train.num_epochs?" in done.err
    assert len(done.err.splitlines()) == 1
    assert not terminal.studies.exists()
