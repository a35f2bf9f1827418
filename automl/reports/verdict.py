"""The verdict on a study: two sentences that never claim more than the trials show.

Where the winner was trained again with fresh seeds their mean leads: the value that made it the
winner is the luckiest of many.
"""

from automl.reports import words
from automl.reports.findings import ONE_SEED, Winner
from automl.reports.model import Summary
from automl.study.config import Direction

__all__ = ["FAKE", "headline", "leading", "note_of", "on_images", "verdict"]

FAKE = "FAKE: a script made these numbers up; nothing was trained"


def headline(summary: Summary) -> str:
    """The outcome in a few words: the value that leads, or that there is none."""
    if summary.winner is None:
        return "no usable trial" if summary.trials else "no trial yet"
    return leading(summary, summary.winner)


def leading(summary: Summary, winner: Winner) -> str:
    """The metric with the mean of the fresh seeds, else with the winner's value of one seed."""
    metric = summary.objective.metric
    if winner.confirmed is None or winner.mean is None:
        return f"{metric} {words.value(winner.value)}"
    return f"{metric} {winner.confirmed.winner}, mean of fresh seeds{on_images(summary)}"


def on_images(summary: Summary) -> str:
    """On how many validation images a value rests; empty where nobody counted them."""
    n = summary.n_validation
    return "" if n is None else f" on {words.count(n, 'validation image')}"


def note_of(summary: Summary, winner: Winner) -> str:
    """What keeps a reader from taking the value for more than it is, and what would tell."""
    confirm = summary.command("confirm")
    if winner.note == ONE_SEED and confirm:
        return f"{winner.note}; `{confirm}` tells"
    return winner.note


def verdict(summary: Summary) -> tuple[str, str]:
    """What came out, and how far it can be trusted, in one sentence each."""
    if summary.winner is None:
        return _nothing(summary)
    if not summary.is_search:
        return _direct(summary, summary.winner)
    held = "" if summary.held_out is None else f"{summary.held_out.sentence} "
    return _outcome(summary, summary.winner), held + _trust(summary, summary.winner)


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
        f"{words.value(winner.value)}{on_images(summary)} at epoch {winner.epoch}.",
        f"At its last epoch the value was {words.value(winner.last_value)}; "
        "the best epoch is the optimistic choice of the two.",
    )


def _outcome(summary: Summary, winner: Winner) -> str:
    metric = summary.objective.metric
    if winner.confirmed is not None and winner.mean is not None:
        means = f"{metric} {winner.confirmed.means}, means of fresh seeds{on_images(summary)}"
        return f"Trial {winner.number} is {winner.confirmed.phrase}: {means}."
    reached = f"{metric} {words.value(winner.value)}{on_images(summary)}"
    if winner.number == 0:
        if summary.n_usable == 1:
            return f"Nothing but the default settings (trial 0) has a value: {reached}."
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
    if summary.n_usable == 1:
        ranked = "It is the only usable trial"
    if summary.n_finished < summary.n_asked:
        ranked += f", {summary.n_finished} of {summary.n_asked} having ended"
    if winner.number == 0:
        return f"{ranked}; {winner.note}."
    chosen = _chosen(summary, winner)
    if winner.confirmed is None or winner.mean is None:
        return f"{ranked}, {chosen}; {winner.note}."
    lines = "".join(f" {line[0].upper()}{line[1:]}." for line in winner.confirmed.details)
    one_seed = f"{words.value(winner.value)} with one seed"
    return f"{ranked}, {chosen}, {one_seed}.{lines}"


def _chosen(summary: Summary, winner: Winner) -> str:
    """By what it is the best: what is expected of it, else its value."""
    if winner.weighed is not None:
        return f"by what is expected of it: {winner.weighed}"
    better = "highest" if summary.objective.direction is Direction.MAXIMIZE else "lowest"
    return f"by the {better} value of any epoch"
