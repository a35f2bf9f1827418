"""A value of each logical trial, read again when its trials have changed and never else."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from optuna.trial import FrozenTrial

__all__ = ["Changing", "Followed"]

_Value = TypeVar("_Value")


class Changing(Protocol):
    """The trials of a study, which tell what has changed."""

    def grouped(self) -> Mapping[int, Sequence[FrozenTrial]]:
        """The Optuna trials of each logical number, oldest first."""
        ...

    def changes(self, since: int) -> tuple[Iterable[int], int]:
        """The logical numbers that have changed since, and where to look from the next time."""
        ...


class Followed(Generic[_Value]):
    """Keeps a value of each logical trial current.

    Args:
        trials: The study's trials.
        read: The value of a trial, from all Optuna trials of its number and from nothing else;
            None for none.
    """

    def __init__(
        self, trials: Changing, read: Callable[[int, Sequence[FrozenTrial]], _Value | None]
    ) -> None:
        self._trials = trials
        self._read = read
        self._since = 0
        self._again: set[int] = set()
        self.values: dict[int, _Value] = {}

    def again(self, number: int) -> None:
        """Reads a trial again the next time, changed or not."""
        self._again.add(number)

    def follow(self) -> Iterator[tuple[int, _Value | None, _Value | None]]:
        """Brings ``values`` up to date; to be gone through to its end.

        Yields:
            Each number that changed, with its value before and now; None for no such trial.
        """
        numbers, self._since = self._trials.changes(self._since)
        grouped = self._trials.grouped()
        for number in dict.fromkeys((*numbers, *self._again)):
            before = self.values.pop(number, None)
            group = grouped.get(number)
            now = None if group is None else self._read(number, group)
            if now is not None:
                self.values[number] = now
            yield number, before, now
        self._again.clear()

    def current(self) -> Mapping[int, _Value]:
        """The values as they are now, in no order."""
        for _ in self.follow():
            pass
        return self.values
