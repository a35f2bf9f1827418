"""What ending trials early has saved, and whether it was right."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from automl.reports.early_ends import early_ends_of
from automl.reports.model import TrialReport
from automl.study.config import Direction, Objective, SearchSettings
from automl.study.records import TrialRecord, TrialState

UP = Objective("score", Direction.MAXIMIZE)
SEARCH = SearchSettings(fidelity="asha", rungs=(3,), n_epochs=9)
COMPLETE, PAUSED, PRUNED = TrialState.COMPLETE, TrialState.PAUSED, TrialState.PRUNED


def report(
    number: int, values: Sequence[float], state: TrialState = COMPLETE, audited: str = ""
) -> TrialReport:
    by_epoch = dict(enumerate(values))
    best = max(by_epoch, key=by_epoch.__getitem__)
    return TrialReport(
        TrialRecord(
            number,
            state,
            {},
            values=by_epoch,
            best_epoch=best,
            best_value=by_epoch[best],
            seconds=25.0 + 10.0 * len(values),
            audited=audited,
        ),
        epoch_s=10.0,
    )


def test_what_was_saved() -> None:
    trials = [
        report(0, [0.1] * 9),
        report(1, [0.1] * 3, PAUSED),
        report(2, [0.1] * 3, PRUNED),
        report(3, [0.1] * 9),
    ]
    early = early_ends_of(trials, SEARCH, UP)
    assert early is not None
    assert early.numbers == (1, 2)
    assert early.saved_epochs == 12
    assert early.saved == pytest.approx(12 / 36)
    assert early.saved_s == pytest.approx(120.0)
    assert early.audited == ()
    assert early.regret == 0.0


@pytest.mark.parametrize(
    ("finals", "right", "regret"),
    [((0.4, 0.5), (1, 2), 0.0), ((0.4, 0.8), (1,), 0.2), ((0.9, 0.8), (), 0.3)],
)
def test_the_audit_compares_with_the_best_of_all_others(
    finals: tuple[float, float], right: tuple[int, ...], regret: float
) -> None:
    audited = [report(n, [value] * 9, audited="behind") for n, value in enumerate(finals, 1)]
    early = early_ends_of([report(0, [0.6] * 9), *audited], SEARCH, UP)
    assert early is not None
    assert early.audited == (1, 2)
    assert early.right == right
    assert early.regret == pytest.approx(regret)


def test_lower_may_be_better() -> None:
    down = Objective("error", Direction.MINIMIZE)
    audited = report(1, [0.4] * 9, audited="behind")
    early = early_ends_of([report(0, [0.6] * 9), audited], SEARCH, down)
    assert early is not None
    assert early.right == ()
    assert early.regret == pytest.approx(0.2)


def test_without_rungs_or_early_ends_there_is_nothing_to_say() -> None:
    stopped = [report(0, [0.1] * 9), report(1, [0.1] * 3, PRUNED)]
    assert early_ends_of(stopped, SearchSettings(pruner="median"), UP) is None
    assert early_ends_of(stopped[:1], SEARCH, UP) is None
    excused = replace(stopped[0].record, excused="a rung judges no more")
    early = early_ends_of([TrialReport(excused)], SEARCH, UP)
    assert early is not None
    assert early.excused == "a rung judges no more"
    assert early.saved == 0.0


def test_confirmations_are_no_part_of_it() -> None:
    confirming = replace(report(2, [0.9] * 9).record, confirms=1)
    early = early_ends_of(
        [report(0, [0.6] * 9), report(1, [0.5] * 9, audited="behind"), TrialReport(confirming)],
        SEARCH,
        UP,
    )
    assert early is not None
    assert early.right == (1,)
