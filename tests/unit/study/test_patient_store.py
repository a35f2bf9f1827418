"""A store that goes away: asked again, and given up so that the study can be resumed."""

import pytest

from automl.errors import ResumeLater
from automl.study.patience import Patience
from automl.study.patient_store import patiently
from automl.study.study_store import StoreError


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl.study.patience.time.sleep", lambda _: None)


def test_a_store_that_comes_back_is_asked_again() -> None:
    answers: list[StoreError | str] = [*[StoreError("no connection")] * 2, "here"]
    told: list[str] = []

    def ask() -> str:
        answer = answers.pop(0)
        if isinstance(answer, StoreError):
            raise answer
        return answer

    assert patiently(ask, Patience(tell=told.append)) == "here"
    assert told == [
        "waiting for the study's store: no connection",
        "the study's store works again after 0 s",
    ]


def test_a_store_that_stays_away_ends_the_study_so_that_it_can_be_resumed() -> None:
    def ask() -> None:
        raise StoreError("it refuses access: Forbidden")

    with pytest.raises(ResumeLater) as refused:
        patiently(ask, Patience(wait_s=0.0))
    assert refused.value.got == "it refuses access: Forbidden"
    with pytest.raises(ResumeLater):  # the search is to end
        patiently(ask, Patience(is_over=lambda: True))
