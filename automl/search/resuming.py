"""What it costs to go on from a checkpoint, measured on the trials of the study."""

from functools import partial
from statistics import median

from automl.search.method import SearchView, TrialView
from automl.search.sorted_values import SortedValues

__all__ = ["pausing_pays", "start_seconds"]


def start_seconds(view: SearchView) -> float | None:
    """Seconds that an attempt takes before its first epoch begins.

    What the first measurement of a trial took beyond its epochs, at the pace of its later ones;
    the median over the trials. None before a trial has been measured twice.
    """
    starts = view.kept("seconds of a start", lambda: SortedValues(_start)).values
    return median(starts) if starts else None


def _start(trial: TrialView) -> float | None:
    if len(trial.measured) < 2:
        return None
    first, *later = trial.measured
    pairs = zip(trial.measured[:-1], later, strict=True)
    # A pause falls between two of the measurements, which the median passes over.
    pace = median((b.elapsed_s - a.elapsed_s) / (b.epoch - a.epoch) for a, b in pairs)
    return max(0.0, first.elapsed_s - pace * (first.epoch + 1))


def pausing_pays(view: SearchView, rung: int) -> bool:
    """Whether going on from a checkpoint is cheaper than to train to the rung once more.

    A pause keeps what a trial has trained so far; to come back costs the start of one attempt.
    Until both have been measured a pause is taken to pay.

    Args:
        view: The study.
        rung: The epoch, counted from 1.
    """
    start = start_seconds(view)
    made = partial(SortedValues, partial(_seconds_to, rung))
    reached = view.kept(("seconds to a rung", rung), made).values
    if start is None or not reached:
        return True
    return start < median(reached) - start


def _seconds_to(rung: int, trial: TrialView) -> float | None:
    """Seconds from the start of a trial's first attempt to a rung."""
    return next((entry.elapsed_s for entry in trial.measured if entry.epoch + 1 == rung), None)
