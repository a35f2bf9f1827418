"""Which class a dead attempt is counted under, and by what evidence."""

import signal
from pathlib import Path

import pytest

from automl.study.records import FailureClass
from automl.trainers.failures import TrainerExit, classify, memory_kills


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20 GiB", "oom"),
        ("RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory", "oom"),
        ("MemoryError", "oom"),
        (
            "numpy._core._exceptions: Unable to allocate 9.3 GiB for an array with shape (1,)",
            "oom",
        ),
        ("Schema validation error: CUDA out of memory.", "oom"),
        ("RuntimeError: DataLoader worker (pid 9) is killed by signal: Bus error.", "shm"),
        ("ERROR: out of shared memory", "shm"),
        ("unable to write to file </torch_7_1>: No space left on device (28)", "shm"),
        ("OSError: [Errno 28] No space left on device", "disk"),
        ("RuntimeError: CUDA error: an illegal memory access was encountered", "gpu"),
        ("ValueError: loss is nan", "diverged"),
        ("Configuration error: Key 'typo' is not in struct", "spec"),
        ("Parameter validation error: expected int", "spec"),
        ("ValueError: the dataset has fewer samples (3) than one batch on all GPUs (4)", "spec"),
        ("File system error: [Errno 2] No such file or directory: '/data/x.json'", "data"),
        ("FileNotFoundError: no images in /data/train", "data"),
        ("KeyError: 'hm_gauss'", "unknown"),
    ],
)
def test_a_line_of_the_log_tells_the_class(line: str, expected: str) -> None:
    tail = ["Epoch 3: 40%", line, "Execution status: FAIL"]
    found = classify(TrainerExit(exit_code=1, log_tail=tail))
    assert found is not None
    assert found[0] == FailureClass(expected)
    assert line[:60] in found[1]


def test_a_failure_line_of_the_status_file_counts_as_well() -> None:
    found = classify(TrainerExit(1, ("done",), ("File system error: no folder",)))
    assert found == (FailureClass.DATA, "File system error: no folder")


def test_a_measured_training_that_ends_well_is_no_failure() -> None:
    assert classify(TrainerExit(0, metric="m", measured=True)) is None


def test_a_missing_metric_names_those_that_appeared() -> None:
    found = classify(
        TrainerExit(0, metric="val_3DIoU", metrics_seen=frozenset({"val_3diou", "loss"}))
    )
    assert found is not None
    assert found[0] is FailureClass.NO_METRIC
    assert "'val_3DIoU' never appeared" in found[1]
    assert "loss, val_3diou" in found[1]
    assert "did you mean val_3diou?" in found[1]


def test_a_missing_metric_says_so_when_none_appeared() -> None:
    found = classify(TrainerExit(0, metric="val_3DIoU"))
    assert found is not None
    assert found[1].endswith("no metric did")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_kill_from_outside(number: signal.Signals) -> None:
    found = classify(TrainerExit(128 + number, ("Epoch 3",)))
    assert found == (FailureClass.KILLED, f"ended by {number.name}: Epoch 3")


def test_a_kill_for_memory_counts_as_out_of_memory() -> None:
    found = classify(TrainerExit(128 + signal.SIGKILL, was_memory_kill=True))
    assert found is not None
    assert found[0] is FailureClass.OOM


def test_an_interruption_from_outside_is_no_success_though_the_code_is_zero() -> None:
    message = "User/System interruption: Train was interrupted"
    found = classify(TrainerExit(0, (), (message,), measured=True))
    assert found is not None
    assert found[0] is FailureClass.KILLED


def test_an_unknown_crash_shows_the_exception_and_not_the_last_word() -> None:
    tail = ["Traceback (most recent call last):", "KeyError: 'gpus'", "Execution status: FAIL"]
    assert classify(TrainerExit(1, tail)) == (
        FailureClass.UNKNOWN,
        "exit code 1: KeyError: 'gpus'",
    )


def test_a_silent_crash_says_so() -> None:
    found = classify(TrainerExit(128 + signal.SIGSEGV))
    assert found == (FailureClass.UNKNOWN, "ended by SIGSEGV, no output")


def test_evidence_is_one_short_line() -> None:
    found = classify(TrainerExit(1, ("CUDA out of memory " + "x" * 1000,)))
    assert found is not None
    assert len(found[1]) <= 300


def test_memory_kills_of_an_unknown_group_count_as_none(tmp_path: Path) -> None:
    assert memory_kills(tmp_path / "cgroup") == 0
    (tmp_path / "cgroup").write_text("0::/there/is/no/such/group\n")
    assert memory_kills(tmp_path / "cgroup") == 0
