"""One browser and one report for all tests that look at the page as its readers do."""

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.browser.study import a_whole_study

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

_NAMES = ("chromium", "chromium-browser", "google-chrome")


def _chromium() -> str:
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip("no Chromium was found on this machine: the page was not looked at")
    return found


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """The system's Chromium; playwright's own is never fetched."""
    api = pytest.importorskip(
        "playwright.sync_api", reason="needs playwright: pip install -e '.[dev]'"
    )
    program = _chromium()
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        yield started
        started.close()


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the page of a search with failures, confirmations, logs and GPU samples."""
    page: Path = a_whole_study(tmp_path_factory.mktemp("browser"))
    return page.as_uri()
