"""A store that goes away: asked again, and given up so that the study can be resumed."""

from pathlib import Path

import pytest

from automl.errors import ResumeLater
from automl.study.patience import Patience
from automl.study.patient_store import patiently
from automl.study.study_store import StoreError, StudyStore
from tests.s3 import BUCKET, bucket_at, s3_server


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
        "the study's store does not answer: waiting for it (no connection)",
        "the study's store answers again after 0 s",
    ]


def test_a_store_that_stays_away_ends_the_study_so_that_it_can_be_resumed() -> None:
    def ask() -> None:
        raise StoreError("it refuses access: Forbidden")

    with pytest.raises(ResumeLater) as refused:
        patiently(ask, Patience(wait_s=0.0))
    assert refused.value.got == "it refuses access: Forbidden"
    with pytest.raises(ResumeLater):  # the search is to end
        patiently(ask, Patience(is_over=lambda: True))


def test_what_a_server_says_is_one_kind_of_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "status.json"
    file.write_text("{}\n")
    with s3_server("127.0.0.1") as endpoint, bucket_at(endpoint, monkeypatch) as address:
        store = StudyStore(f"{address}/s").snapshots()
        assert store.push("k", [file])
        store.try_out()
        assert store.folders() == ["k"]
        store._system.rm(BUCKET, recursive=True)
        assert store.pull("k", tmp_path) == ()
        with pytest.raises(StoreError, match=r"what it held is gone: .*bucket"):
            store.push("k", [file])
        with pytest.raises(StoreError):
            store.try_out()
        store._system.mkdir(BUCKET)
        assert store.push("k", [file])  # all of it again
        assert store.pull("k", tmp_path / "there") == ("status.json",)
