"""Making a synthetic data set on disk.

::

    <out>/synth.json                               the request, and what was made
    <out>/<split>/<category>-0007/00073.jpg        frames are numbered through the whole split
    <out>/<split>/<category>-0007/00073.json

Every sequence draws from a generator of its own, seeded by the request's seed, the split and the
sequence's number: the bytes do not depend on how many processes draw. The folder appears by a
rename when it is whole.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

from automl.data.opencv import cv2
from automl.data.synth.annotate import annotation_of
from automl.data.synth.backdrop import Backdrop
from automl.data.synth.draw import Artist
from automl.data.synth.look import draw_look
from automl.data.synth.request import SPLITS, SynthRequest
from automl.data.synth.scene import draw_scene
from automl.data.synth.textures import Image
from automl.errors import FixInput
from automl.files import write_json
from automl.jsontext import read_json

__all__ = ["Progress", "SynthResult", "draw_into", "synthesise"]

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the images made so far and the images in all."""

_RECORD: Final = "synth.json"
_FORMAT: Final = 1
_OPTIONS: Final[Mapping[str, list[int]]] = {
    "jpg": [cv2.IMWRITE_JPEG_QUALITY, 92],
    "png": [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE],
}
_LOOKS, _NOISE = 0, 1
"""First words of the seeds of sequences and of the field of noise."""


@dataclass(frozen=True, slots=True)
class SynthResult:
    """A synthetic data set on disk.

    Attributes:
        folder: Its folder.
        splits: Split to its folder, for the splits that hold an image.
        images: Split to its number of images.
        objects: Labelled objects in all.
        reused: Whether the folder held this very data set already.
    """

    folder: Path
    splits: Mapping[str, Path]
    images: Mapping[str, int]
    objects: int
    reused: bool


@dataclass(frozen=True, slots=True)
class _Sequence:
    """One folder of frames to draw."""

    split: str
    number: int
    frames: range


def synthesise(
    request: SynthRequest, out: Path, progress: Progress | None = None, *, workers: int = 1
) -> SynthResult:
    """Makes a data set in a folder that does not exist yet, or finds it made there.

    Args:
        request: What to make.
        out: The data set's folder.
        progress: Told after each sequence.
        workers: Processes that draw; the bytes are the same for any number.

    Raises:
        FixInput: The folder holds something else, or the difficulty leaves no room for an object.
    """
    if out.exists() and any(out.iterdir() if out.is_dir() else [out]):
        return _reused(request, out)
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        objects = draw_into(temporary, request, progress, workers=workers)
        temporary.chmod(0o755)
        temporary.rename(out)
    except OSError:
        if not (out / _RECORD).is_file():
            raise
        return _reused(request, out)  # another process was faster
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return _result(request, out, objects, reused=False)


def draw_into(
    folder: Path, request: SynthRequest, progress: Progress | None = None, *, workers: int = 1
) -> int:
    """Draws a data set into an empty folder, its record last; gives its number of objects.

    Args:
        folder: Where.
        request: What to make.
        progress: Told after each sequence.
        workers: Processes that draw.
    """
    total = sum(request.images().values())
    objects = done = 0
    for images, labelled in _drawn(request, folder, workers):
        done, objects = done + images, objects + labelled
        if progress is not None:
            progress(done, total)
    record = {"format": _FORMAT, "request": request.to_json(), "objects": objects}
    write_json(folder / _RECORD, record)
    return objects


def _drawn(request: SynthRequest, folder: Path, workers: int) -> Iterator[tuple[int, int]]:
    """Images and objects of each sequence, as it is written."""
    sequences = list(_sequences(request))
    if workers <= 1:
        artist = _artist(request)
        with _single_threaded():
            yield from (_write(request, folder, artist, one) for one in sequences)
        return
    chunks = [sequences[start::workers] for start in range(workers)]
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        for counts in pool.map(partial(_write_many, request, folder), chunks):
            yield from counts


def _write_many(
    request: SynthRequest, folder: Path, sequences: Iterable[_Sequence]
) -> list[tuple[int, int]]:
    artist = _artist(request)
    with _single_threaded():
        return [_write(request, folder, artist, one) for one in sequences]


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Keeps OpenCV to one thread, so that workers do not get in each other's way."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _sequences(request: SynthRequest) -> Iterator[_Sequence]:
    step = request.difficulty.frames_per_sequence
    for split, count in request.images().items():
        for number, start in enumerate(range(0, count, step)):
            yield _Sequence(split, number, range(start, min(start + step, count)))


def _artist(request: SynthRequest) -> Artist:
    return Artist(np.random.default_rng([_NOISE, request.seed]), request.difficulty)


def _write(
    request: SynthRequest, folder: Path, artist: Artist, sequence: _Sequence
) -> tuple[int, int]:
    """Draws and writes one sequence; gives its numbers of images and of labelled objects."""
    where = folder / sequence.split / f"{request.category}-{sequence.number:04d}"
    where.mkdir(parents=True)
    seed = [_LOOKS, request.seed, SPLITS.index(sequence.split), sequence.number]
    rng = np.random.default_rng(seed)
    look = draw_look(rng, request)
    backdrop = Backdrop(rng, look)
    objects = 0
    for frame in sequence.frames:
        scene = draw_scene(rng, look, request.difficulty)
        image = artist.draw(rng, scene, look, backdrop)
        annotation = annotation_of(scene, request.category)
        stem = where / f"{frame:05d}"
        stem.with_suffix(f".{request.image_format}").write_bytes(
            _encoded(image, request.image_format)
        )
        stem.with_suffix(".json").write_text(json.dumps(annotation, allow_nan=False))
        objects += len(annotation["objects"])
    return len(sequence.frames), objects


def _encoded(image: Image, image_format: str) -> bytes:
    done, content = cv2.imencode(f".{image_format}", image, _OPTIONS[image_format])
    if not done:
        raise RuntimeError(f"OpenCV encodes no {image_format}")
    return bytes(content)


def _reused(request: SynthRequest, out: Path) -> SynthResult:
    """The data set that ``out`` holds already.

    Raises:
        FixInput: It holds anything else.
    """
    try:
        record = read_json(out / _RECORD)
    except (OSError, ValueError):
        record = None
    if not isinstance(record, dict) or record.get("request") != request.to_json():
        raise FixInput(
            "a synthetic data set must be made in a folder of its own",
            got="one that holds another data set" if record else "one that holds other files",
            where=str(out),
            fix="give another folder, or remove this one",
        )
    lost = next((name for name in _names(request) if not (out / name).is_file()), None)
    if lost is not None:
        raise FixInput(
            "a synthetic data set is used again while it is whole",
            got=f"one without {lost}",
            where=str(out),
            fix="remove the folder: the same is rendered again",
        )
    return _result(request, out, int(record["objects"]), reused=True)


def _names(request: SynthRequest) -> Iterator[str]:
    """The files of a data set, relative to its folder."""
    for one in _sequences(request):
        for frame in one.frames:
            stem = f"{one.split}/{request.category}-{one.number:04d}/{frame:05d}"
            yield from (f"{stem}.{request.image_format}", f"{stem}.json")


def _result(request: SynthRequest, out: Path, objects: int, *, reused: bool) -> SynthResult:
    images = {split: count for split, count in request.images().items() if count}
    splits = {split: out / split for split in images}
    return SynthResult(out, splits, images, objects, reused)
