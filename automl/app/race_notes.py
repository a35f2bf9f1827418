"""What is said while the winner is chosen and judged: the cost, each round, each pair."""

from collections.abc import Iterator, Sequence

from automl.reports.price import price_of
from automl.reports.race_words import pairs_sentence, race_sentence
from automl.study.config import StudyConfig
from automl.study.race import Race, race
from automl.study.records import TrialRecord

__all__ = ["RaceNotes"]


class RaceNotes:
    """Sentences for whoever watches, each said once by a driver.

    Args:
        config: How the winner is confirmed.
    """

    def __init__(self, config: StudyConfig) -> None:
        self._config = config
        self._has_priced = False
        self._standing: Race | None = None
        self._pairs = ""

    def price(self, records: Sequence[TrialRecord]) -> Iterator[str]:
        """What the fresh seeds will cost, before the first of them starts."""
        if self._has_priced:
            return
        self._has_priced = True
        price = price_of([each for each in records if each.state.is_finished], self._config)
        if price is not None:
            yield f"confirmation: {price}"
        yield from self.standing(records)

    def standing(self, records: Sequence[TrialRecord]) -> Iterator[str]:
        """What has changed since it was last asked; a driver asks when a fresh seed has ended."""
        now, before = race(records, self._config), self._standing
        if before is None or now.left != before.left:
            self._standing = now
            sentence = race_sentence(records, self._config, before, now)
            if sentence:
                yield sentence
        if self._config.limits.is_auto and len(now.left) == 1:
            pairs = pairs_sentence(records, self._config, now.left[0])
            if pairs != self._pairs:
                self._pairs = pairs
                yield pairs
