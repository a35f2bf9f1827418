"""What every test shares: one way to leave the user's own files and the network alone."""

import os
from pathlib import Path

import pytest

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or fills the cache of the person who runs it."""
    monkeypatch.setenv("AUTOML_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def studies_dir(tmp_path: Path) -> Path:
    """An empty folder for the studies of one test."""
    folder = tmp_path / "studies"
    folder.mkdir()
    return folder
