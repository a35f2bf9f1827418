"""Budgets in time over a real Ray, on one GPU that a script pretends: kept over resumes too."""

import json
from typing import Any

import pytest

from automl.study.layout import StudyPaths
from tests.e2e.terminal import Done, Terminal

pytestmark = [pytest.mark.slow, pytest.mark.ray, pytest.mark.timeout(180)]

SMI = """#!/bin/sh
case "$1" in
  *query-gpu*) echo "0, GPU-pretended, 81920, 0, 580.95, NVIDIA Pretended" ;;
esac
"""
SEARCH = """
set: {train.num_epochs: 4}
sampler: random
trials: 40
script: {epoch_s: 0.3, bowls: {train.optim.lr: {best: 1e-3}}}
"""
#: 10.8 seconds of one GPU, the start of Ray's worker included: some trainings, by no means all.
GPU_HOURS = 0.003
#: What a running training may take to end where the time is used up under it, and more.
_TO_END_S = 5.0


@pytest.fixture
def terminal_with_gpu(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    programs = terminal.folder / "programs"
    programs.mkdir()
    (programs / "nvidia-smi").write_text(SMI)
    (programs / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return terminal


def outcomes(paths: StudyPaths) -> list[dict[str, Any]]:
    return [json.loads(one.read_text()) for one in sorted(paths.trials.glob("*/*/outcome.json"))]


def state(paths: StudyPaths) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(paths.state.read_text())
    return value


def gpu_seconds(paths: StudyPaths) -> float:
    return sum(float(one["gpu_seconds"]) for one in outcomes(paths))


def ended(done: Done, paths: StudyPaths, limit: str) -> None:
    """It ended for the limit: before a training that did not fit (0), or within one (75)."""
    assert done.code in (0, 75), done.err
    assert limit in state(paths)["reason"]


def test_gpu_hours_and_wall_time_are_kept_over_resumes(terminal_with_gpu: Terminal) -> None:
    terminal = terminal_with_gpu
    paths = StudyPaths(terminal.studies / "bikes")
    asked = ("run", terminal.study_file(SEARCH), "--name", "bikes", "--gpu-hours", str(GPU_HOURS))
    ended(terminal.run(*asked), paths, "--gpu-hours")
    first = outcomes(paths)
    assert 0 < len(first) < 40
    assert gpu_seconds(paths) <= GPU_HOURS * 3600 + _TO_END_S

    # The ledger goes on: what is used up stays used up.
    again = terminal.run("resume", "bikes")
    ended(again, paths, "--gpu-hours")
    assert "to go: none (" in again.err
    assert outcomes(paths) == first

    limit_s = round(state(paths)["wall_s"] + 10)
    more = ("resume", "bikes", "--gpu-hours", "1", "--max-wall", f"{limit_s}s")
    ended(terminal.run(*more), paths, "--max-wall")
    second = outcomes(paths)
    # A busy machine may need all of it to start Ray; then the time is kept by starting nothing.
    assert len(first) <= len(second) < 40
    limits = json.loads(paths.resolved.read_text())["limits"]
    assert (limits["gpu_hours"], limits["max_wall_s"]) == (1.0, limit_s)
