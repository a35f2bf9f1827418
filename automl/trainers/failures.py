"""From a dead attempt to the class of its failure and the one line that shows it."""

import re
import signal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from automl.nearest import did_you_mean
from automl.study.records import FailureClass

__all__ = ["RULES", "Ending", "FailureRule", "classify", "memory_kills", "rule_of"]

LOG_LINES = 400
_EVIDENCE_LENGTH = 300
_SIGNALS_FROM = 128
_EXCEPTION = re.compile(r"^\s*(?:[\w.]+\.)?\w*(?:Error|Exception|Interrupt|Exit)\b.*:")


@dataclass(frozen=True, slots=True)
class FailureRule:
    """One way in which trainings die.

    Attributes:
        failure: The class it is counted under.
        pattern: Found in a line of the trainer's log or of its status file.
        cause: What happened, for a reader who did not see it.
        mend: What to do about it.
    """

    failure: FailureClass
    pattern: re.Pattern[str]
    cause: str
    mend: str


def _rule(failure: FailureClass, pattern: str, cause: str, mend: str) -> FailureRule:
    return FailureRule(failure, re.compile(pattern), cause, mend)


# The first rule that fits any line wins. Specific ones stand first: a full shared memory also says
# "no space left", and some trainers put "Schema validation error" before every exception's text.
RULES: tuple[FailureRule, ...] = (
    _rule(
        FailureClass.SHM,
        r"[Bb]us error|out of shared memory|insufficient shared memory|shared memory \(shm\)"
        r"|/dev/shm|torch_\d+.*No space left on device",
        "the data loader's workers ran out of shared memory",
        "give the container more (--shm-size) or lower dataset.workers",
    ),
    _rule(
        FailureClass.DISK,
        r"No space left on device|\[Errno 28\]|Disk quota exceeded|\[Errno 122\]",
        "the disk is full",
        "free space, or keep fewer checkpoints with --keep best",
    ),
    _rule(
        FailureClass.OOM,
        r"[Oo]ut of memory|OutOfMemoryError|\bMemoryError\b|Cannot allocate memory"
        r"|(?:CUBLAS|CUDNN)_STATUS_ALLOC_FAILED|DefaultCPUAllocator: (?:can't|not enough)"
        r"|Unable to allocate .+ for an array",
        "the training needed more memory than there is",
        "lower dataset.batch_size, or take a smaller model.backbone.model_type",
    ),
    _rule(
        FailureClass.GPU,
        r"CUDA error|CUDA driver version is insufficient|no CUDA-capable device|NVRM: Xid"
        r"|uncorrectable ECC|GPU is lost|NCCL error|No CUDA GPUs are available",
        "a GPU or its driver failed",
        "look at nvidia-smi and the kernel log, then resume the study",
    ),
    _rule(
        FailureClass.DIVERGED,
        r"(?i)\bloss (?:is|became|was) (?:nan|inf|not finite|non-finite)|non-finite loss"
        r"|(?:contains?|contained|found) (?:nan|inf)\b|\bDiverged:",
        "the loss left the finite numbers",
        "lower train.optim.lr, or narrow its range with --search",
    ),
    _rule(
        FailureClass.SPEC,
        r"(?i)(?:data ?set|samples|images).*\b(?:smaller|fewer|less|at least)\b.*batch"
        r"|batch.*\b(?:larger|greater|bigger|more)\b.*(?:data ?set|samples|images)",
        "the data set has fewer samples than one batch on all GPUs",
        "lower dataset.batch_size or add data",
    ),
    _rule(
        FailureClass.DATA,
        r"File system error:|FileNotFoundError|NotADirectoryError|UnidentifiedImageError"
        r"|JSONDecodeError|image file is truncated|PermissionError",
        "a file of the data set is missing or broken",
        "check the data folders; automl checks the layout before it starts",
    ),
    _rule(
        FailureClass.SPEC,
        r"Configuration error:|Parameter validation error:|Schema validation error:"
        r"|Feature not implemented:|ConfigKeyError|ConfigAttributeError"
        r"|MissingMandatoryValue|Key '.+' is not in struct",
        "the trainer refused the spec",
        "mend the key that the line names, with --set or --search",
    ),
)

_INTERRUPTION = re.compile(r"User/System interruption")


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known of an attempt that ended by itself.

    Attributes:
        exit_code: The trainer's, 128 plus the signal's number if one killed it.
        log_tail: Last lines of its output.
        failure_messages: Messages of the FAILURE lines in its status file.
        metric: The metric that the study needs.
        metrics_seen: Every metric that appeared.
        measured: Whether the metric was measured at least once.
        was_memory_kill: Whether the kernel killed a process for memory meanwhile.
    """

    exit_code: int
    log_tail: Sequence[str] = ()
    failure_messages: Sequence[str] = ()
    metric: str = ""
    metrics_seen: frozenset[str] = frozenset()
    measured: bool = False
    was_memory_kill: bool = False


def classify(ending: Ending) -> tuple[FailureClass, str] | None:
    """The failure class of an attempt and its evidence, one line; None if it succeeded."""
    if ending.exit_code == 0 and not ending.failure_messages:
        return None if ending.measured else (FailureClass.NO_METRIC, _missing_metric(ending))
    if ending.exit_code == _SIGNALS_FROM + signal.SIGKILL and ending.was_memory_kill:
        return FailureClass.OOM, "the kernel killed the trainer for want of memory"
    lines = [*ending.failure_messages, *ending.log_tail]
    for rule in RULES:
        found = _last(lines, rule.pattern)
        if found:
            return rule.failure, _short(found)
    if _last(ending.failure_messages, _INTERRUPTION) or _is_kill(ending.exit_code):
        return FailureClass.KILLED, _how_it_ended(ending)
    return FailureClass.UNKNOWN, _how_it_ended(ending)


def rule_of(failure: FailureClass, evidence: str) -> FailureRule | None:
    """The rule that an evidence line fits, else the first of its class; None if there is none."""
    rules = [rule for rule in RULES if rule.failure is failure]
    fitting = (rule for rule in rules if rule.pattern.search(evidence))
    return next(fitting, rules[0] if rules else None)


def _last(lines: Sequence[str], pattern: re.Pattern[str]) -> str:
    return next((line for line in reversed(lines) if pattern.search(line)), "")


def _short(line: str) -> str:
    return " ".join(line.split())[:_EVIDENCE_LENGTH]


def _is_kill(exit_code: int) -> bool:
    return exit_code in {_SIGNALS_FROM + number for number in (signal.SIGKILL, signal.SIGTERM)}


def _how_it_ended(ending: Ending) -> str:
    code = ending.exit_code
    how = f"exit code {code}"
    if code > _SIGNALS_FROM:
        try:
            how = f"ended by {signal.Signals(code - _SIGNALS_FROM).name}"
        except ValueError:
            how = f"exit code {code}"
    last = _last(ending.log_tail, _EXCEPTION) or next(iter(reversed(ending.log_tail)), "")
    said = ending.failure_messages[-1] if ending.failure_messages else last
    return _short(f"{how}: {said}" if said else f"{how}, no output")


def _missing_metric(ending: Ending) -> str:
    seen = sorted(ending.metrics_seen)
    text = f"the metric {ending.metric!r} never appeared; "
    text += f"metrics seen: {', '.join(seen)}" if seen else "no metric did"
    hint = did_you_mean(ending.metric, seen)
    return text + (f"; {hint}" if hint else "")


def memory_kills(proc: Path = Path("/proc/self/cgroup")) -> int:
    """How often the kernel has killed a process of this control group for memory; 0 if unknown."""
    try:
        lines = proc.read_text().splitlines()
        group = next((line.partition("::")[2] for line in lines if line.startswith("0::")), "/")
        events = Path("/sys/fs/cgroup", group.lstrip("/"), "memory.events").read_text()
    except OSError:
        return 0
    return sum(_counts(events.splitlines()))


def _counts(lines: Iterable[str]) -> Iterable[int]:
    for line in lines:
        name, _, count = line.partition(" ")
        if name == "oom_kill" and count.isdigit():
            yield int(count)
