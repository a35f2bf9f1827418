"""A data set of another format, converted whole.

Frames go one by one from a reader to the writer. A frame that is broken is named and left out; the
splits appear by a rename when they are whole, so that a conversion that was ended leaves nothing.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

from automl.data.convert.choice import Counts, WantedObjects, unknown_kinds
from automl.data.convert.formats import FORMATS, format_of
from automl.data.convert.frames import BrokenFrame, FrameRef, FrameSource, SourceOptions
from automl.data.convert.parts import in_turn, parts_of, thinned
from automl.data.convert.record import check_free, replace_splits
from automl.data.convert.write import FrameWriter
from automl.data.imagefile import BrokenImage
from automl.errors import FixData, FixInput

__all__ = ["ConvertRequest", "Converted", "Skipped", "convert"]

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the frames looked at so far and the frames in all."""

_LARGEST_EDGE_M: Final = 10.0
_SMALLEST_EDGE_M: Final = 0.005


@dataclass(frozen=True, slots=True)
class ConvertRequest:
    """What to convert, and how.

    Attributes:
        source: Folder of the source.
        out: Folder of the data set, below which the splits are made.
        format: A key of ``FORMATS``, or ``auto``.
        split: Name of the split.
        val_share: Share of the frames that become a split ``val``; 0 for none.
        options: What the user says of the source.
        wanted: Which objects are kept.
        every: Of each sequence one frame in so many is taken.
        most: Images to write at most; None for all.
        overwrite: Whether splits that an earlier conversion made are replaced.
        copies: Whether image files are copied even where a hard link would do.
    """

    source: Path
    out: Path
    format: str = "auto"
    split: str = "train"
    val_share: float = 0.0
    options: SourceOptions = field(default_factory=SourceOptions)
    wanted: WantedObjects = field(default_factory=WantedObjects)
    every: int = 1
    most: int | None = None
    overwrite: bool = False
    copies: bool = False


@dataclass(frozen=True, slots=True)
class Skipped:
    """A frame that was left out because it is broken.

    Attributes:
        frame: Its sequence and name, and the file of its labels.
        why: The rule that it breaks, as a sentence.
    """

    frame: str
    why: str


@dataclass(slots=True)
class Converted:
    """What a conversion made.

    Attributes:
        format: The source's format.
        folders: Split to its folder.
        images: Split to the number of its images.
        counts: What became of the objects.
        empty: Frames without an object that is kept.
        skipped: Frames that are broken.
        notes: What the user should know, as sentences.
    """

    format: str
    folders: dict[str, Path] = field(default_factory=dict)
    images: dict[str, int] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    empty: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    notes: tuple[str, ...] = ()


def convert(request: ConvertRequest, progress: Progress | None = None) -> Converted:
    """Converts a data set.

    Args:
        request: What and how.
        progress: Told after each frame.

    Raises:
        FixInput: The folder holds a split of that name already, or one category is asked for and
            the source has several kinds of objects.
        FixData: The source is in no format that is known, lacks what all its frames need, or none
            of its frames could be converted.
    """
    name = format_of(request.source, request.format)
    _check_apart(request)
    source = _opened(name, request)
    refs = thinned(source.frames(), request.every)
    parts = parts_of(refs, request.split, request.val_share)
    check_free(request.out, sorted(set(parts.values())), overwrite=request.overwrite)
    made = Converted(name)
    with _workplace(request.out) as folder:
        _write_all(request, source, parts, folder, (made, progress))
        _check_any(request, made, len(refs))
        made.notes = (
            *source.notes(),
            *_plausible(made.counts),
            *unknown_kinds(request.wanted, made.counts),
        )
        made.folders = replace_splits(folder, request, made)
    return made


def _write_all(
    request: ConvertRequest,
    source: FrameSource,
    parts: dict[FrameRef, str],
    folder: Path,
    told: tuple[Converted, Progress | None],
) -> None:
    made, progress = told
    writer = FrameWriter(request.wanted, f"{made.format} by automl", request.copies)
    for done, ref in enumerate(in_turn(list(parts), request.most), start=1):
        try:
            # What is no number any more is found when it is written.
            with np.errstate(all="ignore"):
                frame = source.read(ref)
                objects = writer.write(folder / parts[ref], ref, frame, made.counts)
        except (BrokenFrame, BrokenImage, FixData) as error:
            where = f"{ref.sequence}/{ref.name} ({ref.path})"
            made.skipped.append(Skipped(where, _said(error)))
        else:
            made.empty += not objects
            if objects:
                made.images[parts[ref]] = made.images.get(parts[ref], 0) + 1
        if progress is not None:
            progress(done, len(parts))
        if request.most is not None and sum(made.images.values()) >= request.most:
            break


def _opened(name: str, request: ConvertRequest) -> FrameSource:
    """The reader of the source.

    Raises:
        FixData: The source lacks what all its frames need, or what is there is broken.
    """
    try:
        return FORMATS[name].open(request.source, request.options)
    except BrokenFrame as error:
        where = str(request.source)
        raise FixData(error.rule, got=error.got, where=where, fix=error.fix) from error


def _check_apart(request: ConvertRequest) -> None:
    """Refuses to write into the source, where the next conversion would read it.

    Raises:
        FixInput: The result would lie within the source.
    """
    source, out = request.source.resolve(), request.out.resolve()
    if out.is_relative_to(source):
        raise FixInput(
            "--out must lie outside of the data to convert",
            got=str(request.out),
            fix=f"give another folder, such as {source.with_name(f'{source.name}-converted')}",
        )


def _said(error: BrokenFrame | BrokenImage | FixData) -> str:
    return f"{error.rule}, but got {error.got}" + (f"; {error.fix}" if error.fix else "")


def _check_any(request: ConvertRequest, made: Converted, frames: int) -> None:
    """Refuses a conversion without an image.

    Raises:
        FixData: There is none.
    """
    if made.images:
        return
    if made.skipped:
        first = made.skipped[0]
        raise FixData(
            "a conversion must find at least one frame that it can read",
            got=f"{len(made.skipped)} of {frames} broken",
            where=first.frame,
            fix=f"the first: {first.why}",
        )
    counts = made.counts
    raise FixData(
        "a conversion must find at least one object",
        got=f"none in {frames} frames ({sum(counts.other.values())} of other kinds,"
        f" {counts.faint} hidden, {counts.outside} out of view)",
        where=str(request.source),
        fix=f"its kinds are {', '.join(sorted(counts.other))}" if counts.other else "",
    )


def _plausible(counts: Counts) -> Sequence[str]:
    """A word about units where objects are of a size that no object has."""
    if _SMALLEST_EDGE_M <= counts.longest <= _LARGEST_EDGE_M:
        return ()
    return (
        f"the longest edge of an object is {counts.longest:.4g} m: say the source's unit with"
        " --unit if that is wrong",
    )


@contextmanager
def _workplace(out: Path) -> Iterator[Path]:
    """A folder beside the splits that is gone afterwards."""
    out.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".convert.", dir=out))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if not any(out.iterdir()):
            out.rmdir()
