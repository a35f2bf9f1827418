"""The dashboard of the real package over a copy of a study."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from automl.errors import FixInput, InstallExtra, PrepareMachine
from automl.reports.dashboard import HOST, JournalCopy, dashboard_of
from automl.study.records import OutcomeState
from tests.unit.reports.study_builder import StudyBuilder, Told, fill, params

pytestmark = pytest.mark.timeout(30)


@contextmanager
def served(study: StudyBuilder, port: int = 0) -> Iterator[str]:
    """The address of a dashboard of a study."""
    with dashboard_of(study.paths, study.config, port) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def fetch(address: str, method: str = "GET") -> Any:
    request = urllib.request.Request(address, method=method)  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return json.load(answer)


@pytest.fixture
def study(studies_dir: Any) -> StudyBuilder:
    builder = StudyBuilder(studies_dir)
    fill(builder)
    return builder


class TestServed:
    @pytest.fixture(autouse=True)
    def _extra(self) -> None:
        pytest.importorskip("optuna_dashboard", reason="the extra dashboard")

    def test_the_trials_are_there_and_the_journal_is_left_alone(self, study: StudyBuilder) -> None:
        before = study.paths.journal.read_bytes()
        with served(study) as address:
            (summary,) = fetch(f"{address}/api/studies")["study_summaries"]
            assert summary["study_name"] == "bike-fan"
            detail = fetch(f"{address}/api/studies/{summary['study_id']}")
            assert len(detail["trials"]) == 9
            with pytest.raises(urllib.error.HTTPError) as refused:
                fetch(f"{address}/api/studies/{summary['study_id']}", "DELETE")
            assert refused.value.code == 403
            refused.value.close()
            assert len(fetch(f"{address}/api/studies")["study_summaries"]) == 1
        assert study.paths.journal.read_bytes() == before

    def test_a_port_that_is_taken_is_said(self, study: StudyBuilder) -> None:
        with served(study) as address:
            port = int(address.rpartition(":")[2])
            with pytest.raises(PrepareMachine, match="a port that is free"), served(study, port):
                pass

    def test_a_study_that_has_not_begun_has_none(self, studies_dir: Any) -> None:
        with pytest.raises(FixInput, match="has begun"), served(StudyBuilder(studies_dir)):
            pass


def test_the_copy_follows_whole_lines(study: StudyBuilder, tmp_path: Any) -> None:
    copy = JournalCopy(study.paths.journal, tmp_path / "copy")
    copy.follow()
    assert (tmp_path / "copy").read_bytes() == study.paths.journal.read_bytes()
    with study.paths.journal.open("ab") as journal:
        journal.write(b'{"op_code": 4')
    copy.follow()
    whole = (tmp_path / "copy").read_bytes()
    assert not whole.endswith(b"4")
    with study.paths.journal.open("ab") as journal:
        journal.write(b"}\n")
    copy.follow()
    assert (tmp_path / "copy").read_bytes() == study.paths.journal.read_bytes()


def test_without_the_extra_it_is_named(
    study: StudyBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "optuna_dashboard", None)
    study.add(8, Told(params(), [0.1], OutcomeState.OK))
    with pytest.raises(InstallExtra, match="optuna-dashboard"), served(study):
        pass
