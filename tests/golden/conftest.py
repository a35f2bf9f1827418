"""Texts that are compared with files: a change in what users see is a change in a file."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

_FOLDER = Path(__file__).parent


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """``golden(name, text)`` compares with ``tests/golden/<name>``.

    With ``AUTOML_UPDATE_GOLDEN=1`` the file is rewritten instead; the difference is then reviewed
    like any other change.
    """

    def compare(name: str, text: str) -> None:
        file = _FOLDER / name
        if os.environ.get("AUTOML_UPDATE_GOLDEN") == "1":
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert file.is_file(), f"{file.name} is missing: AUTOML_UPDATE_GOLDEN=1 writes it"
        assert text == file.read_text(encoding="utf-8")

    return compare
