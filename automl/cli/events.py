"""Plain event lines, for logs and batch systems: one line an event, and a heartbeat now and then.

A line is a UTC time, a word, and ``name=value`` pairs; a value with spaces or quotes is a JSON
string. Nothing is coloured and nothing is redrawn, so NO_COLOR asks for nothing more.
"""

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from time import monotonic
from types import TracebackType
from typing import Self, TextIO

from automl.app.screen import Sight
from automl.cli.paths import shown
from automl.cli.progress import Progress, Snapshot
from automl.cli.quiet import Quiet
from automl.execution.driver import Event, Measured, Note, TrialEnded, TrialStarted
from automl.reports import words
from automl.reports.changed import changed_params
from automl.reports.verdict import FAKE
from automl.study.clock import Clock, utc_now
from automl.study.config import StudyConfig
from automl.study.folder import epochs_of
from automl.study.layout import StudyPaths
from automl.study.records import (
    Attempt,
    Measurement,
    Outcome,
    OutcomeState,
    TrialRecord,
    TrialState,
)

__all__ = ["EventScreen", "event_line", "heartbeat_line"]

_EVIDENCE = 160
_WORDS = {
    OutcomeState.OK: "ok",
    OutcomeState.PRUNED: "prune",
    OutcomeState.PAUSED: "pause",
    OutcomeState.FAILED: "fail",
    OutcomeState.INTERRUPTED: "interrupt",
}


def event_line(event: Event, snapshot: Snapshot) -> str:
    """An event as one line without its time."""
    match event:
        case TrialStarted(attempt):
            default = snapshot.default if attempt.number else None
            params = changed_params(attempt.params, default)
            names = words.short_names(list(attempt.params))
            pairs = {names[key]: words.param(value) for key, value in params.items()}
            which = _which(attempt.number, attempt.attempt)
            if attempt.seed is not None:
                which |= _again(attempt, snapshot)
                pairs["seed"] = str(attempt.seed)
            return _line("start", {**which, **pairs})
        case Measured(attempt, measurement):
            return _line("epoch", _measured(attempt.number, measurement, snapshot))
        case TrialEnded(record, outcome):
            return _line(_WORDS[outcome.state], _ended(record, outcome))
        case Note(text):
            return f"{'note':<9} {' '.join(text.split())}"


def _which(number: int, attempt: int) -> dict[str, str]:
    return {"trial": str(number)} | ({"attempt": str(attempt)} if attempt > 1 else {})


def _again(attempt: Attempt, snapshot: Snapshot) -> dict[str, str]:
    """Which trial of the search is trained again, with a fresh seed."""
    same = (
        record.number
        for record in snapshot.records
        if record.confirms is None and record.params == attempt.params
    )
    number = next(same, None)
    return {} if number is None else {"again": str(number)}


def _measured(number: int, measurement: Measurement, snapshot: Snapshot) -> dict[str, str]:
    metric = snapshot.config.objective.metric
    return {
        "trial": str(number),
        "epoch": str(measurement.epoch),
        metric: words.value(measurement.metrics.get(metric)),
        "elapsed": words.duration(measurement.elapsed_s),
    }


def _ended(record: TrialRecord, outcome: Outcome) -> dict[str, str]:
    pairs = _which(record.number, outcome.attempt)
    if outcome.failure is not None:
        pairs["class"] = str(outcome.failure)
    if record.best_value is not None:
        pairs |= {"best": words.value(record.best_value), "epoch": str(record.best_epoch)}
    pairs["took"] = words.duration(outcome.seconds)
    if outcome.evidence:
        pairs["why"] = words.one_line(outcome.evidence, _EVIDENCE)
    return pairs


def heartbeat_line(snapshot: Snapshot) -> str:
    """How the study stands, as one line without its time."""
    counts = snapshot.counts
    pairs = {
        "done": f"{snapshot.at_rest}/{snapshot.asked}",
        "ok": str(counts[TrialState.COMPLETE]),
        **({"paused": str(counts[TrialState.PAUSED])} if counts[TrialState.PAUSED] else {}),
        "pruned": str(counts[TrialState.PRUNED]),
        "failed": str(counts[TrialState.FAILED]),
        "running": str(len(snapshot.running)),
    }
    best = snapshot.best
    if best is not None:
        pairs |= {"best": words.value(best.best_value), "trial": str(best.number)}
    eta = snapshot.eta
    if eta is not None:
        pairs["eta"] = f"{words.duration(eta.low_s)}-{words.duration(eta.high_s)}"
    now = {"now": snapshot.pause} if snapshot.pause else {}
    return _line("heartbeat", pairs | _steps(snapshot) | now)


def _steps(snapshot: Snapshot) -> dict[str, str]:
    """How far the running trials are: ``epochs=3:1.4/30,5:0.2/30 images_per_s=716``."""
    epochs = [
        f"{live.number}:{live.epochs_done:.1f}" + (f"/{total}" if total else "")
        for live in snapshot.running
        if (total := live.of_epochs or snapshot.epochs) or live.epochs_done
    ]
    rates = [live.images_per_s for live in snapshot.running if live.images_per_s is not None]
    pairs = {"epochs": ",".join(epochs)} if epochs else {}
    return pairs | ({"images_per_s": f"{sum(rates):.4g}"} if rates else {})


def _line(word: str, pairs: Mapping[str, str]) -> str:
    return f"{word:<9} " + " ".join(_pairs(pairs))


def _pairs(pairs: Mapping[str, str]) -> Iterator[str]:
    for name, value in pairs.items():
        is_plain = bool(value) and not any(sign.isspace() or sign in "\"'=" for sign in value)
        yield f"{name}={value if is_plain else json.dumps(value, ensure_ascii=False)}"


class EventScreen:
    """Prints one line an event on standard error.

    Args:
        stream: Where to print; standard error by default.
        clock: The time of day.
        seconds: A clock in seconds that never goes back.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        clock: Clock = utc_now,
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._progress: Progress | None = None
        self._quiet = Quiet(seconds)
        self._guard = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leaves nothing to tidy up: every line was flushed when it was printed."""

    def opened(self, paths: StudyPaths, config: StudyConfig) -> None:
        """Prints what is about to be driven."""
        self._progress = Progress(config, epochs=epochs_of(paths, config.keys.epochs))
        if config.is_fake:
            self._print(f"{'note':<9} {FAKE}")
        pairs = {
            "study": config.name,
            "policy": config.policy,
            "objective": config.objective.metric,
            "direction": str(config.objective.direction),
            "trials": str(self._progress.snapshot().asked),
            "folder": str(shown(paths.folder)),
        }
        self._print(_line("open", pairs))

    def event(self, event: Event) -> None:
        """Prints the event, and the new best if it made one."""
        if self._progress is None:
            return
        before = self._progress.snapshot().best
        self._progress.event(event)
        snapshot = self._progress.snapshot()
        self._print(event_line(event, snapshot))
        best = snapshot.best
        if best is not None and (before is None or before.number != best.number):
            pairs = {"trial": str(best.number), snapshot.config.objective.metric: ""}
            pairs[snapshot.config.objective.metric] = words.value(best.best_value)
            self._print(_line("best", pairs))

    def look(self, sight: Sight) -> None:
        """Prints a heartbeat once nothing was printed for a while."""
        if self._progress is None:
            return
        self._progress.look(sight)
        if self._quiet.is_due():
            self._write(heartbeat_line(self._progress.snapshot()))

    def _print(self, text: str) -> None:
        self._quiet.spoke()
        self._write(text)

    def _write(self, text: str) -> None:
        with self._guard:
            line = f"{self._clock():%Y-%m-%dT%H:%M:%SZ} {text}"
            # A reader that has gone, such as a closed pipe, is no reason to end a search.
            with suppress(OSError):
                print(line, file=self._stream, flush=True)
