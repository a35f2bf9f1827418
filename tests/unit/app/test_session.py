"""A study driven from start to end without Ray: how it ends, and how it goes on."""

import csv
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from automl.app import run
from automl.app.going_on import GoingOn
from automl.app.plan import Plan
from automl.app.screen import Ending, Sight, Silent
from automl.errors import FixInput, ResolveConflict
from automl.execution import ray_driver, serial
from automl.execution.driver import Event, Measured, Note, TrialEnded, TrialStarted
from automl.reports.summary import read_summary
from automl.study.config import StudyConfig
from automl.study.folder import read_config
from automl.study.layout import StudyPaths
from automl.study.lock import StudyLock
from automl.study.outcomes import read_outcome
from automl.study.records import OutcomeState
from automl.study.state import StudyStatus, read_state
from automl.yamltext import load_yaml
from tests.unit.app.kit import MakePlan

SCRIPT = "script:\n  epoch_s: 0.0\n  bowls: {train.optim.lr: {best: 1e-3}}\n"
SHORT = ("--set", "train.num_epochs=2", "--name", "bikes", "--sampler", "random")


@pytest.fixture(autouse=True)
def _serially(monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches run one trial at a time in this process."""
    monkeypatch.setattr(ray_driver, "drive", serial.drive)


@pytest.fixture
def search(plan: MakePlan) -> Callable[..., Plan]:
    """A short search of scripted trials; ``faults`` by trial number."""

    def make(*argv: str, faults: str = "{}") -> Plan:
        return plan(*SHORT, *argv, file=f"{SCRIPT}  faults: {faults}\n")

    return make


@pytest.fixture
def paths(studies_dir: Path) -> StudyPaths:
    return StudyPaths(studies_dir / "bikes")


class Watcher:
    """Keeps every event and does something at the first of a kind."""

    def __init__(self, kind: type | None = None, act: Callable[[], None] = lambda: None) -> None:
        self.events: list[Event] = []
        self._kind = kind
        self._act = act

    def opened(self, paths: StudyPaths, config: StudyConfig) -> None:
        pass

    def look(self, sight: Sight) -> None:
        pass

    def event(self, event: Event) -> None:
        self.events.append(event)
        if self._kind is not None and isinstance(event, self._kind):
            self._kind = None
            self._act()

    def started(self) -> list[int]:
        return [each.attempt.number for each in self.events if isinstance(each, TrialStarted)]

    def notes(self) -> list[str]:
        return [each.text for each in self.events if isinstance(each, Note)]


def send(*numbers: int) -> Callable[[], None]:
    def act() -> None:
        for number in numbers:
            os.kill(os.getpid(), number)

    return act


def status_of(paths: StudyPaths) -> StudyStatus:
    state = read_state(paths)
    assert state is not None
    return state.status


class TestEnds:
    def test_a_search_with_failures_ends_well(
        self, search: Callable[..., Plan], paths: StudyPaths
    ) -> None:
        watcher = Watcher()
        made = search("--trials", "4", faults="{1: {kind: crash}, 2: {kind: nan}}")
        ending = run.start(made, watcher)
        assert (ending.exit_code, ending.paths) == (0, paths)
        assert watcher.started() == [0, 1, 2, 3]
        assert status_of(paths) is StudyStatus.FINISHED
        rows = list(csv.DictReader((paths.report / "trials.csv").read_text().splitlines()))
        assert [(row["number"], row["state"], row["failure"]) for row in rows] == [
            ("0", "complete", ""),
            ("1", "failed", "unknown"),
            ("2", "failed", "diverged"),
            ("3", "complete", ""),
        ]
        best = json.loads(paths.best_provenance.read_text())
        values = {int(r["number"]): float(r["metric.val_3DIoU"] or 0) for r in rows}
        assert best["trial"] == max(values, key=lambda number: values[number])

    def test_no_usable_trial_is_4(self, search: Callable[..., Plan], paths: StudyPaths) -> None:
        faults = "{0: {kind: crash}, 1: {kind: nan}, 2: {kind: no-metric}}"
        ending = run.start(search("--trials", "3", faults=faults), Silent())
        assert ending.exit_code == 4
        assert status_of(paths) is StudyStatus.FAILED
        assert not paths.best.exists()
        assert (paths.report / "index.html").is_file()

    def test_the_same_failure_in_a_row_is_5_and_can_be_resumed(
        self, search: Callable[..., Plan], paths: StudyPaths
    ) -> None:
        faults = "{0: {kind: crash}, 1: {kind: crash}}"
        watcher = Watcher()
        ending = run.start(search("--trials", "4", "--same-failures", "2", faults=faults), watcher)
        assert ending.exit_code == 5
        assert "2 trials in a row failed" in ending.reason
        assert "automl resume goes on" in ending.reason
        assert watcher.started() == [0, 1]
        assert status_of(paths) is StudyStatus.STOPPED
        again = Watcher()
        assert run.go_on(paths, again).exit_code == 0
        assert again.started() == [2, 3]

    def test_the_same_failure_to_the_very_end_leaves_nothing_to_resume(
        self, search: Callable[..., Plan], paths: StudyPaths
    ) -> None:
        faults = "{0: {kind: crash}, 1: {kind: crash}}"
        made = search("--trials", "2", "--same-failures", "2", faults=faults)
        assert run.start(made, Silent()).exit_code == 4

    def test_one_plain_training_is_0_or_4(self, plan: MakePlan, studies_dir: Path) -> None:
        well = plan("--policy", "off", "--name", "well", file=SCRIPT)
        assert run.start(well, Silent()).exit_code == 0
        file = f"{SCRIPT}  faults: {{0: {{kind: oom}}}}\n"
        ill = plan("--policy", "off", "--name", "ill", "--same-failures", "1", file=file)
        assert run.start(ill, Silent()).exit_code == 4
        names = {entry.name for entry in (studies_dir / "well").iterdir()}
        assert names >= {"study.yaml", "resolved.json", "trials", "best", "report"}


class TestStops:
    def test_the_first_interrupt_finishes_what_runs(
        self, search: Callable[..., Plan], paths: StudyPaths
    ) -> None:
        watcher = Watcher(Measured, send(signal.SIGINT))
        ending = run.start(search("--trials", "3"), watcher)
        assert ending.exit_code == 130
        assert "2 of 3 trials to go" in ending.reason
        assert watcher.started() == [0]
        ended = [event for event in watcher.events if isinstance(event, TrialEnded)]
        assert [event.outcome.state for event in ended] == [OutcomeState.OK]
        assert status_of(paths) is StudyStatus.INTERRUPTED
        again = Watcher()
        assert run.go_on(paths, again).exit_code == 0
        assert again.started() == [1, 2]

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("numbers", "code"),
        [((signal.SIGINT, signal.SIGINT), 130), ((signal.SIGTERM,), 143)],
        ids=["Ctrl-C twice", "SIGTERM"],
    )
    def test_a_stop_now_keeps_the_checkpoint_and_goes_on_from_it(
        self, plan: MakePlan, paths: StudyPaths, numbers: tuple[int, ...], code: int
    ) -> None:
        watcher = Watcher(Measured, send(*numbers))
        file = SCRIPT.replace("epoch_s: 0.0", "epoch_s: 0.5")
        made = plan("--name", "bikes", "--trials", "2", "--set", "train.num_epochs=4", file=file)
        assert run.start(made, watcher).exit_code == code
        outcome, _ = read_outcome(paths.attempt(0, 1))
        assert outcome is not None
        assert outcome.state is OutcomeState.INTERRUPTED
        assert outcome.checkpoint is not None
        again = Watcher()
        assert run.go_on(paths, again).exit_code == 0
        assert again.started() == [0, 1]
        spec = load_yaml(paths.attempt(0, 2).spec)
        assert spec["train"]["resume_training_checkpoint_path"] == str(
            paths.folder / outcome.checkpoint
        )

    def test_a_stop_file_is_75(self, search: Callable[..., Plan], paths: StudyPaths) -> None:
        watcher = Watcher(TrialEnded, paths.stop.touch)
        assert run.start(search("--trials", "3"), watcher).exit_code == 75
        assert watcher.started() == [0]
        assert run.go_on(paths, Silent()).exit_code == 0
        assert not paths.stop.exists()


class TestGoesOn:
    @pytest.fixture
    def finished(self, search: Callable[..., Plan]) -> Ending:
        ending = run.start(search("--trials", "2"), Silent())
        assert ending.exit_code == 0
        return ending

    def test_a_finished_study_starts_nothing(
        self, finished: Ending, paths: StudyPaths, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delattr(ray_driver, "drive")
        watcher = Watcher()
        assert run.go_on(paths, watcher).exit_code == 0
        assert watcher.started() == []

    def test_a_larger_total_is_kept_with_its_origin(
        self, finished: Ending, paths: StudyPaths
    ) -> None:
        watcher = Watcher()
        assert run.go_on(paths, watcher, GoingOn({"trials": 3})).exit_code == 0
        assert watcher.started() == [2]
        config = read_config(paths)
        assert config.limits.trials == 3
        assert config.origin["trials"] == "automl resume --trials"

    def test_a_total_below_what_was_started_is_refused_and_changes_nothing(
        self, finished: Ending, paths: StudyPaths
    ) -> None:
        before = paths.resolved.read_bytes()
        with pytest.raises(FixInput, match="1, though 2 were"):
            run.go_on(paths, Silent(), GoingOn({"trials": 1}))
        assert paths.resolved.read_bytes() == before

    def test_a_plain_training_has_one_trial(self, plan: MakePlan, paths: StudyPaths) -> None:
        run.start(plan("--policy", "off", *SHORT, file=SCRIPT), Silent())
        with pytest.raises(FixInput, match="a plain training must be one trial"):
            run.go_on(paths, Silent(), GoingOn({"trials": 2}))

    def test_a_name_is_used_once(
        self, finished: Ending, search: Callable[..., Plan], paths: StudyPaths
    ) -> None:
        before = paths.resolved.read_bytes()
        with pytest.raises(ResolveConflict, match="automl resume bikes"):
            run.start(search("--trials", "5"), Silent())
        assert paths.resolved.read_bytes() == before

    def test_a_study_has_one_driver(self, finished: Ending, paths: StudyPaths) -> None:
        with (
            StudyLock(paths),
            pytest.raises(ResolveConflict, match=rf"pid {os.getpid()} on"),
        ):
            run.go_on(paths, Silent(), GoingOn({"trials": 3}))
        assert read_config(paths).limits.trials == 2

    def test_a_study_of_an_older_version_gets_its_keys_from_the_skill(
        self, finished: Ending, paths: StudyPaths
    ) -> None:
        value = json.loads(paths.resolved.read_text())
        keys = value.pop("keys")
        assert keys["batch_sizes"]
        paths.resolved.write_text(json.dumps(value))
        assert run.go_on(paths, Silent()).exit_code == 0
        assert json.loads(paths.resolved.read_text())["keys"] == keys

    def test_trials_that_the_storage_lost_are_not_trained_over(
        self, finished: Ending, paths: StudyPaths
    ) -> None:
        paths.journal.unlink()
        with pytest.raises(FixInput, match=r"restore study\.journal from a copy") as caught:
            run.go_on(paths, Silent(), GoingOn({"trials": 3}))
        assert "trials/0001" in caught.value.got
        assert str(paths.journal) in caught.value.where
        assert not paths.journal.exists()

    def test_what_was_left_running_is_recovered_and_reported(
        self, search: Callable[..., Plan], paths: StudyPaths
    ) -> None:
        def vanish() -> None:
            raise _Vanished

        with pytest.raises(_Vanished):
            run.start(search("--trials", "2"), Watcher(TrialStarted, vanish))
        watcher = Watcher()
        assert run.go_on(paths, watcher).exit_code == 0
        assert watcher.notes() == [
            "ended and kept: none",
            "trial 0  no whole checkpoint: starts again with the same parameters (attempt 2)",
            "to go: 2 trainings",
            "unchanged since the study began: train data, val data",
        ]
        assert watcher.started() == [0, 1]


class _Vanished(BaseException):
    """Stands in for the death of a driver: nothing in the package catches it."""


def test_winner_and_default_are_trained_again_with_other_seeds(
    search: Callable[..., Plan], paths: StudyPaths
) -> None:
    ending = run.start(search("--trials", "4", "--confirm", "2", "--confirm-top", "1"), Silent())
    assert ending.exit_code == 0
    summary = read_summary(paths.folder)
    again = [t for t in summary.trials if t.record.confirms is not None]
    winner = summary.winner
    assert winner is not None
    assert [t.record.confirms for t in again] == [0, winner.number] * 2
    specs = [load_yaml(paths.attempt(t.number, 1).spec) for t in again]
    seeds = [spec["train"]["seed"] for spec in specs]
    assert seeds[0] == seeds[1] != seeds[2] == seeds[3]
    assert specs[1]["train"]["optim"]["lr"] == again[1].record.params["train.optim.lr"]
    assert (summary.n_asked, summary.n_finished, summary.n_usable) == (8, 8, 4)
    assert winner.confirmed is not None
    assert len(winner.confirmed.winner.values) == 2


@pytest.mark.slow
def test_a_search_that_has_ended_can_be_confirmed(
    search: Callable[..., Plan], paths: StudyPaths
) -> None:
    run.start(search("--trials", "4"), Silent())
    before = read_summary(paths.folder)
    assert before.winner is not None
    assert before.winner.number != 0
    assert before.command("confirm") == (
        f"automl confirm {paths.folder.name} --seeds 3 --studies-dir {paths.folder.parent}"
    )
    assert run.go_on(paths, Silent(), GoingOn({"confirm": 2, "confirm_top": 1})).exit_code == 0
    after = read_summary(paths.folder)
    assert after.winner is not None
    assert after.winner.confirmed is not None
    assert len(after.trials) == 8
    assert after.command("confirm") == ""
    assert after.config.origin["confirm"] == "automl resume --confirm"


def test_a_longer_search_confirms_its_new_winner(
    search: Callable[..., Plan], paths: StudyPaths
) -> None:
    run.start(search("--trials", "3", "--confirm", "1", "--confirm-top", "1"), Silent())
    known = len(read_summary(paths.folder).trials)
    ending = run.go_on(paths, Silent(), GoingOn({"trials": 6}))
    assert ending.exit_code == 0
    records = [t.record for t in read_summary(paths.folder).trials]
    assert sum(record.confirms is None for record in records) == 6
    winner = read_summary(paths.folder).winner
    assert winner is not None
    assert winner.number == 0 or any(r.confirms == winner.number for r in records)
    assert len(records) > known


def test_wall_time_is_one_number_on_the_screen_in_the_state_and_in_the_report(
    search: Callable[..., Plan], paths: StudyPaths
) -> None:
    looks: list[float] = []

    class Clockwatcher(Watcher):
        def look(self, sight: Sight) -> None:
            looks.append(sight.wall_s)

    run.start(search("--trials", "1"), Clockwatcher())
    state = read_state(paths)
    assert state is not None
    assert looks == sorted(looks)
    assert looks[-1] == state.wall_s == read_summary(paths.folder).cost.wall_s > 0
    run.go_on(paths, Clockwatcher(), GoingOn({"trials": 2}))
    again = read_state(paths)
    assert again is not None
    assert looks[-1] == again.wall_s > state.wall_s
