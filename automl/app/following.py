"""Following the live attempts of a study by the files that their trainers write."""

import math
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import fmean

from automl.execution.driver import Event, Measured, Note, TrialEnded, TrialStarted
from automl.study.config import Objective
from automl.study.gpu_samples import GpuSample, recent_samples
from automl.study.layout import StudyPaths
from automl.study.live import LiveAttempt
from automl.study.records import Attempt
from automl.trainers.contract import STATUS_NAME
from automl.trainers.gpu_note import noted_gpus
from automl.trainers.status import StatusReader

__all__ = ["Following"]

#: Ends and notes that a reader of ``state.json`` is shown.
_KEPT_ENDS, _KEPT_NOTES = 8, 3
#: Seconds after which a sample says nothing of this moment.
_STALE_S = 30.0


class Following:
    """The live attempts of a driven study; may be told and asked from any thread.

    Args:
        paths: The study.
        objective: The metric that is followed.
        clock: Unix time in seconds.
    """

    def __init__(
        self, paths: StudyPaths, objective: Objective, clock: Callable[[], float] = time.time
    ) -> None:
        self._paths, self._objective, self._clock = paths, objective, clock
        self._live: dict[int, LiveAttempt] = {}
        self._readers: dict[int, StatusReader] = {}
        self._ended: list[int] = []
        self._notes: list[str] = []
        self._recent: tuple[GpuSample, ...] = ()
        self._guard = threading.Lock()

    @property
    def ended(self) -> tuple[int, ...]:
        """The trials that ended last, the newest first."""
        with self._guard:
            return tuple(dict.fromkeys(reversed(self._ended)))

    @property
    def notes(self) -> tuple[str, ...]:
        """The newest notes, oldest first."""
        with self._guard:
            return tuple(self._notes)

    @property
    def samples(self) -> tuple[GpuSample, ...]:
        """What the GPUs did in the last minutes, as of the last look, by time."""
        with self._guard:
            return self._recent

    @property
    def live(self) -> tuple[LiveAttempt, ...]:
        """The live attempts as they stood at the last look, by number."""
        with self._guard:
            return tuple(self._live[number] for number in sorted(self._live))

    def event(self, event: Event) -> None:
        """Takes in what happened."""
        with self._guard:
            match event:
                case TrialStarted(attempt):
                    self._start(attempt)
                case Measured(attempt, measurement):
                    live = self._live.get(attempt.number)
                    if live is not None:
                        self._live[live.number] = live.measured(measurement, self._objective)
                case TrialEnded(record, _):
                    self._live.pop(record.number, None)
                    self._readers.pop(record.number, None)
                    self._ended = [*self._ended, record.number][-_KEPT_ENDS:]
                case Note(text):
                    self._notes = [*self._notes, " ".join(text.split())][-_KEPT_NOTES:]

    def look(self) -> None:
        """Looks at what every live attempt does now."""
        recent = recent_samples(self._paths.folder)
        samples = self._of_now(recent)
        with self._guard:
            self._recent = tuple(recent)
            for number in self._live:
                self._live[number] = self._seen(self._live[number], samples)

    def _start(self, attempt: Attempt) -> None:
        place = self._paths.attempt(attempt.number, attempt.attempt)
        self._live[attempt.number] = LiveAttempt.of(attempt, self._clock(), self._objective)
        self._readers[attempt.number] = StatusReader(place.folder / STATUS_NAME)

    def _of_now(self, recent: Sequence[GpuSample]) -> list[GpuSample]:
        """The newest sample of each GPU that answered a moment ago."""
        now = self._clock()
        newest = {each.gpu: each for each in recent}
        return [each for each in newest.values() if abs(now - each.time) < _STALE_S]

    def _seen(self, live: LiveAttempt, samples: Sequence[GpuSample]) -> LiveAttempt:
        reader = self._readers[live.number]
        reader.read()
        host, gpus = noted_gpus(self._paths.attempt(live.number, live.attempt))
        # The samples are those of this machine.
        own = samples if host == socket.gethostname() else ()
        since_s = self._trains_since(live, reader)
        live = replace(live, gpus=gpus, trains_since_s=since_s)
        return _on_gpus(_in_steps(live, reader), own)

    def _trains_since(self, live: LiveAttempt, reader: StatusReader) -> float | None:
        """When the trainer wrote its first line, by its own clock if that can be."""
        if live.trains_since_s is not None or reader.started_at is None:
            return live.trains_since_s
        return min(max(live.began_s, reader.started_at.timestamp()), self._clock())


def _in_steps(live: LiveAttempt, reader: StatusReader) -> LiveAttempt:
    steps = reader.progress
    if steps is None:
        return replace(live, phase="", step=0, of_steps=0, said=reader.last_status)
    return replace(
        live,
        phase=str(steps.phase),
        in_epoch=steps.epoch,
        of_epochs=steps.of_epochs,
        step=steps.step,
        of_steps=steps.of_steps,
        images_per_s=steps.images_per_s,
        said=reader.last_status,
    )


def _on_gpus(live: LiveAttempt, samples: Sequence[GpuSample]) -> LiveAttempt:
    held = [each for each in samples if _is_named(each, live.gpus)]
    rates = [each.utilisation for each in held if math.isfinite(each.utilisation)]
    return replace(
        live,
        gpu_memory=sum(each.memory_used for each in held) if held else None,
        gpu_utilisation=fmean(rates) if rates else None,
    )


def _is_named(sample: GpuSample, names: Sequence[str]) -> bool:
    return any(name == str(sample.index) or sample.gpu.startswith(name) for name in names)
