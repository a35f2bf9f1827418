"""A number of each trial, all of them in order, kept while the trials change."""

from bisect import bisect_left, insort
from collections.abc import Callable

from automl.search.trial_views import TrialView, TrialViews

__all__ = ["SortedValues"]


class SortedValues:
    """The values of the trials, in order.

    Args:
        read: The value of a trial, from it and from nothing else; None for none.

    Attributes:
        values: The lowest first; of equal ones each.
    """

    def __init__(self, read: Callable[[TrialView], float | None]) -> None:
        self._read = read
        self._since = 0
        self._of: dict[int, float] = {}
        self.values: list[float] = []

    def follow(self, trials: TrialViews) -> None:
        """Takes in what has changed since the last call."""
        numbers, self._since = trials.changes(self._since)
        for number in numbers:
            before = self._of.pop(number, None)
            if before is not None:
                del self.values[bisect_left(self.values, before)]
            trial = trials.by_number.get(number)
            value = None if trial is None else self._read(trial)
            if value is not None:
                self._of[number] = value
                insort(self.values, value)

    def lowest_but(self, number: int) -> float | None:
        """The lowest value of all trials but one; None without any."""
        is_lowest = bool(self.values) and self._of.get(number) == self.values[0]
        rest = self.values[1:2] if is_lowest else self.values[:1]
        return rest[0] if rest else None
