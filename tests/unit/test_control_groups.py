"""What control groups allow, of both versions, of a group and of those above it."""

from pathlib import Path

import pytest

from automl.control_groups import ControlGroups

ONE = "9:name=systemd:/\n4:memory:/slurm/job_1/step_0\n2:cpuacct,cpu:/slurm/job_1\n"
TWO = "0::/job_1/step_0\n"
MIB = 1 << 20


def groups(tmp_path: Path, own: str, files: dict[str, str]) -> ControlGroups:
    root = tmp_path / "groups"
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "own").write_text(own)
    return ControlGroups(tmp_path / "own", root)


@pytest.mark.parametrize(
    ("own", "files", "cpus"),
    [
        (TWO, {"job_1/step_0/cpu.max": "max 100000\n", "job_1/cpu.max": "250000 100000\n"}, 2.5),
        (TWO, {"job_1/step_0/cpu.max": "50000 100000\n", "job_1/cpu.max": "max 100000\n"}, 0.5),
        (TWO, {"job_1/step_0/cpu.max": "max 100000\n"}, None),
        (ONE, {"cpu/slurm/job_1/cpu.cfs_quota_us": "-1\n"}, None),
        (
            ONE,
            {
                "cpu/slurm/job_1/cpu.cfs_quota_us": "-1\n",
                "cpu/slurm/job_1/cpu.cfs_period_us": "100000\n",
                "cpu/cpu.cfs_quota_us": "400000\n",
                "cpu/cpu.cfs_period_us": "100000\n",
            },
            4.0,
        ),
    ],
)
def test_the_tightest_quota_of_cpus_counts(
    tmp_path: Path, own: str, files: dict[str, str], cpus: float | None
) -> None:
    assert groups(tmp_path, own, files).cpus() == cpus


@pytest.mark.parametrize(
    ("own", "files", "limit", "left"),
    [
        (
            TWO,
            {
                "job_1/memory.max": f"{300 * MIB}\n",
                "job_1/memory.current": f"{200 * MIB}\n",
                "job_1/memory.stat": f"anon 5\ninactive_file {50 * MIB}\n",
                "job_1/step_0/memory.max": "max\n",
                "memory.max": f"{900 * MIB}\n",
                "memory.current": f"{850 * MIB}\n",
            },
            300 * MIB,
            50 * MIB,
        ),
        (
            ONE,
            {
                "memory/slurm/job_1/step_0/memory.limit_in_bytes": "9223372036854771712\n",
                "memory/slurm/job_1/memory.limit_in_bytes": f"{300 * MIB}\n",
                "memory/slurm/job_1/memory.usage_in_bytes": f"{100 * MIB}\n",
                "memory/slurm/job_1/memory.stat": f"inactive_file 0\ntotal_inactive_file {MIB}\n",
            },
            300 * MIB,
            201 * MIB,
        ),
        # A container that does not see where it is in the whole tree.
        (
            "0::/docker/0123\n",
            {"memory.max": f"{MIB}\n", "memory.current": f"{2 * MIB}\n"},
            MIB,
            0,
        ),
        (TWO, {"job_1/step_0/memory.max": "max\n"}, None, None),
    ],
)
def test_the_tightest_limit_of_memory_counts_and_idle_cache_is_free(
    tmp_path: Path, own: str, files: dict[str, str], limit: int | None, left: int | None
) -> None:
    found = groups(tmp_path, own, files)
    assert (found.memory(), found.memory_left()) == (limit, left)


@pytest.mark.parametrize(
    ("own", "files", "kills"),
    [
        (TWO, {"job_1/step_0/memory.events": "oom 4\noom_kill 3\n"}, 3),
        (
            "4:memory:/job\n0::/\n",
            {"memory/job/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"},
            2,
        ),
        ("4:memory:/job\n", {"memory/job/memory.oom_control": "oom_kill_disable 0\n"}, None),
        ("0::/there/is/no/such/group\n", {}, None),
    ],
)
def test_kills_for_memory_are_those_of_the_own_group(
    tmp_path: Path, own: str, files: dict[str, str], kills: int | None
) -> None:
    assert groups(tmp_path, own, files).memory_kills() == kills


def test_a_system_without_control_groups_sets_no_limit(tmp_path: Path) -> None:
    none = ControlGroups(tmp_path / "own", tmp_path / "groups")
    assert (none.cpus(), none.memory(), none.memory_left()) == (None, None, None)
    assert none.memory_kills() is None
