"""Errors that are known by the line they leave behind: class, cause and fix of each, as data.

One table serves the driver, which classes a dead attempt by it, and the readers, which show cause
and fix beside the evidence. The first error that fits a line wins. Specific ones stand first: a
full shared memory also says "no space left", and some trainers put "Schema validation error"
before every exception's text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from automl.study.records import FailureClass

__all__ = ["LOGGED", "OBSERVED", "KnownError", "fitting", "known_error"]


@dataclass(frozen=True, slots=True)
class KnownError:
    """One way in which an action dies.

    Attributes:
        name: A word for it, the same for ever.
        failure: The class it is counted under.
        pattern: Found in a line of the trainer's log or of its status file.
        cause: What happened, for a reader who did not see it.
        fix: What to do about it.
    """

    name: str
    failure: FailureClass
    pattern: re.Pattern[str]
    cause: str
    fix: str


def _error(name: str, failure: FailureClass, pattern: str, cause: str, fix: str) -> KnownError:
    return KnownError(name, failure, re.compile(pattern), cause, fix)


#: What a trainer itself writes, the most specific first.
LOGGED: tuple[KnownError, ...] = (
    _error(
        "no-nvidia-runtime",
        FailureClass.GPU,
        r"could not select device driver|unknown or invalid runtime name: nvidia"
        r"|nvidia-container-cli: |libnvidia-ml\.so\.1: cannot open",
        "the container engine has no NVIDIA runtime, so no container can see a GPU",
        "install the NVIDIA container toolkit and restart the engine; automl doctor tries it",
    ),
    _error(
        "image-missing",
        FailureClass.IMAGE,
        r"No such image|pull access denied|manifest (?:for .+ )?(?:unknown|not found)"
        r"|ImageNotFound|repository .+ not found",
        "the container image is not on this machine",
        "get it once with docker pull; no trial ever pulls an image",
    ),
    _error(
        "image-does-not-start",
        FailureClass.IMAGE,
        r"exec format error|executable file not found in \$PATH|OCI runtime (?:create|exec) failed"
        r"|failed to create (?:shim )?task|centerpose: (?:command )?not found"
        r"|\[FATAL tini .*\] exec .+ failed",
        "the container image does not hold the command of the skill, or not for this machine",
        "check the image with docker run IMAGE centerpose --help, or give another with --image",
    ),
    _error(
        "numpy-in-image",
        FailureClass.IMAGE,
        r"only (?:0-dimensional|length-1|size-1) arrays can be converted",
        "the image's NumPy (2.4 or newer) refuses what its own post-processing does: it turns"
        " arrays of one element into numbers",
        "take an image with an older NumPy; the training and the exported model are not at fault,"
        " and evaluate on the ONNX file proves it",
    ),
    _error(
        "shared-memory",
        FailureClass.SHM,
        r"[Bb]us error|out of shared memory|insufficient shared memory|shared memory \(shm\)"
        r"|/dev/shm|torch_\d+.*No space left on device",
        "the data loader's workers ran out of shared memory",
        "give the container more (--shm-size) or lower the number of data workers",
    ),
    _error(
        "disk-full",
        FailureClass.DISK,
        r"No space left on device|\[Errno 28\]|Disk quota exceeded|\[Errno 122\]",
        "the disk is full",
        "free space, or keep fewer checkpoints with --keep best",
    ),
    _error(
        "out-of-memory",
        FailureClass.OOM,
        r"[Oo]ut of memory|OutOfMemory|\bMemoryError\b|Cannot allocate memory"
        r"|(?:CUBLAS|CUDNN)_STATUS_ALLOC_FAILED|DefaultCPUAllocator: (?:can't|not enough)"
        r"|Unable to allocate .+ for an array",
        "the training needed more memory than there is",
        "lower the batch size, or take a smaller network",
    ),
    _error(
        "engine-profile",
        FailureClass.SPEC,
        r"(?i)optimi[sz]ation profile.*(?:invalid|mismatch|exceed|outside|not )"
        r"|exceeds? min ~ max range|static dimension mismatch|setInputShape"
        r"|supplied binding dimension",
        "the TensorRT engine was built for other batch sizes or another image size than it is run"
        " with",
        "run it with a batch between the engine's min_batch_size and max_batch_size, or build it"
        " again",
    ),
    _error(
        "engine-of-another-machine",
        FailureClass.GPU,
        r"(?i)engine plan file is (?:not compatible|generated on an incompatible)"
        r"|serialized engine.*version|stdVersionRead == kSERIALIZATION_VERSION",
        "the TensorRT engine was built by another version or for another kind of GPU",
        "build the engine where it is run: automl gen-trt-engine from the same ONNX file",
    ),
    _error(
        "int8-calibration",
        FailureClass.SPEC,
        r"(?i)(?:cal_image_dir|cal_cache_file|calibrat\w*)\b.*(?:is missing|not found|no such file"
        r"|does not exist|is required|must be given|is empty|not enough)"
        r"|int8.*(?:needs|requires|without).*calibrat",
        "an INT8 engine needs images to calibrate on, and a place for the calibration cache",
        "give the train split as cal_image_dir (a list) of the calibration, with at least"
        " cal_batches x cal_batch_size images, or build FP16",
    ),
    _error(
        "gpu-failed",
        FailureClass.GPU,
        r"CUDA error|CUDA driver version is insufficient|no CUDA-capable device|NVRM: Xid"
        r"|uncorrectable ECC|GPU is lost|NCCL error|No CUDA GPUs are available",
        "a GPU or its driver failed",
        "look at nvidia-smi and the kernel log, then resume the study",
    ),
    _error(
        "loss-not-finite",
        FailureClass.DIVERGED,
        r"(?i)\bloss (?:is|became|was) (?:nan|inf|not finite|non-finite)|non-finite loss"
        r"|(?:contains?|contained|found) (?:nan|inf)\b|\bDiverged:",
        "the loss left the finite numbers",
        "lower the learning rate, or narrow its range with --search",
    ),
    _error(
        "foreign-checkpoint",
        FailureClass.DATA,
        r"a training must go on from a checkpoint that this program wrote"
        r"|Trying to restore (?:optimizer|training) state but checkpoint contains only the model"
        r"|loaded state dict (?:has a different number of|contains a) parameter group",
        "the checkpoint to resume was written by another program or of another training: it lacks"
        " what a training goes on from",
        "begin anew from its weights alone, with --parent-checkpoint",
    ),
    _error(
        "another-network",
        FailureClass.DATA,
        r"size mismatch for |Error\(s\) in loading state_dict|Missing key\(s\) in state_dict"
        r"|weights must fit model\.",
        "the checkpoint that was loaded belongs to another network",
        "give a checkpoint of the same network; a left-over *_latest.pth in a results folder is"
        " resumed in silence, which is why every attempt here has its own",
    ),
    _error(
        "broken-checkpoint",
        FailureClass.DATA,
        r"PytorchStreamReader failed|invalid load key|UnpicklingError|BadZipFile"
        r"|failed finding central directory|EOFError: Ran out of input|KeyError: 'state_dict'"
        r"|a checkpoint(?:'s name)? must|pretrained weights must be a state dict"
        r"|an ONNX file must load|an exported CenterPose network must"
        r"|the link to the latest checkpoint must"
        r"|(?:File system error|FileNotFoundError|PermissionError|No such file)"
        r".*\.(?:pth|pt|ckpt|tlt|onnx|safetensors)\b",
        "a checkpoint that was named is missing, cut short, a Git LFS pointer, or something else",
        "fetch or write the file again (git lfs pull for a pointer), or name another one",
    ),
    _error(
        "data-refused",
        FailureClass.DATA,
        r"Data error:",
        "the trainer refused a file of the data set",
        "fix or replace the file that the line names; no setting changes it",
    ),
    _error(
        "number-of-joints",
        FailureClass.SPEC,
        r"num_joints\b.*(?:must|mismatch|expected|but got|does not)"
        r"|size of tensor a \((?:16|18)\) must match the size of tensor b \((?:16|18)\)",
        "num_joints does not agree with the annotations: a box has 8 corners, and the"
        " centre is not counted among them",
        "leave num_joints at 8",
    ),
    _error(
        "few-images",
        FailureClass.SPEC,
        r"(?i)(?:data ?set|samples|images).*\b(?:smaller|fewer|less|at least)\b.*batch"
        r"|batch.*\b(?:larger|greater|bigger|more)\b.*(?:data ?set|samples|images)",
        "the data set has fewer samples than one batch on all GPUs",
        "lower the batch size or add data",
    ),
    _error(
        "left-over-checkpoint",
        FailureClass.SPEC,
        r"(?i)(?:resum|restor)\w+ .*_latest\.pth",
        "the training went on from a left-over *_latest.pth of its results folder",
        "train into an empty folder: automl run and automl retrain always do",
    ),
    _error(
        "tarball-as-folder",
        FailureClass.DATA,
        r"\.(?:tar\.gz|tgz|tar)\b.*(?:is not a (?:directory|folder)|No such file|no images)"
        r"|(?:NotADirectoryError|FileNotFoundError|File system error|no images)"
        r".*\.(?:tar\.gz|tgz|tar)\b",
        "the trainer was given a tarball where it reads a folder",
        "give it to automl as --train-data and so on, which extracts it",
    ),
    _error(
        "data-file",
        FailureClass.DATA,
        r"File system error:|FileNotFoundError|NotADirectoryError|UnidentifiedImageError"
        r"|JSONDecodeError|image file is truncated|PermissionError",
        "a file of the data set is missing or broken",
        "check the data folders; automl checks the layout before it starts",
    ),
    _error(
        "unknown-key",
        FailureClass.SPEC,
        r"Key '.+' is not in struct|ConfigKeyError|ConfigAttributeError"
        r"|[Uu]nknown (?:key|setting)|is one that (?:its schema|CenterPose) knows",
        "the spec holds a key that the trainer does not know",
        "fix the key that the line names; automl run refuses what the schema does not know",
    ),
    _error(
        "spec-refused",
        FailureClass.SPEC,
        r"Configuration error:|Parameter validation error:|Schema validation error:"
        r"|Feature not implemented:|MissingMandatoryValue",
        "the trainer refused the spec",
        "fix the key that the line names, with --set or --search",
    ),
)

#: What the driver writes of an attempt where the trainer itself says nothing.
OBSERVED: tuple[KnownError, ...] = (
    _error(
        "metric-missing",
        FailureClass.NO_METRIC,
        r"never appeared|without a value of",
        "the training ended and its status file never held the metric of the study",
        "validate at least once (at an interval of no more than the training's epochs), and name"
        " a metric that the trainer writes with --metric",
    ),
    _error(
        "value-not-finite",
        FailureClass.DIVERGED,
        r"(?: is (?:nan|-?inf))\b at epoch",
        "the loss or the metric left the finite numbers",
        "lower the learning rate, or narrow its range with --search",
    ),
    _error(
        "time-limit",
        FailureClass.HANG,
        r"still running after the limit",
        "the training ran into the time limit of one trial and was stopped",
        "raise --trial-timeout if it only was slow; a hang shows the same last line every time",
    ),
    _error(
        "memory-kill",
        FailureClass.OOM,
        r"kernel killed the trainer (?:for want of memory|because memory ran out)",
        "the operating system ran out of main memory and killed the training",
        "lower the number of data workers or the batch size, run fewer trials at once with"
        " --max-concurrent, or ask the batch system for more memory",
    ),
    _error(
        "killed",
        FailureClass.KILLED,
        r"ended by SIG(?:KILL|TERM)|User/System interruption",
        "somebody or something outside ended the training",
        "look for a batch system's limit or the kernel's log, then automl resume",
    ),
    _error(
        "not-started",
        FailureClass.UNKNOWN,
        r"could not be started",
        "the trainer's program could not be started",
        "run automl doctor, which tries it",
    ),
)


def fitting(line: str, among: Sequence[KnownError] = (*LOGGED, *OBSERVED)) -> KnownError | None:
    """The first known error that a line shows; None if it shows none."""
    return next((error for error in among if error.pattern.search(line)), None)


def known_error(failure: FailureClass, evidence: str) -> KnownError | None:
    """The known error of a class that an evidence line shows; None if it shows none of them."""
    return fitting(evidence, [e for e in (*LOGGED, *OBSERVED) if e.failure is failure])
