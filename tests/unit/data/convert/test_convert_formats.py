"""Each format holds the same scene, and gives the same labels."""

from pathlib import Path

import numpy as np
import pytest

from automl.data.checks import check_split, purpose_of
from automl.data.convert.conversion import ConvertRequest, convert
from automl.data.convert.formats import format_of
from automl.data.layout import list_frames
from automl.data.objectron import read_annotation
from tests.unit.data.convert.sources import WRITERS, KnownFrame

#: Formats that say where the camera stands in the world.
WITH_WORLD = frozenset({"bop", "isaac", "isaac-centerpose", "objectron"})
#: Objectron's files hold 32-bit numbers.
_METRES, _PIXELS = 1e-4, 0.02


@pytest.mark.parametrize("variant", sorted({*WRITERS} - {"isaac-dope"}))  # that one lacks a size
def test_every_format_gives_the_boxes_of_the_scene(
    variant: str, frames: list[KnownFrame], source: Path, tmp_path: Path
) -> None:
    name, write, kind = WRITERS[variant]
    root = write(source, frames)
    assert format_of(root) == name
    made = convert(ConvertRequest(root, tmp_path / "out"))
    assert made.format == name
    assert made.skipped == []
    assert made.counts.kept == {kind: sum(len(frame.boxes) for frame in frames)}
    found = list_frames(tmp_path / "out" / "train")
    assert len(found) == len(frames)
    for frame, known in zip(found, frames, strict=True):
        annotation = read_annotation(frame.annotation)
        assert (annotation.width, annotation.height) == known.size
        assert annotation.intrinsics.matrix() == pytest.approx(known.camera.matrix(), abs=1e-3)
        if variant in WITH_WORLD:
            assert annotation.view == pytest.approx(known.truth.view, abs=1e-5)
        for item, truth in zip(annotation.objects, known.truth.objects, strict=True):
            assert item.category == kind
            assert np.abs(item.keypoints_3d - truth.keypoints_3d).max() < _METRES
            assert np.abs(item.projected_cuboid - truth.projected_cuboid).max() < _PIXELS
            assert item.scale == pytest.approx(truth.scale, abs=_METRES)
            assert item.location == pytest.approx(truth.location, abs=_METRES)
            assert item.visibility is not None
            if variant != "ycb":
                assert item.visibility == pytest.approx(truth.visibility)
    check_split(tmp_path / "out" / "train", purpose_of("val"))
