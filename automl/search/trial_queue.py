"""What the search does after what it has done: the next trial, a confirmation, or nothing more.

Answered from the trials alone, so that a search that was interrupted goes on as it would have.
"""

from collections.abc import Mapping, Sequence

from optuna.trial import FrozenTrial

from automl.search.decision import EndCause, SearchEnd
from automl.search.frontier import n_refused_of
from automl.search.proposals import confirming_trial, default_trial, n_tried
from automl.search.trial_store import QueuedTrial, TrialStore
from automl.space.model import SearchSpace
from automl.space.proposal import n_configurations
from automl.study import attributes
from automl.study.config import StudyConfig
from automl.study.confirmation import next_confirmation, searched
from automl.study.records import TrialRecord
from automl.study.trials import record_of

__all__ = ["TrialQueue"]

Grouped = Mapping[int, Sequence[FrozenTrial]]


class TrialQueue:
    """The order of a study: trial 0, what the sampler proposes, then what confirms the winner.

    Args:
        store: The study's trials.
        space: What is searched.
        config: The limits, and how many seeds confirm the winner.
    """

    def __init__(self, store: TrialStore, space: SearchSpace, config: StudyConfig) -> None:
        self._store = store
        self._space = space
        self._config = config

    def next(self) -> QueuedTrial | None:
        """The trial to put into the queue; None if there is none, or none yet."""
        grouped = self._store.grouped()
        number = max(grouped, default=-1) + 1
        if self._why_searched(grouped) is None:
            return QueuedTrial(number) if number else default_trial(self._space)
        asked = next_confirmation(self._records(grouped), self._config)
        if asked is None:
            return None
        return confirming_trial(number, asked, grouped[asked.confirms][-1])

    def ended(self) -> SearchEnd | None:
        """Why nothing more will be put into the queue; None while something may be."""
        grouped = self._store.grouped()
        why = self._why_searched(grouped)
        if why is None or not self._config.limits.confirm:
            return why
        records = self._records(grouped)
        is_searched = all(record.state.is_finished for record in searched(records))
        return why if is_searched and next_confirmation(records, self._config) is None else None

    def has_room(self, grouped: Grouped) -> bool:
        """Whether the study may begin one more trial of the search."""
        return _n_searched(grouped) < self._config.limits.trials

    def _why_searched(self, grouped: Grouped) -> SearchEnd | None:
        """Why the search itself proposes nothing more; None while it may."""
        if not self.has_room(grouped):
            limit = self._config.limits.trials
            return SearchEnd(EndCause.LIMITS, f"all {limit} trials were started")
        total = n_configurations(self._space)
        refused = sum(map(n_refused_of, grouped.values()))
        if _n_searched(grouped) + refused >= total and n_tried(grouped) >= total:
            return SearchEnd(EndCause.EXHAUSTED, f"all {total:g} configurations were tried")
        return None

    def _records(self, grouped: Grouped) -> list[TrialRecord]:
        return [record_of(grouped[number], self._config.objective) for number in sorted(grouped)]


def _n_searched(grouped: Grouped) -> int:
    return sum(attributes.CONFIRMS not in trials[-1].user_attrs for trials in grouped.values())
