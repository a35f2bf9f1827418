"""Why a search as a whole starts nothing more; the first reason stays."""

from collections.abc import Callable, Sequence

from automl.search.budget import Budget
from automl.search.circuit_breaker import CircuitBreaker
from automl.search.decision import EndCause, SearchEnd
from automl.study.limits import Limits
from automl.study.records import FailureClass, TrialRecord

__all__ = ["Halting"]


class Halting:
    """Ends a search whose time is used up, or where one cause has ended too many trials.

    Args:
        budget: Says when the time is used up.
        limits: How many failures in a row end the search.
        records: Every trial of the study.
    """

    def __init__(
        self, budget: Budget, limits: Limits, records: Callable[[], Sequence[TrialRecord]]
    ) -> None:
        self._budget = budget
        self._records = records
        self._circuit_breaker = CircuitBreaker.of(limits)
        self._end: SearchEnd | None = None

    @property
    def known(self) -> SearchEnd | None:
        """The reason that was found so far."""
        return self._end

    def now(self) -> SearchEnd | None:
        """The reason, the time of day looked at again; None while the search may go on."""
        if self._end is None:
            self._end = self._budget.over()
        return self._end

    def observe(self, failure: FailureClass | None, record: TrialRecord) -> None:
        """Takes note of how a trial has ended.

        That settings fail with fresh seeds is what a confirmation is to show; it ends nothing.

        Args:
            failure: Why it failed; None if it did not.
            record: The trial.
        """
        if record.confirms is not None and failure is not None and failure.is_configs_fault:
            return
        if failure is FailureClass.NO_METRIC and not any(each.values for each in self._records()):
            # One training is enough to know what this trainer reports.
            why = f"trial {record.number}: {record.evidence}"
            self._end = self._end or SearchEnd(EndCause.NO_METRIC, why)
        reason = self._circuit_breaker.observe(failure)
        if reason is not None and self._end is None:
            self._end = SearchEnd(EndCause.CIRCUIT_BREAKER, reason)
