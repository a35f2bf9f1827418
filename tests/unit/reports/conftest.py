"""Study folders for the tests of reports."""

from pathlib import Path

import pytest

from tests.unit.reports.study_builder import StudyBuilder, fill


@pytest.fixture
def full_study(studies_dir: Path) -> Path:
    """A finished search with every kind of trial."""
    builder = StudyBuilder(studies_dir)
    fill(builder)
    return builder.folder
