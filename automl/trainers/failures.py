"""From a dead attempt to the class of its failure and the one line that shows it."""

import re
import signal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from automl.control_groups import ControlGroups
from automl.errors import AutomlError, FixData
from automl.nearest import did_you_mean
from automl.study.known_errors import LOGGED
from automl.study.records import FailureClass

__all__ = [
    "LOG_LINES",
    "MemoryKills",
    "TrainerExit",
    "classify",
    "hang_evidence",
    "missing_metric",
    "refusal",
]

LOG_LINES = 400
_EVIDENCE_LENGTH = 300
_SIGNALS_FROM = 128
_EXCEPTION = re.compile(r"^\s*(?:[\w.]+\.)?\w*(?:Error|Exception|Interrupt|Exit)\b.*:")
_INTERRUPTION = re.compile(r"User/System interruption")
_PROCESS_KILLED = re.compile(r"was ended by SIG(?:KILL|TERM)")
_MEMORY_KILL = "the kernel killed the trainer because memory ran out"


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
        memory_kills: How many processes of this control group the kernel killed for memory
            meanwhile; None where it does not say.
        last_status: The last thing that the status file says, in words; empty if nothing.
    """

    exit_code: int
    log_tail: Sequence[str] = ()
    failure_messages: Sequence[str] = ()
    metric: str = ""
    metrics_seen: frozenset[str] = frozenset()
    measured: bool = False
    memory_kills: int | None = None
    last_status: str = ""


def classify(ending: TrainerExit) -> tuple[FailureClass, str] | None:
    """The failure class of an attempt and its evidence, one line; None if it succeeded."""
    if ending.exit_code == 0 and not ending.failure_messages:
        return (
            None
            if ending.measured
            else (FailureClass.NO_METRIC, missing_metric(ending.metric, ending.metrics_seen))
        )
    killed = _last(ending.failure_messages, _PROCESS_KILLED)
    if (_is_signal(ending.exit_code, signal.SIGKILL) or killed) and ending.memory_kills:
        return FailureClass.OOM, _short(f"{_MEMORY_KILL}{_until(ending)}")
    lines = [*ending.failure_messages, *ending.log_tail]
    for known in LOGGED:
        line = _last(lines, known.pattern)
        if line:
            return known.failure, _short(line)
    if _is_signal(ending.exit_code, signal.SIGKILL, signal.SIGTERM):
        return FailureClass.KILLED, _who_killed(ending)
    if killed or _last(ending.failure_messages, _INTERRUPTION):
        return FailureClass.KILLED, _how_it_ended(ending)
    return FailureClass.UNKNOWN, _how_it_ended(ending)


def refusal(error: AutomlError) -> tuple[FailureClass, str]:
    """The class and the evidence of a trial that was refused before it began."""
    if isinstance(error, FixData):
        return FailureClass.DATA, f"Data error: {error}"
    return FailureClass.SPEC, f"Configuration error: {error}"


def _last(lines: Sequence[str], pattern: re.Pattern[str]) -> str:
    return next((line for line in reversed(lines) if pattern.search(line)), "")


def _short(line: str) -> str:
    return " ".join(line.split())[:_EVIDENCE_LENGTH]


def _is_signal(exit_code: int, *signals: signal.Signals) -> bool:
    return exit_code - _SIGNALS_FROM in signals


def _who_killed(ending: TrainerExit) -> str:
    """What is known of a kill: the signal, and whether memory was its cause; no line of the log.

    A process that is killed has no say: the last line of its log is about something else.
    """
    killer = signal.Signals(ending.exit_code - _SIGNALS_FROM)
    about_memory = {
        None: "whether for memory is not known here",
        0: "the kernel killed nothing for memory",
    }.get(ending.memory_kills, f"the kernel killed {ending.memory_kills} processes for memory")
    return _short(
        f"ended by {killer.name} (signal {killer.value}) from outside; {about_memory}"
        f"{_until(ending)}"
    )


def _until(ending: TrainerExit) -> str:
    return f"; last status: {ending.last_status}" if ending.last_status else "; no status yet"


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


def hang_evidence(limit_s: float, last: Sequence[str]) -> str:
    """The evidence of a training that was ended for its time, with the last line of its log."""
    output = f"last output: {last[0][:200]}" if last else "it wrote no output"
    return f"still running after the limit of {limit_s:g} s for one trial; {output}"


def missing_metric(metric: str, seen: Iterable[str]) -> str:
    """The evidence of a training that measured other metrics than the one that is needed."""
    names = sorted(seen)
    text = f"the metric {metric!r} never appeared; "
    text += f"metrics seen: {', '.join(names)}" if names else "no metric did"
    hint = did_you_mean(metric, names)
    return text + (f"; {hint}" if hint else "")


class MemoryKills:
    """Counts what the kernel kills for memory in this control group, from now on."""

    def __init__(self) -> None:
        self._before = ControlGroups().memory_kills()

    def so_far(self) -> int | None:
        """How many processes it has killed since; None where it does not say."""
        now = ControlGroups().memory_kills()
        return None if self._before is None or now is None else now - self._before
