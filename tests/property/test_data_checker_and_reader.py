"""What the checker of data accepts, the trainer reads; what the trainer refuses, the checker does.

One labelled image is damaged in every way that an example thinks of: bytes of the picture, values
of the annotation, or both.
"""

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.centerpose.batches.objects import objects_of
from automl.centerpose.batches.split import read_split
from automl.centerpose.config.dataset import Dataset
from automl.centerpose.evaluation.detections import GroundTruth
from automl.data.checks import Purpose, check_split
from automl.data.opencv import cv2, decodes
from automl.data.wholeimage import ReadThrough
from automl.errors import FixData
from tests.unit.data.conftest import annotation_of, png_of

pytestmark = pytest.mark.torch

_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.just(10**400),
    st.floats(),
    st.text(max_size=4),
    st.sampled_from(["True", "False", "1.0", "true"]),
    st.lists(st.integers(-2, 2) | st.floats(), max_size=4),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
_PICTURES = (png_of(6, 8), bytes(cv2.imencode(".jpg", np.full((8, 6, 3), 90, np.uint8))[1]))


def _places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The place of every value in a JSON tree, the groups included."""
    held: Any = ()
    if isinstance(value, dict | list):
        held = value.items() if isinstance(value, dict) else enumerate(value)
    return [place, *(below for key, inner in held for below in _places(inner, (*place, key)))]


@st.composite
def annotations(draw: st.DrawFn) -> str:
    tree = copy.deepcopy(annotation_of())
    for place in draw(st.lists(st.sampled_from(_places(tree)[1:]), max_size=2)):
        target: Any = tree
        try:
            for key in place[:-1]:
                target = target[key]
            if draw(st.booleans()):
                del target[place[-1]]
            else:
                target[place[-1]] = draw(_VALUES)
        except (KeyError, IndexError, TypeError):
            continue
    text = json.dumps(tree)
    return text[: draw(st.integers(0, len(text)))] if draw(st.integers(0, 9)) == 0 else text


@st.composite
def pictures(draw: st.DrawFn) -> bytes:
    content = bytearray(draw(st.sampled_from(_PICTURES)))
    for place in draw(st.lists(st.integers(0, len(content) - 1), max_size=3)):
        content[place] = draw(st.integers(0, 255))
    if draw(st.integers(0, 4)) == 0:
        del content[draw(st.integers(0, len(content))) :]
    return bytes(content)


@settings(max_examples=150)
@given(picture=pictures(), annotation=annotations(), suffix=st.sampled_from([".png", ".Jpg"]))
def test_the_checker_and_the_reader_agree(
    tmp_path_factory: pytest.TempPathFactory, picture: bytes, annotation: str, suffix: str
) -> None:
    root = tmp_path_factory.mktemp("split")
    try:
        (root / f"00000{suffix}").write_bytes(picture)
        (root / "00000.json").write_text(annotation)
        (root / "00001.png").write_bytes(png_of(6, 8))
        (root / "00001.json").write_text(json.dumps(annotation_of()))
        checked, read = _refusal(_check, root), _refusal(_read, root)
        assert bool(checked) == bool(read)
        assert not checked or checked.startswith(str(root))
    finally:
        shutil.rmtree(root)


def _refusal(action: Any, root: Path) -> str:
    try:
        action(root)
    except FixData as error:
        return error.where
    return ""


def _check(root: Path) -> None:
    check_split(root, Purpose(scored=True), ReadThrough(None, root, decodes).check)


def _read(root: Path) -> None:
    data = Dataset(category="cereal_box", batch_size=1)
    split = read_split(str(root), "dataset.val_data", data, 1, scored=True)
    for index in range(len(split)):
        split.stored.frames.pixels(index)
        GroundTruth.of(split.annotations[index])
    objects_of(split.annotations, data)
