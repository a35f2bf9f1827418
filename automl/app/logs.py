"""The logs of a trial: its attempts' one after the other, as they are or as they grow."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.inside import read_file
from automl.study.clock import Clock, utc_now
from automl.study.known_errors import LOGGED, fitting
from automl.study.layout import AttemptPaths, StudyPaths
from automl.study.lock import read_owner
from automl.study.outcomes import read_outcome
from automl.study.records import OutcomeState

__all__ = ["AttemptLog", "LogLine", "error_lines", "follow", "read_logs"]

#: How much of a log is read at once.
_PIECE = 1 << 20
#: An attempt that ended so may be followed by another one.
_GOES_ON = frozenset({OutcomeState.INTERRUPTED, OutcomeState.PAUSED})


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of an attempt's log.

    Attributes:
        attempt: From 1.
        number: The line's number, from 1.
        text: The line; of a progress bar's many states the last.
    """

    attempt: int
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class AttemptLog:
    """The log of one attempt.

    Attributes:
        attempt: From 1.
        log: Its path relative to the study folder; empty where it wrote none.
        lines: Its lines.
        state: How the attempt ended; empty while it has not.
        evidence: Why, as one line; often empty.
    """

    attempt: int
    log: str
    lines: tuple[LogLine, ...]
    state: str = ""
    evidence: str = ""

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write."""
        return {
            "attempt": self.attempt,
            "log": self.log,
            "state": self.state or None,
            "evidence": self.evidence,
            "lines": [{"line": line.number, "text": line.text} for line in self.lines],
        }


class _Growing:
    """The lines that an attempt's log has gained since they were last asked for."""

    def __init__(self, attempt: int, path: Path) -> None:
        self._attempt = attempt
        self._path = path
        self._offset = 0
        self._rest = b""
        self._n_lines = 0

    def new(self, *, is_over: bool = False) -> Iterator[LogLine]:
        """The whole lines that are new; an unfinished last one too where nothing will follow."""
        for piece in self._pieces():
            *whole, self._rest = (self._rest + piece).split(b"\n")
            yield from map(self._line, whole)
        if is_over and self._rest:
            rest, self._rest = self._rest, b""
            yield self._line(rest)

    def _pieces(self) -> Iterator[bytes]:
        try:
            file = read_file(self._path)
        except FileNotFoundError:
            return
        with file:
            file.seek(self._offset)
            while piece := file.read(_PIECE):
                self._offset += len(piece)
                yield piece

    def _line(self, line: bytes) -> LogLine:
        self._n_lines += 1
        text = line.decode(errors="replace").rstrip("\r").rpartition("\r")[2].rstrip()
        return LogLine(self._attempt, self._n_lines, text)


def read_logs(paths: StudyPaths, number: int) -> tuple[AttemptLog, ...]:
    """The log of each attempt of a trial, as far as it is written.

    Raises:
        OSError: A link or no file stands in the place of a log.
    """
    return tuple(_read(paths, attempt, at) for attempt, at in paths.attempts(number))


def _read(paths: StudyPaths, attempt: int, at: AttemptPaths) -> AttemptLog:
    lines = tuple(_Growing(attempt, at.log).new(is_over=True))
    outcome, _ = read_outcome(at)
    return AttemptLog(
        attempt,
        paths.relative(at.log) if at.log.is_file() else "",
        lines,
        "" if outcome is None else str(outcome.state),
        "" if outcome is None else outcome.evidence,
    )


def error_lines(log: AttemptLog) -> tuple[LogLine, ...]:
    """The lines of a log that show a known error, or that are the evidence of the end."""
    evidence = " ".join(log.evidence.split())
    return tuple(
        line
        for line in log.lines
        if fitting(line.text, LOGGED) is not None or _is_evidence(line.text, evidence)
    )


def _is_evidence(text: str, evidence: str) -> bool:
    flat = " ".join(text.split())
    return bool(flat) and bool(evidence) and (flat == evidence or evidence.endswith(f": {flat}"))


def follow(
    paths: StudyPaths, number: int, wait: Callable[[], None], clock: Clock = utc_now
) -> Iterator[LogLine]:
    """The lines of a trial's logs as they are written, from the first attempt to the last.

    Ends when the trial has ended, or when nobody drives its study any more.

    Args:
        paths: The study.
        number: The trial.
        wait: Called while there is nothing new.
        clock: The time of day, for telling a driver that runs from one that died.
    """
    logs: dict[int, _Growing] = {}
    while True:
        is_over = _is_over(paths, number, clock)  # looked at first: what follows is then the rest
        known = dict(paths.attempts(number))
        for attempt, at in known.items():
            log = logs.setdefault(attempt, _Growing(attempt, at.log))
            yield from log.new(is_over=is_over or attempt < max(known))
        if is_over:
            return
        wait()


def _is_over(paths: StudyPaths, number: int, clock: Clock) -> bool:
    attempts = list(paths.attempts(number))
    outcome = read_outcome(attempts[-1][1])[0] if attempts else None
    if outcome is not None and outcome.state not in _GOES_ON:
        return True
    owner = read_owner(paths)
    return owner is None or not owner.is_alive(clock())
