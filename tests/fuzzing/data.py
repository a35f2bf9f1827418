"""Annotations, images and archives of data sets."""

import copy
import gzip
import io
import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from automl.centerpose.batches.objects import objects_of
from automl.centerpose.config.dataset import Dataset
from automl.centerpose.evaluation.detections import GroundTruth
from automl.data.archive import resolve_source
from automl.data.checks import Purpose, check_split
from automl.data.objectron import read_annotation
from automl.data.opencv import cv2, decodes
from automl.data.wholeimage import ReadThrough
from tests.fuzzing.kind import VALUES, Kind, cut, places
from tests.unit.data.conftest import annotation_of, png_of

__all__ = ["ANNOTATIONS", "ARCHIVES", "IMAGES"]

# -- annotations ------------------------------------------------------------------------------

_PLACES = places(annotation_of())[1:]
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
                target[place[-1]] = draw(VALUES)
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


ANNOTATIONS = Kind(_annotations() | cut(_annotations()), _read_annotation)

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


IMAGES = Kind(cut(st.sampled_from(_IMAGES)) | st.binary(max_size=64), _read_image)

# -- archives ---------------------------------------------------------------------------------

_TYPES = (
    tarfile.LNKTYPE,
    tarfile.SYMTYPE,
    tarfile.CHRTYPE,
    tarfile.BLKTYPE,
    tarfile.FIFOTYPE,
    tarfile.CONTTYPE,
    tarfile.DIRTYPE,
)
_LINKS = ("/etc/passwd", "..", "../victim", "train/0/00000.json", "train", "")
_NAMES = st.sampled_from(
    [
        *("train/0/00000.png", "train/0/00000.json", "train/0/00000.jpg", "train/0", "train"),
        *("TRAIN/0/00000.png", "train/0/._00000.png", "train/.hidden/1.png", "val/0/1.png"),
        *("../victim", "/victim", "train/../../victim", "./train/0/2.png", "train//0/2.png"),
        *("", ".", "a" * 300, "a/" * 200 + "b", "a\nb", "\x1b[31m", "é", "e\u0301", "\udcff"),
    ]
) | st.text(max_size=8)
_BODIES = st.sampled_from([png_of(6, 8), json.dumps(annotation_of()).encode(), b"", b"\0" * 4096])
_TARS = st.sampled_from((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT))
_FRAME = (
    ("train/0/00000.png", tarfile.REGTYPE, "", png_of(6, 8)),
    ("train/0/00000.json", tarfile.REGTYPE, "", json.dumps(annotation_of()).encode()),
)
_MEMBERS = st.tuples(
    _NAMES,
    st.sampled_from((tarfile.REGTYPE,) * 6 + _TYPES),
    st.sampled_from(_LINKS),
    _BODIES | st.binary(max_size=40),
)
_MOST_ODD = 3


@st.composite
def _archives(draw: st.DrawFn) -> bytes:
    """A tarball of one good frame among members that nobody expects, or damaged, or packed odd."""
    members = [*_FRAME[: draw(st.integers(0, 2)) or 2]]
    for member in draw(st.lists(_MEMBERS, max_size=_MOST_ODD)):
        members.insert(draw(st.integers(0, len(members))), member)
    content = _packed(members, draw(_TARS))
    match draw(st.integers(0, 6)):
        case 0 | 1 | 2:
            return content
        case 3:
            return gzip.compress(content, 1, mtime=0)
        case 4:
            return gzip.compress(draw(cut(st.just(content))), 1, mtime=0)
        case 5:
            return draw(cut(st.just(gzip.compress(content, 1, mtime=0))))
        case _:
            return draw(cut(st.just(content)))


def _packed(members: list[tuple[str, bytes, str, bytes]], form: int) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=form) as archive:
        for name, kind, link, body in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.mode = kind, link, 0o6777
            member.size = len(body) if kind in (tarfile.REGTYPE, tarfile.CONTTYPE) else 0
            try:
                archive.addfile(member, io.BytesIO(body))
            except (ValueError, UnicodeError):
                continue  # a name that this form of tarball cannot hold
    return packed.getvalue()


def _read_archive(content: bytes, folder: Path) -> None:
    """Extracts and checks it; nothing may lie outside its place in the cache."""
    root, cache = folder / "archive", folder / "archive" / "cache"
    shutil.rmtree(root, ignore_errors=True)
    cache.mkdir(parents=True)
    (root / "victim").write_text("untouched")
    source = root / "train.tar"
    source.write_bytes(content)
    try:
        check_split(resolve_source(str(source), cache), Purpose())
    finally:
        assert {path.name for path in root.iterdir()} == {"victim", "cache", "train.tar"}
        assert (root / "victim").read_text() == "untouched"
        for path in cache.rglob("*"):
            assert not path.is_symlink()
            assert path.is_dir() or (path.is_file() and path.stat().st_nlink == 1)
            assert not path.stat().st_mode & 0o6000


ARCHIVES = Kind(_archives() | cut(_archives()) | st.binary(max_size=64), _read_archive)
