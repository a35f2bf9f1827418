"""Inputs that nobody means to give, and what must hold of each: it is read, or refused by name.

A refusal is an error of this package that says which rule is broken; anything else that is raised
is a fault. ``tests/property/test_fuzz.py`` runs a few of each kind, ``tests/bench/fuzz.py``
thousands, with their times.
"""

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from automl.centerpose.batches.objects import objects_of
from automl.centerpose.config.dataset import Dataset
from automl.centerpose.config.load import load_spec
from automl.centerpose.config.overrides import apply_overrides
from automl.centerpose.evaluation.detections import GroundTruth
from automl.centerpose.network import CenterPose
from automl.data.imagefile import BrokenImage
from automl.data.objectron import read_annotation
from automl.data.opencv import cv2, decodes
from automl.data.wholeimage import ReadThrough
from automl.errors import AutomlError, FixInput
from automl.skill.read import own_skill_dir, read_action_schema, read_skill, read_template
from automl.spec.build import SpecRequest, build_base
from automl.spec.values import parse_assignment
from automl.yamltext import dump_yaml, load_yaml
from tests.unit.data.conftest import annotation_of, png_of

__all__ = ["KINDS", "READ", "Kind"]

READ = "read"
"""What ``Kind`` answers for an input that was read."""

_SKILL = read_skill(own_skill_dir())
_SCHEMA = read_action_schema(_SKILL, "train")
_KEYS = sorted(_SCHEMA.leaves)
_TEMPLATE = dump_yaml(read_template(_SKILL, "train"))

Strategy = st.SearchStrategy[Any]


class Kind:
    """One kind of input: where it comes from, and what reads it.

    Args:
        strategy: Draws an input.
        read: Reads one in a folder of its own; raises where it refuses it.
    """

    def __init__(self, strategy: Strategy, read: Callable[[Any, Path], None]) -> None:
        self.strategy = strategy
        self._read = read

    def outcome(self, value: Any, folder: Path) -> str:
        """``read``, or the rule by which the input was refused.

        Raises:
            AssertionError: It was refused without a rule.
        """
        refused: AutomlError | BrokenImage | None = None
        try:
            self._read(value, folder)
        except (AutomlError, BrokenImage) as error:
            refused = error
        if refused is None:
            return READ
        assert refused.rule
        assert "\n" not in refused.rule
        return f"{type(refused).__name__}: {refused.rule}"


# -- values -----------------------------------------------------------------------------------

_EXTREMES = [0, 1, -1, 1e-320, 5e-324, 1e308, -1e308, 2**63, -(2**63) - 1, 10**400, 0.1]
_NUMBERS = st.integers() | st.floats() | st.sampled_from(_EXTREMES)
_WORDS = st.sampled_from(
    [
        *("yes", "no", "on", "off", "y", "true", "False", "null", "~", "", " ", "???", "4"),
        *("0x10", "1_000", "1e400", "nan", "inf", "-", "=", "[", "{", "&a", "*a", "!!python/a"),
        *("${.batch_size}", "${..train.seed}", "${oc.env:HOME}", "${train.seed}", "${a", "${}"),
    ]
)
_SCALARS = st.none() | st.booleans() | _NUMBERS | _WORDS | st.text(max_size=6)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


def _places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The place of every value in a tree of JSON, the groups included."""
    held: Any = ()
    if isinstance(value, dict | list):
        held = value.items() if isinstance(value, dict) else enumerate(value)
    return [place, *(below for key, inner in held for below in _places(inner, (*place, key)))]


@st.composite
def _cut(draw: st.DrawFn, texts: st.SearchStrategy[bytes]) -> bytes:
    """Bytes with some changed, some put in, some taken out, or the end cut off."""
    content = bytearray(draw(texts))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, max(0, len(content) - 1)))
        match draw(st.integers(0, 5)):
            case 0 | 1 | 2:
                content[place : place + 1] = draw(st.binary(min_size=1, max_size=1))
            case 3:
                content[place:place] = draw(st.binary(max_size=8))
            case 4:
                del content[place : place + draw(st.integers(1, 40))]
            case _:
                del content[place:]
    return bytes(content)


# -- annotations ------------------------------------------------------------------------------

_PLACES = _places(annotation_of())[1:]
_MEASURES = (
    st.floats(allow_nan=False, allow_infinity=False) | st.floats(-2, 2) | st.integers(-9, 9)
)


@st.composite
def _annotations(draw: st.DrawFn) -> bytes:
    tree = copy.deepcopy(annotation_of())
    for place in draw(st.lists(st.sampled_from(_PLACES), max_size=2)):
        target: Any = tree
        try:
            for key in place[:-1]:
                target = target[key]
            if isinstance(target[place[-1]], float | int) and draw(st.integers(0, 3)):
                target[place[-1]] = draw(_MEASURES)
            elif draw(st.integers(0, 3)) == 0:
                del target[place[-1]]
            else:
                target[place[-1]] = draw(_VALUES)
        except (KeyError, IndexError, TypeError):
            continue
    return json.dumps(tree).encode()


def _read_annotation(content: bytes, folder: Path) -> None:
    path = folder / "00000.json"
    path.write_bytes(content)
    annotation = read_annotation(path)
    for category in ("cereal_box", "bottle"):
        found = objects_of([annotation], Dataset(category=category))
        assert np.isfinite(found.scale).all()
    truth = GroundTruth.of(annotation)
    assert np.isfinite(truth.keypoints_3d).all()


# -- images -----------------------------------------------------------------------------------

_PICTURE = np.arange(8 * 6 * 3, dtype=np.uint8).reshape(8, 6, 3)
_IMAGES = [
    png_of(6, 8),
    *(bytes(cv2.imencode(ending, _PICTURE)[1]) for ending in (".jpg", ".png", ".bmp")),
    bytes(cv2.imencode(".jpg", _PICTURE, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1]),
]


def _read_image(content: bytes, folder: Path) -> None:
    path = folder / "00000.png"
    path.write_bytes(content)
    image = ReadThrough(None, folder, decodes).check(path)
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    assert pixels is not None
    assert pixels.shape[:2] == (image.height, image.width)


# -- specs ------------------------------------------------------------------------------------


_NEAR = st.one_of(
    st.booleans(),
    st.integers(0, 512),
    st.floats(0, 1),
    st.integers(0, 64).map(str),
    st.sampled_from(["yes", "off", "6e-05", "fp32", "nano", "${train.seed}", "${..seed}", ""]),
    st.lists(st.integers(0, 40), max_size=5),
)


@st.composite
def _trees(draw: st.DrawFn) -> bytes:
    """The template with some settings changed, or unknown ones added."""
    tree: dict[str, Any] = load_yaml(_TEMPLATE, where="template")
    for _ in range(draw(st.integers(0, 3))):
        *parents, last = draw(st.sampled_from(_KEYS)).split(".")
        block = tree
        for part in parents:
            inner = block.get(part)
            block[part] = inner if isinstance(inner, dict) else {}
            block = block[part]
        name = draw(st.text("abc._é", max_size=5)) if draw(st.integers(0, 9)) == 0 else last
        block[name] = draw(_NEAR if draw(st.booleans()) else _VALUES)
    return dump_yaml(tree).encode()


def _read_spec(content: bytes, folder: Path) -> None:
    """By the plan and by the trainer's own reader: what the one takes, the other reads."""
    path = folder / "spec.yaml"
    path.write_bytes(content)
    tree = build_base(_SKILL, "train", SpecRequest(spec_file=path)).tree
    CenterPose().check_spec(tree)
    load_spec(tree, "train")


# -- overrides --------------------------------------------------------------------------------

_SIGNS = st.sampled_from([*[""] * 8, "+", "++", "++", "~", "+++", "=", "--"])
_ODD_NAMES = st.sampled_from(["train", "model", "", "a.b", "train..lr"]) | st.text(max_size=6)
_NAMES = st.sampled_from(_KEYS)
_TEXTS = _NEAR.map(str) | _WORDS | _NUMBERS.map(str) | _VALUES.map(repr) | st.text(max_size=12)


@st.composite
def _overrides(draw: st.DrawFn) -> list[str]:
    one = st.builds(
        lambda sign, name, equals, text: f"{sign}{name}{equals}{text}",
        _SIGNS,
        st.one_of(_NAMES, _NAMES, _NAMES, _NAMES, _ODD_NAMES),
        st.sampled_from([*["="] * 9, "", " = ", ":"]),
        _TEXTS,
    )
    return draw(st.lists(one, min_size=1, max_size=2))


def _read_overrides(given: list[str], folder: Path) -> None:
    """By the trainer program, and each alone as ``--set``."""
    del folder
    refused: FixInput | None = None
    for text in given:
        try:
            build_base(_SKILL, "train", SpecRequest(dict([parse_assignment(text)])))
        except FixInput as error:
            refused = error
    load_spec(apply_overrides(load_yaml(_TEMPLATE, where="template"), given), "train")
    if refused is not None:
        raise refused


KINDS: Mapping[str, Kind] = {
    "annotations": Kind(_annotations() | _cut(_annotations()), _read_annotation),
    "images": Kind(_cut(st.sampled_from(_IMAGES)) | st.binary(max_size=64), _read_image),
    "specs": Kind(_trees() | _cut(st.just(_TEMPLATE.encode())), _read_spec),
    "overrides": Kind(_overrides(), _read_overrides),
}
