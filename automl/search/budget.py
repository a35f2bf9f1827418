"""The budget in time: what a study has spent, and whether one more training fits into the rest.

The ledger is what the Optuna study holds: when each attempt was handed out, how long it took, the
GPUs it held. So it goes on over resumes. A training fits if nine of ten like it end inside the
rest; before one has ended nothing is known, and it may start. While the search goes on, the time
of the trainings that confirm its winner is kept back.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from automl.search.cost import Length, Lengths, expected_length
from automl.search.decision import EndCause, SearchEnd
from automl.search.trial_store import TrialStore
from automl.skill.tree import ParamValue
from automl.study import attributes
from automl.study.clock import Clock, moment_of
from automl.study.config import StudyConfig
from automl.study.confirmation import n_planned, searched
from automl.study.measured import paused_of
from automl.study.records import TrialRecord

__all__ = ["Budget", "Rest"]

_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left; infinite where there is no limit.

    Attributes:
        wall_s: Seconds until the study's time is up.
        gpu_s: GPU seconds, those that running trainings are expected to take taken off.
    """

    wall_s: float = math.inf
    gpu_s: float = math.inf

    @property
    def is_used_up(self) -> bool:
        """Whether nothing is left at all."""
        return self.wall_s <= 0.0 or self.gpu_s <= 0.0


class Budget:
    """Says what fits into the rest of a study's time.

    Args:
        store: The study's trials.
        config: The limits.
        clock: The time of day; the driver began when this is made.
    """

    def __init__(self, store: TrialStore, config: StudyConfig, clock: Clock) -> None:
        self._store = store
        self._config = config
        self._clock = clock
        self._began = clock()
        self._ended: SearchEnd | None = None

    @property
    def search_end(self) -> SearchEnd | None:
        """Why the search proposes nothing more; stays once it was said. None while it may."""
        limits = self._config.limits
        if self._ended is None and limits.is_timed:
            records = self._records()
            fitted = Lengths.of(records, self._config)
            known = [] if fitted is None else [fitted.length(r.params) for r in searched(records)]
            least = min(known, key=lambda length: length.upper_s, default=None)
            if not self._fits(least, self._reserved(records)):
                self._ended = self._end(least, records)
        return self._ended

    def refuses(
        self, params: Mapping[str, ParamValue], done_s: float = 0.0, *, confirms: bool = False
    ) -> bool:
        """Whether a training would not end in time.

        Args:
            params: Its settings.
            done_s: Seconds of it that an earlier attempt has done already.
            confirms: Whether it confirms another trial, which time was kept back for.
        """
        if not self._config.limits.is_timed:
            return False
        records = self._records()
        reserved = Rest(0.0, 0.0) if confirms else self._reserved(records)
        return not self._fits(self._length(params, records), reserved, done_s)

    def close(self) -> None:
        """No further trial of the search is proposed: what is drawn does not fit."""
        records = self._records()
        params = records[0].params if records else {}
        self._ended = self._ended or self._end(self._length(params, records), records)

    def over(self) -> SearchEnd | None:
        """Why nothing at all may be started; None while something may."""
        if not self._config.limits.is_timed or not self.rest(()).is_used_up:
            return None
        return SearchEnd(EndCause.LIMITS, f"the budget is used up ({self._said()})")

    def left(self) -> str:
        """What is left now, in words: ``1h52m and 7.6 GPU-h``; empty where nothing limits it."""
        return _amounts(self.rest(())) if self._config.limits.is_timed else ""

    def rest(self, records: Sequence[TrialRecord]) -> Rest:
        """What is left now.

        Args:
            records: What running trainings are expected to take is judged by; none for what has
                been spent alone.
        """
        limits, now = self._config.limits, self._clock()
        wall_s = math.inf
        if limits.max_wall_s is not None:
            wall_s = limits.max_wall_s - self._wall_s(now)
        if limits.deadline is not None:
            wall_s = min(wall_s, (moment_of(limits.deadline) - now).total_seconds())
        if limits.gpu_hours is None:
            return Rest(wall_s)
        return Rest(wall_s, limits.gpu_hours * _HOUR_S - self._gpu_s(now, records))

    def _fits(self, length: Length | None, reserved: Rest, done_s: float = 0.0) -> bool:
        rest = self.rest(self._records())
        takes_s = 0.0 if length is None else max(0.0, length.upper_s - done_s)
        takes_gpu_s = takes_s * self._config.resources.gpus_held
        fits_wall = takes_s <= rest.wall_s - reserved.wall_s
        return fits_wall and takes_gpu_s <= rest.gpu_s - reserved.gpu_s and not rest.is_used_up

    def _reserved(self, records: Sequence[TrialRecord]) -> Rest:
        """What the trainings after the search will take, if another than the default wins."""
        n = n_planned(self._config) if len(searched(records)) > 1 else 0
        length = self._length(records[0].params, records) if records else None
        if not n or length is None:
            return Rest(0.0, 0.0)
        resources = self._config.resources
        rounds = math.ceil(n / resources.max_concurrent)
        return Rest(rounds * length.median_s, n * length.median_s * resources.gpus_held)

    def _length(
        self, params: Mapping[str, ParamValue], records: Sequence[TrialRecord]
    ) -> Length | None:
        return expected_length(params, records, self._config)

    def _wall_s(self, now: datetime) -> float:
        """Time during which a driver had an attempt under way, and all of this driver's."""
        spans = [(self._began, now)]
        for trial in self._begun():
            begin = moment_of(trial.user_attrs[attributes.ASKED_AT])
            seconds = trial.user_attrs.get(attributes.SECONDS)
            is_live = seconds is None and trial.state is OptunaState.RUNNING
            if seconds is not None or is_live:
                spans.append((begin, now if seconds is None else begin + _span(seconds)))
        return _covered(spans)

    def _gpu_s(self, now: datetime, records: Sequence[TrialRecord]) -> float:
        """GPU seconds of all attempts, those under way with what they are expected to take."""
        spent, held = 0.0, self._config.resources.gpus_held
        for trial in self._begun():
            attrs = trial.user_attrs
            spent += float(attrs.get(attributes.GPU_SECONDS, 0.0))
            if trial.state is OptunaState.RUNNING and attributes.GPU_SECONDS not in attrs:
                ago = (now - moment_of(attrs[attributes.ASKED_AT])).total_seconds()
                length = self._length(attrs.get(attributes.PARAMS, {}), records)
                spent += held * max(ago, 0.0 if length is None else length.median_s)
        return spent

    def _begun(self) -> list[FrozenTrial]:
        trials = self._store.trials()
        return [
            trial
            for trial in trials
            if attributes.ASKED_AT in trial.user_attrs
            and not (paused_of(trial) and attributes.SECONDS not in trial.user_attrs)
        ]

    def _records(self) -> tuple[TrialRecord, ...]:
        return self._store.records()

    def _end(self, length: Length | None, records: Sequence[TrialRecord]) -> SearchEnd:
        takes = (
            "" if length is None else f"a training takes up to {_duration(length.upper_s)}, and "
        )
        reserved = self._reserved(records)
        rest, kept = self.rest(records), ""
        if reserved.wall_s and not math.isinf(rest.wall_s):
            kept = f", {_duration(reserved.wall_s)} of it for the confirmation"
        elif reserved.gpu_s and not math.isinf(rest.gpu_s):
            kept = f", {reserved.gpu_s / _HOUR_S:.3g} GPU-h of it for the confirmation"
        left = f"{_left(rest)} left{kept}"
        return SearchEnd(EndCause.LIMITS, f"{takes}{left} ({self._said()})")

    def _said(self) -> str:
        """The limits in words."""
        limits, said = self._config.limits, []
        if limits.max_wall_s is not None:
            said.append(f"--max-wall {_duration(limits.max_wall_s)}")
        if limits.gpu_hours is not None:
            said.append(f"--gpu-hours {limits.gpu_hours:g}")
        if limits.deadline is not None:
            said.append(f"--deadline {limits.deadline}")
        return ", ".join(said)


def _left(rest: Rest) -> str:
    is_several = rest.wall_s > 1  # no limit of the wall time is infinitely many
    return f"{_amounts(rest)} {'are' if is_several else 'is'}"


def _amounts(rest: Rest) -> str:
    parts = [] if math.isinf(rest.wall_s) else [_duration(max(0.0, rest.wall_s))]
    if not math.isinf(rest.gpu_s):
        parts.append(f"{max(0.0, rest.gpu_s) / _HOUR_S:.3g} GPU-h")
    return " and ".join(parts)


def _duration(seconds: float) -> str:
    """``48s``, ``12m``, ``1h52m``."""
    if seconds < 100:
        return f"{seconds:.0f}s"
    minutes = round(seconds / 60)
    return f"{minutes}m" if minutes < 100 else f"{minutes // 60}h{minutes % 60:02d}m"


def _span(seconds: float) -> timedelta:
    return timedelta(seconds=float(seconds))


def _covered(spans: Sequence[tuple[datetime, datetime]]) -> float:
    """Seconds that at least one of the spans covers."""
    covered = 0.0
    reached: datetime | None = None
    for begin, end in sorted(spans):
        start = begin if reached is None else max(begin, reached)
        covered += max(0.0, (end - start).total_seconds())
        reached = end if reached is None else max(reached, end)
    return covered
