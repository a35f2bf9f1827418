"""The race for the winner in sentences: who is in it, who goes on, who won, what the pairs say."""

from collections.abc import Sequence

from automl.reports import words
from automl.reports.confirmation import confirmed
from automl.study.config import StudyConfig
from automl.study.confirmation import answer_of, differences, n_to_confirm
from automl.study.expected import expectations
from automl.study.race import Race, race
from automl.study.records import TrialRecord
from automl.study.sequential import FEWEST_PAIRS, MOST_PAIRS, Answer

__all__ = ["pairs_sentence", "race_sentence", "standing_words"]

_ANSWERS = {
    Answer.OPEN: "not clear yet",
    Answer.BETTER: "the trial is better",
    Answer.WORSE: "the trial is worse",
    Answer.HOPELESS: "given up, since more seeds would hardly show a gain",
}


def race_sentence(
    records: Sequence[TrialRecord], config: StudyConfig, before: Race | None, now: Race
) -> str:
    """What has changed in the race, with what is expected of each by every value so far.

    Args:
        records: Every trial of the study.
        config: What is better.
        before: How the race stood when the last sentence was said; None where none was.
        now: How it stands.

    Returns:
        One sentence, empty where there is nothing to race for.
    """
    if before is None:
        return f"race: {_all_of(now.left)}, {_seeds(now.seeds)}" if len(now.left) > 1 else ""
    value = _Values(records, config)
    out = [number for number in before.left if number not in now.left]
    behind = f"; out: {value.of(out)}" if out else ""
    if not now.left:
        return f"race: {value.of([0])}, the default, wins: nothing is left to confirm{behind}"
    if now.is_decided:
        return f"race: {value.of(now.left)} wins{behind}"
    return f"race: {value.of(now.left)} go on to {_seeds(now.seeds)}{behind}"


def standing_words(records: Sequence[TrialRecord], config: StudyConfig) -> str:
    """How the choice of the winner stands; empty before it has begun and once it is over."""
    if all(each.confirms is None for each in records) or not n_to_confirm(records, config):
        return ""
    now = race(records, config)
    if len(now.left) > 1:
        return f"{_all_of(now.left)} may still win, {_seeds(now.seeds)} in this round"
    one = f"trial {now.left[0]} is trained against the default"
    return f"{one}, with seeds that had no part in choosing it"


def pairs_sentence(records: Sequence[TrialRecord], config: StudyConfig, number: int) -> str:
    """What the pairs of a trial and the default say so far.

    Returns:
        One sentence, empty below the number of pairs that can decide.
    """
    known, _ = differences(records, number, config)
    found = confirmed(records, number, config)
    if len(known) < FEWEST_PAIRS or found is None or found.low is None or found.high is None:
        return ""
    ends = f"{words.signed(found.low)} to {words.signed(found.high)}"
    answer = _ANSWERS[answer_of(records, number, config)]
    pairs = f"{len(known)} of at most {MOST_PAIRS} pairs"
    return f"trial {number} minus the default, {pairs}: {ends} with 95 %: {answer}"


class _Values:
    """Trials with what is expected of them, by every value of the search and of the race."""

    def __init__(self, records: Sequence[TrialRecord], config: StudyConfig) -> None:
        self._found = expectations(records, config.objective)

    def of(self, numbers: Sequence[int]) -> str:
        """``trial 9 (0.4871) and trial 7 (0.4802)``."""
        return _joined([self._one(number) for number in numbers])

    def _one(self, number: int) -> str:
        expected = self._found.of(number)
        return f"trial {number}" + (
            "" if expected is None else f" ({words.value(expected.value)})"
        )


def _all_of(numbers: Sequence[int]) -> str:
    return f"trials {_joined(list(map(str, numbers)))}"


def _seeds(n: int) -> str:
    return f"{words.count(n, 'fresh seed')} each"


def _joined(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
