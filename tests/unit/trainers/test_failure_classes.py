"""Which class a dead attempt is counted under, and by what evidence."""

import signal

import pytest

from automl.errors import FixData, FixInput
from automl.study.known_errors import OBSERVED, fitting, known_error
from automl.study.records import FailureClass
from automl.trainers.failures import TrainerExit, classify, refusal


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
        # Faults of data and of checkpoints, in our own words and in the container's.
        (
            "Data error: objects[0].projected_cuboid must be 9 x 2 finite numbers: the centre and"
            " the 8 corners (num_joints 8), but got num_joints mismatch: 8 rows, so 7 joints",
            "data",
        ),
        ("Data error: a split must hold at least one object, but got none in 3 images", "data"),
        ("Data error: a checkpoint must be the file that a training saved, but got JSON", "data"),
        ("Data error: weights must fit model.backbone.model_type and the model's other", "data"),
        ("RuntimeError: Error(s) in loading state_dict for CenterPosePlModel:", "data"),
        ("_pickle.UnpicklingError: invalid load key, 'v'.", "data"),
        ("RuntimeError: PytorchStreamReader failed reading zip archive", "data"),
        ("EOFError: Ran out of input", "data"),
        ("KeyError: 'state_dict'", "data"),
        ("File system error: [Errno 2] No such file or directory: '/models/fan.pth'", "data"),
        ("ValueError: loaded state dict has a different number of parameter groups", "data"),
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
@pytest.mark.parametrize(
    ("kills", "words"),
    [
        (None, "whether for memory is not known here"),
        (0, "the kernel killed nothing for memory"),
    ],
)
def test_a_kill_from_outside_shows_what_is_known_and_no_line_of_the_log(
    number: signal.Signals, kills: int | None, words: str
) -> None:
    last = "Training loop in progress (epoch 3)"
    ending = TrainerExit(
        128 + number, ("3.0 images/s", "loss 0.4"), memory_kills=kills, last_status=last
    )
    how = f"ended by {number.name} (signal {number.value}) from outside"
    assert classify(ending) == (FailureClass.KILLED, f"{how}; {words}; last status: {last}")
    assert fitting(how, OBSERVED) is not None


def test_a_kill_for_memory_counts_as_out_of_memory_of_the_machine() -> None:
    found = classify(TrainerExit(128 + signal.SIGKILL, ("Epoch 3",), memory_kills=2))
    assert found is not None
    assert found == (
        FailureClass.OOM,
        "the kernel killed the trainer because memory ran out; no status yet",
    )
    known = known_error(*found)
    assert known is not None
    assert known.name == "memory-kill"


def test_a_killed_process_of_several_is_a_kill_too() -> None:
    message = "the process of device 1 of the training was ended by SIGKILL"
    found = classify(TrainerExit(1, (), (message,), memory_kills=0))
    assert found == (FailureClass.KILLED, f"exit code 1: {message}")
    found = classify(TrainerExit(1, (), (message,), memory_kills=1))
    assert found is not None
    assert found[0] is FailureClass.OOM


def test_a_refusal_before_the_start_is_classed_by_what_must_be_fixed() -> None:
    assert refusal(FixData("an image must be whole", where="a.png")) == (
        FailureClass.DATA,
        "Data error: an image must be whole (a.png)",
    )
    assert refusal(FixInput("num_epochs must be a whole number"))[0] is FailureClass.SPEC


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
