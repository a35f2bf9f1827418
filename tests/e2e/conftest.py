"""Terminals for the tests that run the command line as users do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal, opened


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A folder of its own to run commands in; nothing that they started outlives the test."""
    yield from opened(tmp_path)


@pytest.fixture(scope="module")
def shared_terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """One folder for the tests of a file that look at the same study."""
    yield from opened(tmp_path_factory.mktemp("shared"))
