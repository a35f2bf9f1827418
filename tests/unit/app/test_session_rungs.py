"""A search whose trials pause, driven without Ray: how it ends, how it goes on, what it tells."""

import csv
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from automl.app import run
from automl.app.going_on import GoingOn
from automl.app.plan import Plan
from automl.app.screen import Sight, Silent
from automl.execution import ray_driver, serial
from automl.execution.driver import Event, TrialEnded, TrialStarted
from automl.search.methods.table import METHODS
from automl.study.config import StudyConfig
from automl.study.folder import read_config
from automl.study.layout import StudyPaths
from automl.study.records import Attempt, OutcomeState, TrialRecord, TrialState
from automl.study.state import StudyStatus, read_state
from automl.study.storage import read_study
from automl.study.trials import read_records
from automl.trainers.checkpoints import checkpoints_in
from automl.yamltext import load_yaml
from tests.property.halving import ThirdGoesOn
from tests.unit.app.kit import MakePlan

# Trainings that are to pause must last longer than it takes to ask them to.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

SCRIPT = "script:\n  epoch_s: 0.2\n  bowls: {train.optim.lr: {best: 1e-3}}\n"
EPOCHS, RUNGS = 6, (2,)
ASKED = (
    *("--set", f"train.num_epochs={EPOCHS}", "--name", "bikes"),
    *("--fidelity", "asha", "--seed", "1"),
)


@pytest.fixture(autouse=True)
def _serially(monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches run one trial at a time in this process, by the plainest rule."""
    monkeypatch.setattr(ray_driver, "drive", serial.drive)
    monkeypatch.setitem(METHODS, "asha", lambda config: ThirdGoesOn())


@pytest.fixture
def search(plan: MakePlan) -> Callable[[int], Plan]:
    """A search of so many scripted trials with rungs."""
    return lambda trials: plan(*ASKED, "--trials", str(trials), file=SCRIPT)


@pytest.fixture
def paths(studies_dir: Path) -> StudyPaths:
    return StudyPaths(studies_dir / "bikes")


class Watcher:
    """Notes what starts and what ends; sends a signal at the first pause if it is asked to."""

    def __init__(self, signal_at_pause: int = 0) -> None:
        self.started: list[Attempt] = []
        self.ended: list[tuple[int, OutcomeState]] = []
        self._signal = signal_at_pause

    def opened(self, paths: StudyPaths, config: StudyConfig) -> None:
        pass

    def look(self, sight: Sight) -> None:
        pass

    def event(self, event: Event) -> None:
        if isinstance(event, TrialStarted):
            self.started.append(event.attempt)
        if isinstance(event, TrialEnded):
            self.ended.append((event.record.number, event.outcome.state))
            if event.outcome.state is OutcomeState.PAUSED and self._signal:
                os.kill(os.getpid(), self._signal)
                self._signal = 0


def records_of(paths: StudyPaths) -> tuple[TrialRecord, ...]:
    config = read_config(paths)
    study = read_study(paths, config)
    assert study is not None
    return read_records(study, config.objective)


def states_in(paths: StudyPaths) -> list[str]:
    rows = csv.DictReader((paths.report / "trials.csv").read_text().splitlines())
    return [row["state"] for row in rows]


def check_what_went_on(paths: StudyPaths, started: list[Attempt]) -> int:
    """Whatever went on did so from the checkpoint of a rung; how many did."""
    went_on = [attempt for attempt in started if attempt.attempt > 1]
    for attempt in went_on:
        last = attempt.history[-1].epoch
        assert last + 1 in RUNGS
        spec = load_yaml(paths.attempt(attempt.number, attempt.attempt).spec)["train"]
        place = Path(spec["resume_training_checkpoint_path"])
        assert place.name.startswith(f"model_epoch_{last:03d}_")
        assert spec["num_epochs"] == EPOCHS
    return len(went_on)


def test_what_stays_paused_ends_as_stopped_early_with_its_reason(
    search: Callable[[int], Plan], paths: StudyPaths
) -> None:
    watcher = Watcher()
    ending = run.start(search(6), watcher)
    assert ending.exit_code == 0
    assert check_what_went_on(paths, watcher.started) >= 1
    records = records_of(paths)
    last = dict(watcher.ended)
    left = [record for record in records if last[record.number] is OutcomeState.PAUSED]
    assert left
    for record in left:
        assert record.state is TrialState.PRUNED
        assert len(record.values) in RUNGS
        assert "of which" in record.evidence
        assert (paths.folder / str(record.checkpoint)).is_file()
        assert len(checkpoints_in(paths.attempt(record.number, record.attempts).folder)) <= 2
    assert set(states_in(paths)) == {"complete", "pruned"}
    state = read_state(paths)
    assert state is not None
    assert (state.status, state.finished) == (StudyStatus.FINISHED, 6)


def test_stopped_while_trials_are_paused_it_goes_on_from_where_it_was(
    search: Callable[[int], Plan], paths: StudyPaths
) -> None:
    stopped = Watcher(signal.SIGTERM)
    ending = run.start(search(6), stopped)
    assert ending.exit_code == 128 + signal.SIGTERM
    assert "automl resume goes on" in ending.reason
    (paused,) = (number for number, state in stopped.ended if state is OutcomeState.PAUSED)
    before = records_of(paths)[paused]
    assert before.state is TrialState.PAUSED
    assert "paused" in states_in(paths)

    again = Watcher()
    assert run.go_on(paths, again).exit_code == 0
    assert check_what_went_on(paths, again.started) >= 1
    after = records_of(paths)
    assert all(record.state.is_finished for record in after)
    assert before.values.items() <= after[paused].values.items()
    numbers = [(attempt.number, attempt.attempt) for attempt in (*stopped.started, *again.started)]
    assert len(numbers) == len(set(numbers))


def test_a_larger_budget_may_let_go_on_what_the_end_had_stopped(
    search: Callable[[int], Plan], paths: StudyPaths
) -> None:
    run.start(search(6), Silent())
    before = records_of(paths)
    stopped = {record.number for record in before if record.state is TrialState.PRUNED}
    assert stopped
    again = Watcher()
    assert run.go_on(paths, again, GoingOn({"trials": 12})).exit_code == 0
    check_what_went_on(paths, again.started)
    went_on = {attempt.number for attempt in again.started if attempt.attempt > 1}
    after = records_of(paths)
    assert len(after) == 12
    for record in before:
        assert record.values.items() <= after[record.number].values.items()
        if record.number not in went_on:
            assert after[record.number] == record
