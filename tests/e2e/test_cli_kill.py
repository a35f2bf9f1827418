"""The power cut: the driver, alone or with all its processes, is killed at random moments.

Whatever the moment, going on must come to the state that an undisturbed search comes to: every
trial once, none left running, finished ones untouched, interrupted ones continued.
"""

import csv
import json
import random
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from optuna.trial import TrialState as OptunaState

from automl.files import sha256_of
from automl.study.layout import StudyPaths
from automl.study.records import TrialRecord, TrialState
from automl.trainers.contract import CheckpointName
from automl.yamltext import load_yaml
from tests.e2e.evidence import Evidence, values_of
from tests.e2e.terminal import Driver, Terminal, eventually, processes_naming

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

TRIALS, EPOCHS = 8, 5
CRASHING = 3
STUDY = f"""
set: {{train.num_epochs: {EPOCHS}}}
trials: {TRIALS}
max_concurrent: 2
script:
  epoch_s: 0.3
  bowls: {{train.optim.lr: {{best: 1e-3}}}}
  faults: {{{CRASHING}: {{kind: crash, epoch: 1, exit_code: 9}}}}
"""

#: What the driver has told when the wait begins, the longest wait in seconds, and whether all of
#: its processes are killed with it.
KILLS = (
    ("open ", 3.0, True),
    ("start ", 0.5, False),
    ("epoch=1 ", 0.6, True),
    ("epoch ", 0.6, False),
    ("epoch=2 ", 0.3, True),
)


def rows_of(paths: StudyPaths) -> list[Mapping[str, str]]:
    return list(csv.DictReader((paths.report / "trials.csv").read_text().splitlines()))


def check_continuations(paths: StudyPaths) -> int:
    """Later attempts start from a checkpoint of their own trial, or afresh; how many did not."""
    continued = 0
    for number in range(TRIALS):
        for attempt, place in paths.attempts(number):
            if not place.spec.exists():
                # Killed between the folder and its spec: the next attempt has a folder of its own.
                assert paths.attempt(number, attempt + 1).spec.exists()
                continue
            train = load_yaml(place.spec)["train"]
            assert train["results_dir"] == str(place.folder)
            parent = train["resume_training_checkpoint_path"]
            if not parent:
                continue
            assert attempt > 1
            assert Path(parent).is_relative_to(paths.trial(number))
            assert int(Path(parent).parent.name) < attempt
            assert CheckpointName.parse(Path(parent).name) is not None
            continued += 1
    return continued


def check_best(paths: StudyPaths, records: tuple[TrialRecord, ...]) -> None:
    best = json.loads(paths.best_provenance.read_text())
    values = values_of(records)
    assert values[best["trial"]] == best["value"] == max(values.values())
    checkpoint = paths.best / best["checkpoint"]
    assert not checkpoint.is_symlink()
    assert sha256_of(checkpoint) == best["checkpoint_sha256"]
    spec = load_yaml(paths.best_spec)
    assert spec["train"]["optim"]["lr"] == best["params"]["train.optim.lr"]


def kill(driver: Driver, study: Path, told: str, wait_s: float, *, everything: bool) -> None:
    driver.wait_for(told)
    time.sleep(wait_s)
    assert driver.process.poll() is None, f"ended before the kill\n{driver.told()}"
    driver.kill(everything=everything)
    assert eventually(lambda: not processes_naming(study), 20.0), "a trainer outlived its driver"


@pytest.mark.ray
@pytest.mark.parametrize("seed", [20261122])
def test_killed_again_and_again_a_search_comes_to_the_same_end(
    terminal: Terminal, seed: int
) -> None:
    luck = random.Random(seed)  # noqa: S311 -- moments of kills, not secrets
    paths = StudyPaths(terminal.studies / "bikes")
    evidence = Evidence(paths)
    argv = ["run", terminal.study_file(STUDY), "--name", "bikes"]
    for told, longest_s, everything in KILLS:
        driver = terminal.start(*argv)
        wait_s = luck.uniform(0.0, longest_s)
        kill(driver, paths.folder, told, wait_s, everything=everything)
        evidence.take()
        argv = ["resume", "bikes"]

    done = terminal.run("resume", "bikes")
    assert done.code == 0, done.err
    evidence.take()
    trials = evidence.study().get_trials(deepcopy=False)
    assert {trial.state for trial in trials} <= {
        *(OptunaState.COMPLETE, OptunaState.FAIL, OptunaState.PRUNED),
    }
    records = evidence.records()
    assert [record.number for record in records] == list(range(TRIALS))
    assert [row["number"] for row in rows_of(paths)] == [str(n) for n in range(TRIALS)]
    for record in records:
        if record.number == CRASHING:
            assert record.state is TrialState.FAILED
            assert "exit code 9" in record.evidence
        else:
            assert record.state is TrialState.COMPLETE
            assert list(record.values) == list(range(EPOCHS))
    assert len({str(record.params) for record in records}) == TRIALS
    assert check_continuations(paths) >= 1
    assert max(record.attempts for record in records) >= 2
    check_best(paths, records)
    assert processes_naming(paths.folder) == []


@pytest.mark.parametrize("file", ["driver.lock", "base_spec.yaml", "resolved.json"])
def test_killed_while_a_study_is_made_it_can_be_started_again(
    terminal: Terminal, file: str
) -> None:
    """The study is whole or it is none: ``resume`` knows the one, ``run`` takes the other."""
    paths = StudyPaths(terminal.studies / "new")
    text = "automl_policy: off\nset: {train.num_epochs: 2}\nscript: {epoch_s: 0.2}\n"
    argv = ("run", terminal.study_file(text), "--name", "new")
    driver = terminal.start(*argv)
    driver.wait_until((paths.folder / file).exists, file)
    driver.kill(everything=True)
    is_study = paths.resolved.exists()
    known = terminal.run("status", "new")
    assert (known.code == 0) is is_study, known.err
    done = terminal.run(*(("resume", "new") if is_study else argv))
    assert done.code == 0, done.err
    assert [row["state"] for row in rows_of(paths)] == ["complete"]
    assert not list(paths.folder.glob(".*.*"))
