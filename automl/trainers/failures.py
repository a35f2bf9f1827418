"""From a dead attempt to the class of its failure and the one line that shows it."""

import re
import signal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from automl.nearest import did_you_mean
from automl.study.known_errors import LOGGED
from automl.study.records import FailureClass

__all__ = ["TrainerExit", "classify", "memory_kills"]

LOG_LINES = 400
_EVIDENCE_LENGTH = 300
_SIGNALS_FROM = 128
_EXCEPTION = re.compile(r"^\s*(?:[\w.]+\.)?\w*(?:Error|Exception|Interrupt|Exit)\b.*:")


_INTERRUPTION = re.compile(r"User/System interruption")


@dataclass(frozen=True, slots=True)
class TrainerExit:
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


def classify(ending: TrainerExit) -> tuple[FailureClass, str] | None:
    """The failure class of an attempt and its evidence, one line; None if it succeeded."""
    if ending.exit_code == 0 and not ending.failure_messages:
        return None if ending.measured else (FailureClass.NO_METRIC, _missing_metric(ending))
    if ending.exit_code == _SIGNALS_FROM + signal.SIGKILL and ending.was_memory_kill:
        return FailureClass.OOM, "the kernel killed the trainer because memory ran out"
    lines = [*ending.failure_messages, *ending.log_tail]
    for known in LOGGED:
        line = _last(lines, known.pattern)
        if line:
            return known.failure, _short(line)
    if _last(ending.failure_messages, _INTERRUPTION) or _is_kill(ending.exit_code):
        return FailureClass.KILLED, _how_it_ended(ending)
    return FailureClass.UNKNOWN, _how_it_ended(ending)


def _last(lines: Sequence[str], pattern: re.Pattern[str]) -> str:
    return next((line for line in reversed(lines) if pattern.search(line)), "")


def _short(line: str) -> str:
    return " ".join(line.split())[:_EVIDENCE_LENGTH]


def _is_kill(exit_code: int) -> bool:
    return exit_code in {_SIGNALS_FROM + number for number in (signal.SIGKILL, signal.SIGTERM)}


def _how_it_ended(ending: TrainerExit) -> str:
    code = ending.exit_code
    how = f"exit code {code}"
    if code > _SIGNALS_FROM:
        try:
            how = f"ended by {signal.Signals(code - _SIGNALS_FROM).name}"
        except ValueError:
            how = f"exit code {code}"
    last = _last(ending.log_tail, _EXCEPTION) or next(iter(reversed(ending.log_tail)), "")
    message = ending.failure_messages[-1] if ending.failure_messages else last
    return _short(f"{how}: {message}" if message else f"{how}, no output")


def _missing_metric(ending: TrainerExit) -> str:
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
