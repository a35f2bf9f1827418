"""The verdict on a study: two sentences that never claim more than the trials show."""

from automl.reports import words
from automl.reports.findings import Winner
from automl.reports.model import Summary
from automl.study.config import Direction

__all__ = ["FAKE", "headline", "verdict"]

FAKE = "FAKE: a script made these numbers up; nothing was trained"


def headline(summary: Summary) -> str:
    """The outcome in a few words: the best value, or that there is none."""
    if summary.winner is None:
        return "no usable trial" if summary.trials else "no trial yet"
    return f"{summary.objective.metric} {words.value(summary.winner.value)}"


def verdict(summary: Summary) -> tuple[str, str]:
    """What came out, and how far it can be trusted, in one sentence each."""
    if summary.winner is None:
        return _nothing(summary)
    if not summary.is_search:
        return _direct(summary, summary.winner)
    return _outcome(summary, summary.winner), _trust(summary, summary.winner)


def _nothing(summary: Summary) -> tuple[str, str]:
    metric = summary.objective.metric
    if not summary.trials:
        return "No trial has been started yet.", f"There is no {metric} to report."
    failed = ", ".join(f"{len(g.numbers)} {g.failure}" for g in summary.failures)
    first = f"No trial has ended with a usable {metric}"
    if not failed:
        return f"{first} yet.", "The trials that were started have not ended."
    second = f"{words.count(summary.n_finished, 'trial')} ended, the failures being: {failed}."
    return f"{first}.", second


def _direct(summary: Summary, winner: Winner) -> tuple[str, str]:
    return (
        f"One direct training, no search: {summary.objective.metric} "
        f"{words.value(winner.value)} at epoch {winner.epoch}.",
        f"At its last epoch the value was {words.value(winner.last_value)}; "
        "the best epoch is the optimistic choice of the two.",
    )


def _outcome(summary: Summary, winner: Winner) -> str:
    metric = summary.objective.metric
    reached = f"{metric} {words.value(winner.value)}"
    if winner.number == 0:
        return f"The default settings (trial 0) stay the best, with {reached}."
    if winner.baseline is None or winner.difference is None:
        return f"Trial {winner.number} is the best, with {reached}; trial 0 has no value."
    if winner.difference == 0:
        return f"Trial {winner.number} reached {reached}, the same as the default settings."
    sense = "above" if winner.difference > 0 else "below"
    return (
        f"Trial {winner.number} is the best, with {reached}: "
        f"{words.value(abs(winner.difference))} {sense} the default settings "
        f"({words.value(winner.baseline)})."
    )


def _trust(summary: Summary, winner: Winner) -> str:
    ranked = f"It is the best of {words.count(summary.n_usable, 'usable trial')}"
    if summary.n_finished < summary.n_asked:
        ranked += f", {summary.n_finished} of {summary.n_asked} having ended"
    if winner.number == 0:
        return f"{ranked}; {winner.note}."
    better = "highest" if summary.objective.direction is Direction.MAXIMIZE else "lowest"
    lines = () if winner.confirmed is None else winner.confirmed.lines
    further = "".join(f" {line[0].upper()}{line[1:]}." for line in lines)
    return f"{ranked}, by the {better} value of any epoch; {winner.note}.{further}"
