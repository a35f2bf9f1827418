"""The program that watches the processes of one training, with stand-ins for those processes."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from automl.centerpose.config.train import Train
from automl.centerpose.hardware.selection import device_ids
from automl.centerpose.program import launcher
from automl.centerpose.program.launcher import train_on_devices
from automl.centerpose.session.failure import RankFailed, failure_text
from automl.centerpose.session.interrupt import Interrupt, Interrupted

STAND_IN = """
import json, os, signal, sys, time
from pathlib import Path
spec, folder, descriptor = sys.argv[1:]
rank = int(os.environ["LOCAL_RANK"])
signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT))
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)

def report(text):
    os.write(int(descriptor), (json.dumps(text) + "\\n").encode())
    sys.exit(1)

pid = Path(folder, f"{rank}.pid")
pid.with_suffix(".begun").write_text(str(os.getpid()))
pid.with_suffix(".begun").rename(pid)  # a reader of the file sees all of it
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Makes each process run what the test appends to this file."""
    path = tmp_path / "stand_in_rank.py"
    path.write_text(STAND_IN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(launcher, "_PROGRAM", "stand_in_rank")
    return path


def run(stand_in: Path, body: str, interrupt: Interrupt | None = None) -> None:
    stand_in.write_text(STAND_IN + body)
    settings = Train(num_gpus=2)
    train_on_devices(settings, stand_in, stand_in.parent, interrupt or Interrupt())


def is_gone(folder: Path, rank: int) -> bool:
    try:
        os.kill(int((folder / f"{rank}.pid").read_text()), 0)
    except (ProcessLookupError, FileNotFoundError):
        return True
    return False


@pytest.mark.parametrize(
    ("settings", "ids"),
    [
        (Train(), (0,)),
        (Train(num_gpus=3), (0, 1, 2)),
        (Train(num_gpus=2, gpu_ids=(4, 6)), (4, 6)),
        (Train(num_gpus=1, gpu_ids=(3,)), (3,)),
        (Train(num_gpus=1, gpu_ids=(1, 2)), (1, 2)),
        (Train(num_gpus=3, gpu_ids=(5,)), (0, 1, 2)),
    ],
)
def test_the_larger_of_the_two_settings_counts(settings: Train, ids: tuple[int, ...]) -> None:
    assert device_ids(settings) == ids


def test_all_processes_are_waited_for(stand_in: Path) -> None:
    run(stand_in, "time.sleep(0.2 * rank); Path(folder, f'{rank}.done').touch()")
    assert (stand_in.parent / "0.done").exists()
    assert (stand_in.parent / "1.done").exists()


def test_the_first_failure_is_reported_and_ends_the_others(stand_in: Path) -> None:
    body = "report('Configuration error: x') if rank else time.sleep(60)"
    began = time.monotonic()
    with pytest.raises(RankFailed) as end:
        run(stand_in, body)
    assert failure_text(end.value) == "Configuration error: x"
    assert time.monotonic() - began < 20
    assert is_gone(stand_in.parent, 0)


def test_a_process_that_is_killed_explains_what_the_others_report(stand_in: Path) -> None:
    body = "report('connection closed') if rank == 0 else os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(RankFailed, match=r"device 1 of the training was ended by SIGKILL"):
        run(stand_in, body)


def test_an_exit_without_a_word_is_a_failure(stand_in: Path) -> None:
    with pytest.raises(RankFailed, match=r"device 0 of the training ended with exit code 3"):
        run(stand_in, "sys.exit(3 if rank == 0 else 0)")


def test_a_signal_is_passed_on_and_waited_for(stand_in: Path) -> None:
    interrupt = Interrupt()
    timer = threading.Timer(0.3, interrupt.request, (signal.SIGTERM,))
    timer.start()
    body = "number = int(sys.stdin.readline()); time.sleep(0.3 * rank); sys.exit(128 + number)"
    with pytest.raises(Interrupted) as end:
        run(stand_in, body, interrupt)
    timer.join()
    assert end.value.exit_code == 143


def test_the_processes_end_with_the_program_that_started_them(stand_in: Path) -> None:
    stand_in.write_text(STAND_IN + "sys.stdin.read()")
    folder = stand_in.parent
    code = f"""
from pathlib import Path
from automl.centerpose.program import launcher
from automl.centerpose.config.train import Train
from automl.centerpose.session.interrupt import Interrupt
launcher._PROGRAM = "stand_in_rank"
here = Path({str(folder)!r})
launcher.train_on_devices(Train(num_gpus=2), here / "spec.yaml", here, Interrupt())
"""
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        deadline = time.monotonic() + 30
        while not all((folder / f"{rank}.pid").exists() for rank in (0, 1)):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.kill()
    while not all(is_gone(folder, rank) for rank in (0, 1)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
