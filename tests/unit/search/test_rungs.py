"""Where the rungs of a training are."""

from itertools import pairwise

import pytest

from automl.search.methods.hyperband import bracket_of
from automl.search.rungs import rung_epochs


@pytest.mark.parametrize(
    ("n_epochs", "interval", "rungs"),
    [
        (27, 1, (3, 9)),
        (12, 1, (2, 6)),
        (140, 1, (16, 48)),
        (140, 20, (40,)),
        (10, 1, (2, 6)),
        (6, 1, (2,)),
        (5, 1, ()),
        (10, 2, ()),
        (1, 1, ()),
    ],
)
def test_rungs_of_a_training(n_epochs: int, interval: int, rungs: tuple[int, ...]) -> None:
    assert rung_epochs(n_epochs, interval) == rungs


@pytest.mark.parametrize("n_epochs", range(6, 200))
@pytest.mark.parametrize("interval", [1, 2, 5])
def test_rungs_rise_by_eta_and_are_validated(n_epochs: int, interval: int) -> None:
    rungs = rung_epochs(n_epochs, interval)
    assert all(rung % interval == 0 for rung in rungs)
    assert all(later == 3 * rung for rung, later in pairwise(rungs))
    assert all(2 * interval <= rung < n_epochs for rung in rungs)


def test_a_first_rung_may_be_given() -> None:
    assert rung_epochs(27, 1, first=1) == (1, 3, 9)
    assert rung_epochs(30, 1, eta=2, first=5) == (5, 10, 20)


@pytest.mark.parametrize("bad", [(0, 1, 3, None), (9, 0, 3, None), (9, 1, 1, None), (9, 1, 3, 0)])
def test_impossible_rungs_are_refused(bad: tuple[int, int, int, int | None]) -> None:
    with pytest.raises(ValueError, match="rungs need n_epochs"):
        rung_epochs(*bad)


def test_brackets_take_turns_by_their_size() -> None:
    turns = [bracket_of(number, 2) for number in range(17)]
    assert turns[:6] == [0, 1, 0, 0, 2, 1]
    assert [turns.count(first) for first in range(3)] == [9, 5, 3]
    assert bracket_of(17, 2) == turns[0]
    assert bracket_of(5, 0) == 0
