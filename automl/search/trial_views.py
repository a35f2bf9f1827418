"""The trials of a study as a method sees them, found by number and by state without a search."""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, cast, overload

from automl.study.records import Measurement, TrialRecord, TrialState

__all__ = ["Kept", "TrialView", "TrialViews"]


@dataclass(frozen=True, slots=True)
class TrialView:
    """A trial as a method sees it.

    Attributes:
        record: Number, state, params, objective values, failure, source and seed.
        measured: Every measurement that counts, inherited ones included, by epoch: the objective
            and whatever else the trainer reported.
        audited: Why it would have been stopped or paused, where it goes on so that the decision
            can be checked; empty of all others.
        worked_out: What was worked out of this trial alone, so that the next decision need not;
            no part of what it is.
    """

    record: TrialRecord
    measured: tuple[Measurement, ...] = ()
    audited: str = ""
    worked_out: dict[Hashable, Any] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def number(self) -> int:
        """Its number, from 0."""
        return self.record.number

    @property
    def epoch(self) -> int:
        """The newest measured epoch, from 0; -1 before the first measurement."""
        return self.measured[-1].epoch if self.measured else -1

    def metric(self, name: str, epoch: int) -> float | None:
        """The value of a metric at an epoch; None where it was not reported."""
        for entry in reversed(self.measured):
            if entry.epoch == epoch:
                return entry.metrics.get(name)
        return None


class Kept(Protocol):
    """What is worked out of all trials, and is kept while they change."""

    def follow(self, trials: "TrialViews") -> None:
        """Takes in what has changed since the last call."""
        ...


_Kept = TypeVar("_Kept", bound=Kept)


class TrialViews(Sequence[TrialView]):
    """Trials by number; whoever keeps them current changes one at a time.

    Args:
        views: The trials to begin with, of different numbers.
    """

    def __init__(self, views: Iterable[TrialView] = ()) -> None:
        self._by_number: dict[int, TrialView] = {}
        self._all: list[TrialView] = []
        self._searched: list[TrialView] = []
        self._by_state: dict[TrialState, set[int]] = {state: set() for state in TrialState}
        self._changed: list[int] = []
        self._kept: dict[Hashable | None, Kept] = {}
        for view in views:
            self.put(view)

    @property
    def by_number(self) -> Mapping[int, TrialView]:
        """Number to trial."""
        return self._by_number

    @property
    def n_searched(self) -> int:
        """How many belong to the search itself."""
        return len(self._searched)

    def searched(self, *states: TrialState) -> list[TrialView]:
        """The trials of the search itself, in these states or in all, by number."""
        if not states:
            return self._searched[:]
        numbers = sorted(set().union(*(self._by_state[state] for state in states)))
        return [self._by_number[number] for number in numbers]

    def changes(self, since: int) -> tuple[Iterable[int], int]:
        """The numbers of the trials that have changed, and where to look from the next time.

        Args:
            since: Where an earlier call ended; 0 for everything.
        """
        changed = dict.fromkeys(self._changed[since:]) if since else tuple(self._by_number)
        return changed, len(self._changed)

    def kept(self, key: Hashable | None, make: Callable[[], _Kept]) -> _Kept:
        """What is worked out of all trials together, brought up to date.

        It is what would be worked out of the same trials at once: it saves time and decides
        nothing.

        Args:
            key: What it is; every caller that gives the same key makes the same thing. None for
                what is needed once, and not kept.
            make: Makes it where there is none yet.
        """
        found = cast("_Kept | None", self._kept.get(key)) or make()
        if key is not None:
            self._kept[key] = found
        found.follow(self)
        return found

    def put(self, view: TrialView) -> None:
        """A trial as it stands now, in place of what it was."""
        self._changed.append(view.number)
        before = self._by_number.get(view.number)
        if before is not None and _is_searched(before) is _is_searched(view):
            self._by_number[view.number] = view
            _set(self._all, view)
            if _is_searched(view):
                _set(self._searched, view)
                self._by_state[before.record.state].discard(view.number)
                self._by_state[view.record.state].add(view.number)
            return
        self.drop(view.number)
        self._by_number[view.number] = view
        self._all.insert(_place(self._all, view.number), view)
        if _is_searched(view):
            self._searched.insert(_place(self._searched, view.number), view)
            self._by_state[view.record.state].add(view.number)

    def drop(self, number: int) -> None:
        """There is no such trial any more."""
        self._changed.append(number)
        view = self._by_number.pop(number, None)
        if view is None:
            return
        del self._all[_place(self._all, number)]
        if _is_searched(view):
            del self._searched[_place(self._searched, number)]
            self._by_state[view.record.state].discard(number)

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[TrialView]:
        return iter(self._all)

    @overload
    def __getitem__(self, place: int) -> TrialView: ...

    @overload
    def __getitem__(self, place: slice) -> list[TrialView]: ...

    def __getitem__(self, place: int | slice) -> TrialView | list[TrialView]:
        return self._all[place]


def _is_searched(view: TrialView) -> bool:
    return view.record.confirms is None


def _place(views: list[TrialView], number: int) -> int:
    """Where a number stands, or would; most often at the end."""
    if not views or views[-1].number < number:
        return len(views)
    return bisect_left(views, number, key=lambda each: each.number)


def _set(views: list[TrialView], view: TrialView) -> None:
    views[_place(views, view.number)] = view
