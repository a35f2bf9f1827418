"""What a batch system or a container leaves a study of its machine, and what is said of it."""

import os
from pathlib import Path

import pytest

from automl.app.allowance import Allowance, allowance, check_allowance, crowded_memory
from automl.checkup import Result
from automl.control_groups import ControlGroups

GB = 10**9


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ControlGroups:
    """Without a limit, on a machine of eight CPUs."""
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    (tmp_path / "own").write_text("0::/\n")
    return ControlGroups(tmp_path / "own", tmp_path)


def test_without_limits_it_is_the_machine(groups: ControlGroups) -> None:
    found = allowance({}, groups)
    assert (found.cpus, found.memory) == (8, found.all_memory)
    assert "(" not in str(found)


def test_a_container_s_share_of_cpus_and_its_memory_count(
    groups: ControlGroups, tmp_path: Path
) -> None:
    (tmp_path / "cpu.max").write_text("250000 100000\n")
    (tmp_path / "memory.max").write_text(f"{2 * GB}\n")
    found = allowance({}, groups)
    assert (found.cpus, found.memory) == (2, 2 * GB)
    assert str(found).startswith("2 of 8 CPUs, 2.0 of ")
    assert str(found).endswith(" GB of memory (by its limits)")


def test_less_than_one_cpu_is_one(groups: ControlGroups, tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert allowance({}, groups).cpus == 1


@pytest.mark.parametrize(
    ("given", "memory"),
    [({"SLURM_MEM_PER_NODE": "3000"}, 3000 << 20), ({"SLURM_MEM_PER_CPU": "100"}, 200 << 20)],
)
def test_a_job_keeps_to_what_it_was_given_though_nothing_holds_it_to_that(
    groups: ControlGroups, given: dict[str, str], memory: int
) -> None:
    inside = {"SLURM_JOB_ID": "7", "SLURM_CPUS_ON_NODE": "2", **given}
    found = allowance(inside, groups)
    assert (found.cpus, found.memory, found.job) == (2, memory, "7")
    assert str(found).endswith("(limits of Slurm job 7)")
    # What a login shell was left with is no job.
    assert allowance({"SLURM_CPUS_ON_NODE": "2", **given}, groups).cpus == 8


def test_too_little_memory_for_the_trainings_is_said() -> None:
    assert crowded_memory(8, 0) == ""
    assert crowded_memory(1, 2 * GB) == ""
    roomy = check_allowance(Allowance(2, 2, 8 * GB, 8 * GB), 2)
    assert (roomy.result, roomy.detail) == (Result.OK, "2 CPUs, 8.0 GB of memory")
    tight = check_allowance(Allowance(2, 8, 2 * GB, 8 * GB, "7"), 2)
    assert tight.result is Result.WARN
    assert tight.detail == (
        "2 of 8 CPUs, 2.0 of 8.0 GB of memory (limits of Slurm job 7); 2 trials at once may use "
        "2.0 GB of memory: a training takes about 1 GB and the driver as much, 3.0 GB in all; "
        "the kernel kills what takes more"
    )
    assert tight.fix == (
        "ask Slurm for more (--mem), or train fewer at once with --max-concurrent"
    )
