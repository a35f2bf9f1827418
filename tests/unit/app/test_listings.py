"""Lists of studies: what has ended is remembered, and looked at again once it was written to."""

from pathlib import Path

import pytest

from automl.app.listings import listings_of
from automl.reports import summary
from automl.reports.glancing import listing_of
from automl.reports.model import Summary
from automl.reports.summary import read_summary
from automl.study.folder import list_studies
from automl.study.layout import StudyPaths
from automl.study.lock import StudyLock
from tests.bench.scale_folder import make_study


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The studies that were read, not remembered."""
    monkeypatch.setenv("AUTOML_CACHE_DIR", str(tmp_path / "cache"))
    names: list[str] = []

    def _noted(folder: Path) -> Summary:
        names.append(folder.name)
        return read_summary(folder)

    monkeypatch.setattr(summary, "read_summary", _noted)
    return names


def test_what_has_ended_is_read_once_until_it_is_written_to(
    tmp_path: Path, read: list[str]
) -> None:
    studies = tmp_path / "studies"
    for name in ("bikes", "chairs"):
        make_study(studies, name, 3)
    first = listings_of(studies)
    assert sorted(read) == ["bikes", "chairs"]
    known = [listing_of(read_summary(paths.folder)) for paths in list_studies(studies)]
    assert [*first] == known
    assert {listing.best_trial for listing in first} != {None}
    read.clear()
    assert [*listings_of(studies)] == [*first]
    assert read == []
    journal = StudyPaths(studies / "bikes").journal
    journal.write_bytes(journal.read_bytes()[:-40])
    listings_of(studies)
    assert read == ["bikes"]


def test_a_study_that_was_broken_off_is_read_again_once_it_is_gone_on_with(
    tmp_path: Path, read: list[str]
) -> None:
    paths = make_study(tmp_path / "studies", "bikes", 3)
    paths.state.unlink()
    paths.journal.write_bytes(b"".join(paths.journal.read_bytes().splitlines(True)[:60]))
    for _ in range(2):
        (listing,) = listings_of(tmp_path / "studies")
        assert listing.status == "interrupted"
    assert read == ["bikes"]
    with StudyLock(paths):
        (listing,) = listings_of(tmp_path / "studies")
        assert listing.status == "running"
    assert read == ["bikes", "bikes"]


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 1, "version": "0", "studies": {}}'])
def test_a_cache_that_cannot_be_read_is_made_again(
    tmp_path: Path, read: list[str], content: str
) -> None:
    make_study(tmp_path / "studies", "bikes", 2)
    listings_of(tmp_path / "studies")
    for folder in ("listings", "glances"):
        (file,) = (tmp_path / "cache" / folder).iterdir()
        file.write_text(content)
    listings_of(tmp_path / "studies")
    listings_of(tmp_path / "studies")
    assert read == ["bikes", "bikes"]
