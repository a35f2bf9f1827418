"""What ending trials early has saved: the one estimate that every text and figure shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median, median_low

from automl.reports.trial_report import TrialReport
from automl.study.config import SearchSettings
from automl.study.records import Measurement, TrialState

__all__ = ["NOTHING", "Saved", "epoch_seconds", "saved_of"]

_EARLY = (TrialState.PRUNED, TrialState.PAUSED)


@dataclass(frozen=True, slots=True)
class Saved:
    """What trials that ended early were not trained.

    Attributes:
        numbers: The trials of the search that were stopped before their last epoch, or are paused.
        epochs: Epochs that they were not trained, together.
        share: The same as a share of what all trials would have been trained otherwise.
        seconds: About how much training time that is; None where no pace was measured.
    """

    numbers: tuple[int, ...] = ()
    epochs: int = 0
    share: float = 0.0
    seconds: float | None = None


NOTHING = Saved()


def epoch_seconds(measured: Sequence[Measurement]) -> float | None:
    """Seconds from one epoch to the next, with its share of a validation; None if not known.

    The median over the measurements after the first: what comes before that one (the process, the
    data, the compilation) is paid by every attempt, and so is what a pause puts between two.

    Args:
        measured: The measurements of one trial, by epoch; an ``elapsed_s`` may be NaN.
    """
    timed = [entry for entry in measured if entry.elapsed_s == entry.elapsed_s]
    steps = [(b.elapsed_s - a.elapsed_s) / (b.epoch - a.epoch) for a, b in pairwise(timed)]
    pace = median(steps) if steps else 0.0
    return pace if pace > 0.0 else None


def saved_of(trials: Sequence[TrialReport], search: SearchSettings) -> Saved:
    """An estimate of what ending trials early has saved.

    Each trial that ended early would have gone on for its missing epochs at its own pace, without
    another start. One that was measured once has no pace: the median of the others stands for it.

    Args:
        trials: Every trial; trainings with fresh seeds are no part of it.
        search: Says how long a whole training is; where it does not, those that ran to their end.
    """
    searched = [trial for trial in trials if trial.record.confirms is None]
    whole = [_n_epochs(trial) for trial in searched if trial.record.is_usable]
    early = [trial for trial in searched if trial.record.state in _EARLY]
    n_epochs = search.n_epochs or (median_low(whole) if whole else 0)
    if not early or not n_epochs:
        return NOTHING
    left = [max(0, n_epochs - _n_epochs(trial)) for trial in early]
    known = [trial.epoch_s for trial in searched if trial.epoch_s is not None]
    usual = median(known) if known else None
    paces = [usual if trial.epoch_s is None else trial.epoch_s for trial in early]
    seconds = [n * pace for n, pace in zip(left, paces, strict=True) if pace is not None]
    return Saved(
        numbers=tuple(trial.number for trial in early),
        epochs=sum(left),
        share=sum(left) / (n_epochs * (len(whole) + len(early))),
        seconds=sum(seconds) if seconds else None,
    )


def _n_epochs(trial: TrialReport) -> int:
    return 0 if trial.last_epoch is None else trial.last_epoch + 1
