"""Which trial of a summary a word stands for: a number, ``best``, ``default``, ``last``."""

from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.reports.model import Summary

__all__ = ["TRIAL_NAMES", "named_trial", "trial_named"]

#: The words that stand for a trial.
TRIAL_NAMES = ("best", "baseline", "default", "last")


def named_trial(word: str, summary: Summary) -> int | None:
    """The number of the trial that a word stands for; None if there is no such trial."""
    named = {
        "best": None if summary.winner is None else summary.winner.number,
        "baseline": 0,
        "default": 0,
        "last": max((trial.number for trial in summary.trials), default=None),
    }
    number = named[word] if word in named else int(word) if word.isdecimal() else None
    return None if number is None or summary.trial(number) is None else number


def trial_named(word: str, summary: Summary) -> int:
    """The trial that a word stands for.

    Raises:
        FixInput: There is no such trial.
    """
    number = named_trial(word, summary)
    if number is not None:
        return number
    numbers = [trial.number for trial in summary.trials]
    what = f"a number up to {max(numbers)}" if numbers else "a number"
    raise FixInput(
        f"a trial of {summary.name} must be {', '.join(TRIAL_NAMES)} or {what}",
        got=repr(word) if numbers else f"{word!r}, and the study has no trial yet",
        where=str(summary.folder),
        fix=did_you_mean(word, TRIAL_NAMES) or "automl status shows the trials",
    )
