"""The studies of a shared database, as text."""

from collections.abc import Sequence
from datetime import datetime

from automl.reports import words
from automl.reports.aligned import table
from automl.study.shared import SharedStudy

__all__ = ["shared_text"]


def shared_text(studies: Sequence[SharedStudy], now: datetime) -> str:
    """One study a line, in the order given."""
    rows = [
        (
            study.name,
            f"{study.n_ended}/{study.n_trials}",
            words.value(study.best),
            "-" if study.best_trial is None else str(study.best_trial),
            str(study.direction),
            words.duration(None if study.began is None else (now - study.began).total_seconds()),
        )
        for study in studies
    ]
    return "\n".join(
        table(("study", "ended", "best", "trial", "direction", "age"), rows, "lrrrlr")
    )
