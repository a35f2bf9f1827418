"""What the trials have shown by a rung, as arrays that are kept while the trials change."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from automl.search.method import SearchView
from automl.search.ranks import Array, IntArray
from automl.search.signals import BestShown, best_shown, reached, signals_of
from automl.search.trial_views import TrialView, TrialViews
from automl.study.config import StudyConfig
from automl.study.records import TrialState

__all__ = ["Cohort", "RungTable", "rung_table"]

_Worked = TypeVar("_Worked")


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """The trials that have trained to a rung and did not fail; arrays by trial number.

    Attributes:
        is_in: Which trials these are, shape (trials,).
        merits: The best of each signal turned so that more is better, shape (trials, signals), the
            objective first; NaN of what was not reported.
        values: The same as reported.
        groups: Equal for trials that compare with each other, shape (trials, signals).
        finals: The merit that a trial ended with, shape (trials,); NaN before its end.
        kept: What was worked out of all but ``finals``, which change most often; by who asked.
    """

    is_in: NDArray[np.bool_]
    merits: Array
    values: Array
    groups: IntArray
    finals: Array
    kept: dict[Callable[["Cohort"], Any], Any] = field(default_factory=dict)

    def shown(self, read: Callable[["Cohort"], _Worked]) -> _Worked:
        """What follows from what the trials have shown, whichever of them have ended."""
        if read not in self.kept:
            self.kept[read] = read(self)
        return cast("_Worked", self.kept[read])


_ARRAYS = ("is_in", "merits", "values", "groups", "finals")


@dataclass(frozen=True, slots=True)
class _Row:
    readings: tuple[BestShown, ...]
    final: float | None


class RungTable:
    """The cohort of a rung, and what was worked out of it since it changed.

    Args:
        rung: The epoch, counted from 1.
        config: What was asked for.

    Attributes:
        is_open: Which trials compete there if the rung judges them, by trial number: none that
            goes on anyhow.
        rests: Which trials have paused there, by trial number.
    """

    def __init__(self, rung: int, config: StudyConfig) -> None:
        self._rung = rung
        self._next = min((one for one in config.search.rungs if one > rung), default=None)
        self._config = config
        self._signals = signals_of(config)
        self._since = 0
        self._rows: dict[int, _Row] = {}
        self._groups: dict[Hashable, int] = {}
        self._worked_out: dict[Callable[[Cohort], Any], Any] = {}
        self._shown: dict[Callable[[Cohort], Any], Any] = {}
        self._cohort = _empty(0, len(self._signals))
        self.is_open = np.zeros(0, bool)
        self.rests = np.zeros(0, bool)

    def work_out(self, read: Callable[[Cohort], _Worked]) -> _Worked:
        """What follows from the cohort and from nothing else; read again when it has changed."""
        if read not in self._worked_out:
            self._worked_out[read] = read(self._copied())
        return cast("_Worked", self._worked_out[read])

    def follow(self, trials: TrialViews) -> None:
        """Takes in what has changed since the last call."""
        numbers, self._since = trials.changes(self._since)
        for number in numbers:
            trial = trials.by_number.get(number)
            self._grow(number + 1)
            self._enter(number, trial if trial is not None and self._holds(trial) else None)

    def _holds(self, trial: TrialView) -> bool:
        is_searched = trial.record.confirms is None
        failed = trial.record.state is TrialState.FAILED
        return is_searched and not failed and reached(trial, self._rung)

    def _enter(self, number: int, trial: TrialView | None) -> None:
        is_open = trial is not None and bool(number) and not trial.audited
        self.is_open[number] = is_open
        self.rests[number] = trial is not None and is_open and self._is_paused_here(trial)
        row, before = None if trial is None else self._row(trial), self._rows.get(number)
        if row == before:
            return
        self._worked_out.clear()
        if row is None or before is None or row.readings != before.readings:
            self._shown = {}
        if row is None:
            del self._rows[number]
        else:
            self._rows[number] = row
        self._write(number, row)

    def _is_paused_here(self, trial: TrialView) -> bool:
        is_past = self._next is not None and reached(trial, self._next)
        return trial.record.state is TrialState.PAUSED and not is_past

    def _row(self, trial: TrialView) -> _Row:
        shown = (best_shown(trial, one, self._rung, self._config) for one in self._signals)
        record, final = trial.record, None
        if record.is_usable and record.best_value is not None:
            final = -self._config.objective.loss(record.best_value)
        return _Row(tuple(shown), final)

    def _write(self, number: int, row: _Row | None) -> None:
        cohort = self._cohort
        cohort.is_in[number] = row is not None
        cohort.finals[number] = np.nan if row is None or row.final is None else row.final
        for place in range(len(self._signals)):
            one = BestShown() if row is None else row.readings[place]
            cohort.merits[number, place] = one.merit
            cohort.values[number, place] = one.value
            cohort.groups[number, place] = self._groups.setdefault(one.group, len(self._groups))

    def _grow(self, n: int) -> None:
        if n > len(self.is_open):
            more = _empty(max(n, 2 * len(self.is_open), 64), len(self._signals))
            for name in _ARRAYS:
                known = getattr(self._cohort, name)
                getattr(more, name)[: len(known)] = known
            self._cohort = more
            self.is_open = np.append(
                self.is_open, np.zeros(len(more.is_in) - len(self.is_open), bool)
            )
            self.rests = np.append(self.rests, np.zeros(len(more.is_in) - len(self.rests), bool))

    def _copied(self) -> Cohort:
        """The cohort as it is now, whatever changes later."""
        numbers = np.flatnonzero(self._cohort.is_in)
        n = int(numbers[-1]) + 1 if len(numbers) else 0
        arrays = {name: getattr(self._cohort, name)[:n].copy() for name in _ARRAYS}
        return Cohort(**arrays, kept=self._shown)


def _empty(n: int, n_signals: int) -> Cohort:
    shape = n, n_signals
    return Cohort(
        np.zeros(n, bool),
        np.full(shape, np.nan),
        np.full(shape, np.nan),
        np.zeros(shape, np.intp),
        np.full(n, np.nan),
    )


def rung_table(view: SearchView, rung: int) -> RungTable:
    """The table of an epoch; kept where it is one of the rungs, since any other is asked once."""
    config = view.config
    search, keys = config.search, config.keys
    asked = signals_of(config), search.rungs, keys.optimizer, tuple(keys.milestones)
    key = ("rung", rung, *asked) if rung in search.rungs else None
    return view.kept(key, partial(RungTable, rung, config))
