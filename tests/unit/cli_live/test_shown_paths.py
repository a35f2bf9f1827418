"""Paths as a person at a terminal sees them."""

from pathlib import Path

import pytest

from automl.cli.paths import shown


def test_a_path_below_here_is_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown(tmp_path / "studies" / "a") == Path("studies/a")
    assert shown(tmp_path.parent / "b") == tmp_path.parent / "b"
    assert shown(Path("c")) == Path("c")
