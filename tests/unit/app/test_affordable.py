"""Whoever asks for more trainings of a study whose time is used up is told so."""

import pytest

from automl.app.extending import check_affordable
from automl.errors import FixInput
from automl.search.decision import EndCause, SearchEnd

OVER = SearchEnd(EndCause.LIMITS, "the budget is used up (--max-wall 7m)")


@pytest.mark.parametrize(("name", "flag"), [("confirm", "--seeds"), ("trials", "--trials")])
def test_more_trainings_need_time(name: str, flag: str) -> None:
    with pytest.raises(FixInput, match="used up") as error:
        check_affordable(OVER, {name: 3})
    assert error.value.where == flag
    assert "--max-wall" in error.value.fix
    check_affordable(None, {name: 3})


def test_going_on_as_it_is_needs_none() -> None:
    check_affordable(OVER, {"trials": None, "confirm": None, "require": "trials > 2"})
