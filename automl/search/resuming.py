"""What it costs to go on from a checkpoint, measured on the trials of the study."""

from statistics import median

from automl.search.method import SearchView, TrialView

__all__ = ["pausing_pays", "start_seconds"]


def start_seconds(view: SearchView) -> float | None:
    """Seconds that an attempt takes before its first epoch begins.

    What the first measurement of a trial took beyond its epochs, at the pace of its later ones;
    the median over the trials. None before a trial has been measured twice.
    """
    starts = [_start(trial) for trial in view.trials if len(trial.measured) > 1]
    return median(starts) if starts else None


def _start(trial: TrialView) -> float:
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
    known = [_seconds_to(trial, rung) for trial in view.trials]
    reached = [seconds for seconds in known if seconds is not None]
    if start is None or not reached:
        return True
    return start < median(reached) - start


def _seconds_to(trial: TrialView, rung: int) -> float | None:
    """Seconds from the start of a trial's first attempt to a rung."""
    return next((entry.elapsed_s for entry in trial.measured if entry.epoch + 1 == rung), None)
