"""Which error a line is known as: its class, and that it says what happened and what to do."""

import pytest

from automl.study.known_errors import LOGGED, OBSERVED, fitting, known_error
from automl.study.records import FailureClass
from automl.trainers.failures import TrainerExit, classify

LINES = [
    ('could not select device driver "" with capabilities: [[gpu]]', "no-nvidia-runtime"),
    ("docker: unknown or invalid runtime name: nvidia", "no-nvidia-runtime"),
    ("Error: No such image: nvcr.io/nvidia/tao/tao-toolkit:7.1.0-pyt", "image-missing"),
    ("exec /usr/bin/centerpose: exec format error", "image-does-not-start"),
    (
        'exec: "centerpose": executable file not found in $PATH: unknown',
        "image-does-not-start",
    ),
    (
        "TypeError: only 0-dimensional arrays can be converted to Python scalars",
        "numpy-in-image",
    ),
    ("TypeError: only length-1 arrays can be converted to Python scalars", "numpy-in-image"),
    ("DataLoader worker (pid 9) is killed by signal: Bus error.", "shared-memory"),
    ("OSError: [Errno 28] No space left on device", "disk-full"),
    ("torch.OutOfMemoryError: CUDA out of memory.", "out-of-memory"),
    ("[TRT] [E] Error Code 2: OutOfMemory (Requested size was 4 GiB)", "out-of-memory"),
    (
        "IExecutionContext::setInputShape: Error Code 3: API Usage Error",
        "engine-profile",
    ),
    ("Supplied binding dimension [8,3,512,512] exceed min ~ max range", "engine-profile"),
    (
        "The engine plan file is not compatible with this version of TensorRT",
        "engine-of-another-machine",
    ),
    ("calibration.cal_image_dir is missing for INT8", "int8-calibration"),
    ("ValueError: calibration images: not enough for 10 batches", "int8-calibration"),
    ("RuntimeError: CUDA error: an illegal memory access", "gpu-failed"),
    ("ValueError: loss is nan", "loss-not-finite"),
    ("dataset.num_joints must be 8, but got 9", "number-of-joints"),
    (
        "The size of tensor a (16) must match the size of tensor b (18) at dimension 2",
        "number-of-joints",
    ),
    ("the dataset has fewer samples (3) than one batch on all GPUs (4)", "few-images"),
    ("RuntimeError: Error(s) in loading state_dict for CenterPose", "another-network"),
    (
        "Data error: weights must fit model.backbone.model_type, but got 0 layers",
        "another-network",
    ),
    ("KeyError: 'state_dict'", "broken-checkpoint"),
    ("Data error: a checkpoint must be whole and hold plain tensors", "broken-checkpoint"),
    ("Data error: the link to the latest checkpoint must lead to a file", "broken-checkpoint"),
    ("File system error: [Errno 2] No such file: '/m/fan.pth'", "broken-checkpoint"),
    (
        "Data error: a training must go on from a checkpoint that this program wrote of it",
        "foreign-checkpoint",
    ),
    ("Data error: objects[0].projected_cuboid: num_joints mismatch: 7 joints", "data-refused"),
    ("Resuming training from /results/centerpose_model_latest.pth", "left-over-checkpoint"),
    (
        "NotADirectoryError: [Errno 20] Not a directory: '/data/train.tar.gz'",
        "tarball-as-folder",
    ),
    ("File system error: no images in /data/val.tgz", "tarball-as-folder"),
    ("Data error: objects[0].symmetric must be 'True' or 'False', but got 'x'", "data-refused"),
    ("FileNotFoundError: [Errno 2] /data/val/0113.json", "data-file"),
    ("Configuration error: Key 'typo' is not in struct", "unknown-key"),
    ("Parameter validation error: expected int", "spec-refused"),
    ("the metric 'val_3DIoU' never appeared; no metric did", "metric-missing"),
    ("val_3DIoU is nan at epoch 4", "value-not-finite"),
    ("the training loss is inf at epoch 0", "loss-not-finite"),
    ("still running after the limit of 60 s for one trial; it wrote no output", "time-limit"),
    ("the kernel killed the trainer for want of memory", "memory-kill"),
    ("ended by SIGKILL: Epoch 3", "killed"),
    ("the trainer could not be started: [Errno 2]", "not-started"),
]


@pytest.mark.parametrize(("line", "name"), LINES)
def test_a_line_is_known_by_name(line: str, name: str) -> None:
    error = fitting(line)
    assert error is not None
    assert error.name == name


def test_every_known_error_has_a_line_that_shows_it() -> None:
    assert {name for _, name in LINES} == {error.name for error in (*LOGGED, *OBSERVED)}


@pytest.mark.parametrize(
    ("line", "name"), [pair for pair in LINES if pair[1] in {e.name for e in LOGGED}]
)
def test_a_logged_line_classes_the_attempt(line: str, name: str) -> None:
    error = next(error for error in LOGGED if error.name == name)
    assert classify(TrainerExit(1, ("Epoch 1", line, "Execution status: FAIL"))) == (
        error.failure,
        line,
    )


def test_a_fault_of_a_file_never_comes_with_the_advice_to_change_a_setting() -> None:
    of_files = [error for error in LOGGED if error.failure is FailureClass.DATA]
    assert len(of_files) > 4
    for error in of_files:
        assert "--set" not in error.fix
        assert "--search" not in error.fix
    assert all(error.failure is FailureClass.DATA for error in LOGGED if "checkpoint" in error.name
               and error.name != "left-over-checkpoint")  # fmt: skip


def test_names_are_told_apart_and_each_says_what_happened_and_what_to_do() -> None:
    every = (*LOGGED, *OBSERVED)
    assert len({error.name for error in every}) == len(every)
    assert all(error.cause and error.fix for error in every)


@pytest.mark.parametrize(
    "line",
    [
        "Epoch 3: 40%|####      | 10/25 [00:03<00:05]",
        "Training Loop in progress, loss 0.31, images 96, batch 12",
        "Loading checkpoint shards from /data/seq",
        "dataset.num_joints: 8",
        "gen_trt_engine.tensorrt.calibration.cal_image_dir: null",
        "[TRT] [V] Setting optimization profile 0",
        "Saved /results/model_epoch_003_step_00012.pth and the link to the latest",
    ],
)
def test_what_every_training_prints_is_no_error(line: str) -> None:
    assert fitting(line) is None


def test_evidence_of_another_class_is_not_taken_for_it() -> None:
    assert known_error(FailureClass.DISK, "CUDA out of memory") is None
    known = known_error(FailureClass.OOM, "CUDA out of memory")
    assert known is not None
    assert known.name == "out-of-memory"
