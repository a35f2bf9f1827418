"""Signals: noted first, obeyed at the next safe point, with everything on record."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from automl.centerpose.session.interrupt import Interrupt, Interrupted
from automl.trainers.contract import LATEST_NAME

SpecWriter = Callable[..., Path]
StatusReader = Callable[[Path], list[dict[str, Any]]]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_the_first_signal_waits_for_a_safe_point(number: signal.Signals, code: int) -> None:
    interrupt = Interrupt()
    interrupt.listen()
    interrupt.check()
    signal.raise_signal(number)
    with pytest.raises(Interrupted, match=number.name) as end:
        interrupt.check()
    assert end.value.exit_code == code


def test_a_second_interrupt_from_the_keyboard_acts_at_once() -> None:
    interrupt = Interrupt()
    interrupt.listen()
    signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_an_interrupted_program_leaves_a_checkpoint_and_says_so(
    number: signal.Signals,
    code: int,
    spec_tree: dict[str, Any],
    write_spec: SpecWriter,
    status_lines: StatusReader,
) -> None:
    spec_tree["train"] |= {"num_epochs": 100_000, "checkpoint_interval": 100_000}
    command = [
        sys.executable,
        "-m",
        "automl.centerpose",
        "train",
        "-e",
        str(write_spec(spec_tree)),
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("epoch 0:"):
                process.send_signal(number)
                break
        rest = process.stdout.read()
    assert process.returncode == code
    assert "Execution status: FAIL" in rest
    folder = Path(spec_tree["results_dir"]) / "train"
    last = status_lines(folder)[-1]
    assert last["status"] == "FAILURE"
    assert last["message"].startswith("User/System interruption: Train was interrupted")
    assert (folder / LATEST_NAME).is_file()
