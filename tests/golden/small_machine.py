"""The machine and the folder that texts in golden files are of."""

import sys
from pathlib import Path

import pytest

from automl.app.machine import Machine
from tests.small_data import write_split

__all__ = ["put_on_a_small_machine"]


def put_on_a_small_machine(folder: Path, study: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goes to a folder with a study file and small data, on a machine of two CPUs.

    Args:
        folder: Where to.
        study: What ``study.yaml`` says.
        monkeypatch: Of the test.
    """
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("AUTOML_STUDIES_DIR", raising=False)
    monkeypatch.setattr("automl.app.plan.detect_machine", lambda: Machine(cpus=2))
    monkeypatch.setattr(sys, "argv", ["automl"])
    for split in ("train", "val"):
        write_split(folder / "data" / split, 8)
    (folder / "study.yaml").write_text(study)
