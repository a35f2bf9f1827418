"""What is made of the answers of ``nvidia-smi``."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from automl.gpus import Gpu, GpuProcess, read_gpus

TWO = """\
1, GPU-b, 143771, 2048, 580.95.05, NVIDIA H200
0, GPU-a, 143771, 0, 580.95.05, NVIDIA H200
"""
USERS = """\
GPU-b, 8123, /usr/bin/python, of ana
GPU-b, 8124, [Not Found]
"""

Answer = Callable[[str], None]


@pytest.fixture
def smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """``smi(script)`` puts a program of that shell text where nvidia-smi is looked for."""

    def install(script: str) -> None:
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    return install


def answers(gpus: str, processes: str = "") -> str:
    return (
        'case "$1" in\n'
        f"--query-gpu=*) cat <<'END'\n{gpus}END\n;;\n"
        f"--query-compute-apps=*) cat <<'END'\n{processes}END\n;;\nesac"
    )


def test_every_gpu_in_order_with_those_who_use_it(smi: Answer) -> None:
    smi(answers(TWO, USERS))
    first, second = read_gpus()
    assert first == Gpu(0, "GPU-a", "NVIDIA H200", 143771, 0, "580.95.05")
    assert second.memory_free_mib == 143771 - 2048
    assert second.processes == (
        GpuProcess(8123, "/usr/bin/python, of ana"),
        GpuProcess(8124, "[Not Found]"),
    )


def test_a_driver_that_does_not_tell_of_memory(smi: Answer) -> None:
    smi(answers("0, GPU-a, [N/A], [Insufficient Permissions], 580.95.05, GRID, partitioned\n"))
    assert read_gpus() == [Gpu(0, "GPU-a", "GRID, partitioned", driver="580.95.05")]


@pytest.mark.parametrize(
    "script",
    [
        answers(""),
        "echo NVIDIA-SMI has failed; exit 9",
        "echo 0, GPU-a, 1; exit 0",
        answers("No devices were found, a, b, c, d, e\n"),
    ],
    ids=["no GPUs", "no driver", "half a row", "a sentence"],
)
def test_no_gpus_without_an_answer(smi: Answer, script: str) -> None:
    smi(script)
    assert read_gpus() == []


def test_no_gpus_without_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert read_gpus() == []
