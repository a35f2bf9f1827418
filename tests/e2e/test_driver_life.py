"""The life of a driver: signals to its whole group at any moment, and the death of Ray or its own.

Signals go to the group, as ``timeout``, batch systems and closed terminals send them.
"""

import json
import os
import re
import signal
from collections.abc import Callable

import pytest

from automl.processes import children_of, members_of, started_at, stat_of
from automl.study.layout import StudyPaths
from automl.study.lock import Owner, read_owner
from tests.e2e.terminal import Driver, Terminal, eventually, processes_naming

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SEARCH = """
set: {train.num_epochs: 16}
trials: 3
max_concurrent: 2
script: {epoch_s: 0.3, bowls: {train.optim.lr: {best: 1e-3}}}
"""
#: What a person would call at once; an orphan may live as long.
SOON_S = 10.0


@pytest.fixture
def paths(terminal: Terminal) -> StudyPaths:
    return StudyPaths(terminal.studies / "bikes")


@pytest.fixture
def search(terminal: Terminal) -> Callable[[], Driver]:
    """Starts a search."""

    def begin() -> Driver:
        return terminal.start("run", terminal.study_file(SEARCH), "--name", "bikes")

    return begin


def program(pid: int) -> str:
    """The name of a process's program."""
    with open(f"/proc/{pid}/comm", encoding="utf-8") as file:  # noqa: PTH123
        return file.read().strip()


def sessions_of(driver: Driver) -> set[int]:
    """The sessions that a driver has begun."""
    return {int(stat_of(pid)[3]) for pid in children_of(driver.pid)} - {driver.pid}


def ended_in_order(driver: Driver, paths: StudyPaths, code: int) -> None:
    done = driver.wait()
    assert done.code == code, done.err
    state = json.loads(paths.state.read_text())
    assert state["status"] == "interrupted"
    assert "automl resume goes on" in state["reason"]
    assert "automl resume" in done.out + done.err
    assert (paths.report / "index.html").exists()


@pytest.mark.ray
class TestSignals:
    @pytest.mark.parametrize(
        ("moment", "number"),
        [("open ", signal.SIGTERM), ("epoch ", signal.SIGTERM), ("epoch ", signal.SIGHUP)],
    )
    def test_one_to_the_whole_group_ends_a_search_in_order(
        self,
        search: Callable[[], Driver],
        paths: StudyPaths,
        moment: str,
        number: signal.Signals,
    ) -> None:
        driver = search()
        driver.wait_for(moment)
        sessions = sessions_of(driver)
        os.killpg(driver.pid, number)
        ended_in_order(driver, paths, 128 + number)
        assert eventually(lambda: not members_of(sessions), SOON_S)
        assert not processes_naming(paths.folder)


@pytest.mark.parametrize("file", ["driver.lock", "base_spec.yaml", "report"])
def test_terminated_while_a_study_is_made_or_reported_it_ends_in_order(
    terminal: Terminal, paths: StudyPaths, file: str
) -> None:
    text = "automl_policy: off\nset: {train.num_epochs: 2}\nscript: {epoch_s: 0.1}\n"
    driver = terminal.start("run", terminal.study_file(text), "--name", "bikes")
    driver.wait_until((paths.folder / file).exists, file)
    os.killpg(driver.pid, signal.SIGTERM)
    done = driver.wait()
    assert done.code == (0 if file == "report" else 128 + signal.SIGTERM), done.err
    assert (paths.report / "index.html").exists()
    assert terminal.run("resume", "bikes").code == 0
    assert json.loads(paths.state.read_text())["status"] == "finished"


@pytest.mark.ray
class TestDeaths:
    def test_nothing_of_ray_outlives_a_killed_driver(
        self, search: Callable[[], Driver], paths: StudyPaths
    ) -> None:
        driver = search()
        driver.wait_for("epoch ")
        sessions = sessions_of(driver)
        assert len(members_of(sessions)) > len(sessions)
        driver.kill(everything=False)
        assert eventually(lambda: not members_of(sessions), SOON_S)
        assert eventually(lambda: not processes_naming(paths.folder), SOON_S)

    @pytest.mark.parametrize("name", ["gcs_server", "raylet"])
    def test_the_death_of_ray_ends_a_search_resumably_with_its_reason(
        self, search: Callable[[], Driver], terminal: Terminal, paths: StudyPaths, name: str
    ) -> None:
        driver = search()
        driver.wait_for("epoch ")
        sessions = sessions_of(driver)
        (victim,) = (pid for pid in children_of(driver.pid) if program(pid) == name)
        os.kill(victim, signal.SIGKILL)
        ended_in_order(driver, paths, 75)
        assert f"Ray's process {name} died" in json.loads(paths.state.read_text())["reason"]
        assert eventually(lambda: not members_of(sessions), SOON_S)
        assert not processes_naming(paths.folder)
        assert terminal.run("resume", "bikes").code == 0
        assert json.loads(paths.state.read_text())["status"] == "finished"


@pytest.mark.ray
def test_what_is_set_for_another_ray_or_changes_python_stops_no_search(
    terminal: Terminal, paths: StudyPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PYTHONOPTIMIZE": "1",
        "PYTHONWARNINGS": "error",
        "RAY_ADDRESS": "192.0.2.1:6379",
        "RAY_AIR_LOCAL_CACHE_DIR": "/nowhere",
        "RAY_AUTH_MODE": "nonsense",
        "RAY_TMPDIR": "/nowhere",
        "RAY_gcs_server_request_timeout_seconds": "0",
        "TUNE_RESULT_DIR": "/nowhere",
        "TUNE_MAX_PENDING_TRIALS_PG": "many",
    }.items():
        monkeypatch.setenv(name, value)
    text = SEARCH.replace("num_epochs: 16", "num_epochs: 2")
    done = terminal.run("run", terminal.study_file(text), "--name", "bikes")
    assert done.code == 0, done.err
    assert json.loads(paths.state.read_text())["status"] == "finished"


def test_a_python_that_ray_cannot_run_in_is_refused_before_a_study_is_made(
    terminal: Terminal, paths: StudyPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    done = terminal.run("run", terminal.study_file(SEARCH), "--name", "bikes")
    assert done.code == 3, done.err
    assert "unset PYTHONOPTIMIZE" in done.err
    assert not paths.folder.exists()


class TestInTheBackground:
    """``--detach`` and ``automl stop``, with one plain training."""

    TRAINING = "automl_policy: off\nset: {train.num_epochs: 40}\nscript: {epoch_s: 0.3}\n"

    @pytest.fixture
    def detached(self, terminal: Terminal, paths: StudyPaths) -> Owner:
        argv = ("run", terminal.study_file(self.TRAINING), "--name", "bikes", "--detach")
        done = terminal.run(*argv)
        assert done.code == 0, done.err
        assert "automl watch bikes" in done.out
        assert "automl stop bikes" in done.out
        owner = read_owner(paths)
        assert owner is not None
        assert str(owner.pid) in done.out
        assert int(stat_of(owner.pid)[3]) == owner.pid, "not in a session of its own"
        return owner

    def test_it_is_stopped_now_with_its_checkpoints(
        self, detached: Owner, terminal: Terminal, paths: StudyPaths
    ) -> None:
        assert eventually(lambda: "epoch " in paths.driver_log.read_text(), 60.0)
        done = terminal.run("stop", "bikes", "--now")
        assert (done.code, done.out) == (0, "bikes has stopped; automl resume bikes goes on\n")
        assert eventually(lambda: not started_at(detached.pid), SOON_S)
        assert json.loads(paths.state.read_text())["status"] == "interrupted"
        assert list(paths.trials.glob("0000/1/*.pth"))

    def test_it_is_paused_and_says_what_goes_on(
        self, detached: Owner, terminal: Terminal, paths: StudyPaths
    ) -> None:
        assert eventually(lambda: "epoch " in paths.driver_log.read_text(), 60.0)
        done = terminal.run("pause", "bikes")
        assert done.code == 0, done.err
        assert "bikes is paused" in done.out
        assert re.search(
            r"trial 0  was cut short: goes on from the checkpoint of epoch \d+", done.out
        )
        assert not started_at(detached.pid)
        assert not processes_naming(paths.folder)
        state = json.loads(paths.state.read_text())
        assert state["reason"].startswith("paused with 1 of 1 trials to go")

    def test_it_is_asked_to_end_after_its_training(
        self, detached: Owner, terminal: Terminal, paths: StudyPaths
    ) -> None:
        done = terminal.run("stop")
        assert "bikes starts no further trial" in done.out, done.err
        assert not paths.stop_gently.exists()
        assert started_at(detached.pid)
        assert "asked to stop after the running trials" in paths.driver_log.read_text()

    def test_what_is_not_running_is_not_stopped(
        self, terminal: Terminal, paths: StudyPaths
    ) -> None:
        text = self.TRAINING.replace("40", "1")
        assert terminal.run("run", terminal.study_file(text), "--name", "bikes").code == 0
        done = terminal.run("stop", "bikes", "--now")
        assert "bikes is not running" in done.out
        assert not paths.stop.exists()

    def test_a_mistake_is_shown_as_if_nothing_was_detached(self, terminal: Terminal) -> None:
        done = terminal.run("run", terminal.study_file("trials: no\n"), "--detach")
        assert done.code == 2
        assert done.err.count("error: ") == 1
        assert not done.out
