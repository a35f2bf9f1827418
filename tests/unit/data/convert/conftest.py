"""Frames whose truth is known, drawn once."""

from pathlib import Path

import pytest

pytest.importorskip("cv2")

from automl.data.synth.make import synthesise
from automl.data.synth.request import PRESETS, SynthRequest
from tests.unit.data.convert.sources import KnownFrame, known_frames


@pytest.fixture(scope="session")
def frames(tmp_path_factory: pytest.TempPathFactory) -> list[KnownFrame]:
    """Six images of one category, some with several objects of one size."""
    folder = tmp_path_factory.mktemp("synthetic") / "set"
    request = SynthRequest(
        category="cereal_box", train=6, val=0, test=0, seed=3, difficulty=PRESETS["moderate"]
    )
    synthesise(request, folder)
    return known_frames(folder / "train")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Where a test writes its source."""
    return tmp_path / "source"
