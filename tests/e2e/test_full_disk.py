"""A study on a disk that fills up: refused, stopped in time, or ended with what is safe."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from automl.study.layout import StudyPaths
from tests.e2e.terminal import Terminal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk"),
]

DISK_BYTES = 96 << 20
SEARCH = """
set: {train.num_epochs: 8}
trials: 3
script: {epoch_s: 0.3, bowls: {train.optim.lr: {best: 1e-3}}}
"""


@pytest.fixture
def disk(terminal: Terminal) -> Iterator[Path]:
    """A disk of its own, small, for the studies."""
    terminal.studies.mkdir()
    small = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(terminal.studies)]
    if subprocess.run(small, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    yield terminal.studies
    terminal.close()
    subprocess.run(["umount", "--lazy", str(terminal.studies)], check=True)


def fill(disk: Path, leave: int) -> Path:
    """Fills the disk but for so many bytes; the file that does."""
    usage = os.statvfs(disk)
    filler = disk / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, usage.f_bavail * usage.f_frsize - leave)
    return filler


def test_a_full_disk_is_refused_before_anything_is_made(terminal: Terminal, disk: Path) -> None:
    fill(disk, leave=2 << 20)
    done = terminal.run("run", terminal.study_file(SEARCH), "--name", "bikes")
    assert done.code == 3, done.err
    assert "2 MB free, 27 MB needed" in done.err
    assert f"({disk})" in done.err
    assert "--studies-dir" in done.err
    assert not (disk / "bikes").exists()


@pytest.mark.ray
def test_a_disk_that_fills_up_lets_no_further_trial_start(terminal: Terminal, disk: Path) -> None:
    paths = StudyPaths(disk / "bikes")
    driver = terminal.start("run", terminal.study_file(SEARCH), "--name", "bikes")
    driver.wait_for("epoch ")
    filler = fill(disk, leave=14 << 20)
    done = driver.wait()
    assert done.code == 75, done.err
    state = json.loads(paths.state.read_text())
    assert state["status"] == "interrupted"
    assert f"the disk of {paths.folder} has no room for another trial" in state["reason"]
    assert state["counts"].get("complete", 0) >= 1
    assert "automl resume bikes" in done.out
    refused = terminal.run("resume", "bikes")
    assert refused.code == 3
    assert "all that ended is safe" in refused.err
    filler.unlink()
    assert terminal.run("resume", "bikes").code == 0
    assert json.loads(paths.state.read_text())["counts"] == {"complete": 3}


def test_a_disk_without_a_byte_ends_a_study_with_what_is_safe(
    terminal: Terminal, disk: Path
) -> None:
    text = SEARCH.replace("trials: 3", "automl_policy: off").replace("epochs: 8", "epochs: 30")
    driver = terminal.start("run", terminal.study_file(text), "--name", "bikes")
    driver.wait_for("epoch ")
    filler = fill(disk, leave=0)
    done = driver.wait()
    assert done.code in (3, 4), done.err
    assert "Traceback" not in done.err
    if done.code == 3:
        assert "that ended and all checkpoints are safe" in done.err
        assert "automl resume bikes goes on" in done.err
    filler.unlink()
    assert terminal.run("status", "bikes").code == 0
