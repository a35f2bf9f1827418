"""Whether ending trials early was right: from the trials that went on all the same."""

from collections.abc import Iterator, Sequence

from automl.reports import words
from automl.reports.findings import EarlyEnds
from automl.reports.model import Summary, TrialReport
from automl.reports.saved import saved_of
from automl.study.config import Objective, SearchSettings
from automl.study.ranking import best_of

__all__ = ["early_ends_of", "sentences"]


def early_ends_of(
    trials: Sequence[TrialReport], search: SearchSettings, objective: Objective
) -> EarlyEnds | None:
    """What the rungs of a study have done; None of a study without rungs, or before they have."""
    searched = [trial for trial in trials if trial.record.confirms is None]
    saved = saved_of(trials, search)
    audited = [trial for trial in searched if trial.record.audited and trial.record.is_usable]
    excused = [trial.record.excused for trial in searched if trial.record.excused]
    if not search.rungs or not (saved.numbers or audited or excused):
        return None
    gain = _gain(audited, searched, objective)
    return EarlyEnds(
        numbers=saved.numbers,
        saved_epochs=saved.epochs,
        saved=saved.share,
        saved_s=saved.seconds,
        audited=tuple(trial.number for trial in audited),
        right=tuple(trial.number for trial in audited if gain[trial.number] <= 0.0),
        regret=max(0.0, *gain.values()) if gain else 0.0,
        excused=excused[-1] if excused else "",
    )


def _gain(
    audited: Sequence[TrialReport], searched: Sequence[TrialReport], objective: Objective
) -> dict[int, float]:
    """By how much each audited trial beats the best of those that were not audited."""
    numbers = {trial.number for trial in audited}
    usable = [trial.record for trial in searched if trial.record.is_usable]
    others = [record for record in usable if record.number not in numbers]
    best = best_of(others, lambda record: record.best_value, objective)
    if best is None or best.best_value is None:
        return {trial.number: 0.0 for trial in audited}
    rival = objective.loss(best.best_value)
    values = {trial.number: trial.record.best_value for trial in audited}
    return {n: rival - objective.loss(value) for n, value in values.items() if value is not None}


def sentences(summary: Summary) -> Iterator[str]:
    """What the rungs have saved, whether that was right, and whether they still judge."""
    early = summary.early_ends
    if early is None:
        return
    if early.numbers:
        yield _saved(early)
    if early.audited:
        yield _audit(summary, early)
    if early.excused:
        yield early.excused


def _saved(early: EarlyEnds) -> str:
    ended = words.count(len(early.numbers), "trial")
    saved = f"{words.count(early.saved_epochs, 'epoch')} ({early.saved:.0%})"
    if early.saved_s is not None:
        saved += f" and an estimated {words.duration(early.saved_s)} of training"
    return f"{ended} ended early: {saved} were saved"


def _audit(summary: Summary, early: EarlyEnds) -> str:
    n, n_better = len(early.audited), len(early.audited) - len(early.right)
    trials = words.count(n, "trial") + (" that was behind was" if n == 1 else " behind were")
    checked = f"to check the rungs, {trials} trained to the end all the same"
    if not n_better:
        return f"{checked}; {'it did not' if n == 1 else 'none'} beat the best other trial"
    lost = f"{summary.objective.metric} {words.value(early.regret)} would have been lost"
    return f"{checked}; {n_better} of {n} beat the best other trial, and {lost} without the check"
