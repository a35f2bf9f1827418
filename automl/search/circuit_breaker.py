"""The circuit breaker: it ends a search that fails again and again for the same cause."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Self

from automl.study.limits import Limits
from automl.study.records import FailureClass

__all__ = ["CircuitBreaker"]

# The share of failures counts from this many ends on: before, one accident would be a third.
_SHARE_AFTER = 6


@dataclass(slots=True)
class CircuitBreaker:
    """Watches how trials end, one after the other, since this driver began.

    Ends of an earlier driver do not count: the user who resumes has seen them, and may have fixed
    their cause.

    Attributes:
        same_failures: Ends in a row with one failure class that break the search; 0 for never.
        failed_share: Share of all ends, at least six, that break it where so many failed.
    """

    same_failures: int
    failed_share: float = 0.5
    _ends: list[FailureClass | None] = field(default_factory=list)
    _failed: Counter[FailureClass] = field(default_factory=Counter)

    @classmethod
    def of(cls, limits: Limits) -> Self:
        """The circuit breaker that a study's limits ask for."""
        return cls(limits.same_failures, limits.failed_share)

    def observe(self, failure: FailureClass | None) -> str | None:
        """Takes note of how a trial ended.

        Args:
            failure: Its class; None for a trial that did not fail.

        Returns:
            Why the search must end, as a sentence; None if it goes on.
        """
        self._ends.append(failure)
        if failure is not None:
            self._failed[failure] += 1
        return self._in_a_row() or self._share()

    def _in_a_row(self) -> str | None:
        last = self._ends[-self.same_failures :] if self.same_failures else []
        if not last or len(last) < self.same_failures or last[0] is None:
            return None
        if any(failure is not last[0] for failure in last):
            return None
        return f"{self.same_failures} trials in a row failed with the class {last[0]}"

    def _share(self) -> str | None:
        n_failed = self._failed.total()
        if len(self._ends) < _SHARE_AFTER or n_failed < self.failed_share * len(self._ends):
            return None
        classes = ", ".join(f"{n} {word}" for word, n in self._failed.items())
        return f"{n_failed} of {len(self._ends)} trials failed ({classes})"
