"""Signals to commands that drive no study: each ends in order, and the next trips over nothing.

They go to the group, as ``timeout``, batch systems, Ctrl-C and closed terminals send them.
"""

import json
import os
import signal
import tarfile
import time
from pathlib import Path

import pytest

from automl.study.layout import StudyPaths
from tests.e2e.terminal import Driver, Terminal, eventually, processes_naming
from tests.small_data import write_split

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SAID = {
    signal.SIGINT: "stopped by Ctrl-C",
    signal.SIGTERM: "stopped by SIGTERM",
    signal.SIGHUP: "stopped: its terminal was closed",
}
#: So many that taking them out of an archive can be met.
FRAMES = 1500


@pytest.fixture
def archive(terminal: Terminal) -> Path:
    """A tarball that takes a while, beside the small data."""
    path = terminal.folder / "many.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=1) as packed:
        packed.add(write_split(terminal.folder / "many" / "train", FRAMES), arcname="train")
    return path


def wait_for_extraction(driver: Driver, terminal: Terminal) -> Path:
    """Returns the store of the archives as soon as something is put into it.

    Where cores are busy the driver gets them last, or it might be done before it is seen.
    """
    os.setpriority(os.PRIO_PROCESS, driver.pid, 19)
    store = terminal.folder / "cache" / "archives"
    driver.wait_until(lambda: any(store.glob(".*/train/*")), "an extraction")
    return store


def ended_in_order(driver: Driver, number: signal.Signals) -> None:
    os.killpg(driver.pid, number)
    done = driver.wait()
    assert done.code == 128 + number, done.err
    assert done.err.splitlines()[-1] == f"{SAID[number]}; the same command begins again"
    assert "Traceback" not in done.err


@pytest.mark.parametrize("number", SAID)
def test_while_an_archive_is_extracted_for_a_check(
    terminal: Terminal, archive: Path, number: signal.Signals
) -> None:
    driver = terminal.start("data", "check", archive.name)
    store = wait_for_extraction(driver, terminal)
    ended_in_order(driver, number)
    assert not list(store.glob(".*"))
    done = terminal.run("data", "check", archive.name)
    assert done.code == 0, done.err
    assert f"{FRAMES} images" in done.out


@pytest.mark.parametrize("command", ["plan", "run"])
def test_while_a_study_is_planned(terminal: Terminal, archive: Path, command: str) -> None:
    data = (f"--train-data={archive.name}", "--val-data=data/val", "--name=bikes")
    more = ("--policy=off", "--trainer=scripted", "--set=train.num_epochs=1")
    driver = terminal.start(command, *data, *more)
    wait_for_extraction(driver, terminal)
    ended_in_order(driver, signal.SIGTERM)
    assert not StudyPaths(terminal.studies / "bikes").folder.exists()
    done = terminal.run("run", *data, *more)
    assert done.code == 0, done.err


def test_while_data_is_rendered(terminal: Terminal) -> None:
    argv = ("data", "synth", "--out", "made", "--train", "300", "--val", "2", "--test", "0")
    driver = terminal.start(*argv)
    driver.wait_until(lambda: any(terminal.folder.glob(".made.*/train/*/*.json")), "a picture")
    ended_in_order(driver, signal.SIGTERM)
    small = [*argv[:5], "4", *argv[6:]]
    done = terminal.run(*small)
    assert done.code == 0, done.err
    assert len(list((terminal.folder / "made" / "train").rglob("*.json"))) == 4


def test_a_command_in_the_background_ends_with_the_one_that_waits_for_it(
    terminal: Terminal, archive: Path
) -> None:
    text = "automl_policy: off\nset: {train.num_epochs: 2}\n"
    file = terminal.study_file(text)
    driver = terminal.start(
        "run", file, f"--train-data={archive.name}", "--name=bikes", "--detach"
    )
    wait_for_extraction(driver, terminal)
    ended_in_order(driver, signal.SIGTERM)
    assert eventually(lambda: not processes_naming(terminal.folder), 10.0)
    assert not StudyPaths(terminal.studies / "bikes").folder.exists()


@pytest.mark.torch
def test_while_an_action_runs_its_program_ends_too_and_it_is_recorded(terminal: Terminal) -> None:
    size = ("--set", "dataset.batch_size=2", "--set", "model.backbone.model_type=nano")
    file = terminal.study_file("automl_policy: off\nset: {train.num_epochs: 1}\n")
    assert terminal.run("run", file, "--trainer", "process", *size, "--name", "bikes").code == 0
    paths = StudyPaths(terminal.studies / "bikes")
    driver = terminal.start("evaluate", "--study", "bikes", "--test-data", "data/val")
    log = paths.actions / "evaluate-1" / "log.txt"
    driver.wait_until(log.exists, "a program")
    ended_in_order(driver, signal.SIGTERM)
    outcome = json.loads((paths.actions / "evaluate-1" / "outcome.json").read_text())
    assert (outcome["exit_code"], outcome["ok"]) == (143, False)
    assert eventually(lambda: not processes_naming(paths.folder), 10.0)
    assert terminal.run("evaluate", "--study", "bikes", "--test-data", "data/val").code == 0


def test_at_any_moment(terminal: Terminal) -> None:
    argv = ("plan", "--train-data=data/train", "--val-data=data/val", "--json")
    for tenths in range(1, 12):
        driver = terminal.start(*argv)
        time.sleep(tenths / 10)
        os.killpg(driver.pid, signal.SIGTERM)
        done = driver.wait()
        # Before the program's first line, the signal itself ends the process.
        assert done.code in (0, 143, -signal.SIGTERM), done.err
        assert "Traceback" not in done.err
    assert terminal.run(*argv).code == 0
