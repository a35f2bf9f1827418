"""Whether a split can be trained on, found out before anything is trained.

What breaks training is an error that names the file and what it holds; what merely looks wrong,
or troubles the container alone, is a warning.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from automl.data.annotations import (
    AnnotationFacts,
    AnnotationProblem,
    check_annotation,
    visibility_missing,
)
from automl.data.imagefile import BrokenImage, ImageFile, image_file
from automl.data.layout import Frame, Listing, check_frames, list_split
from automl.errors import FixData

__all__ = [
    "USUAL_MAX_OBJECTS",
    "Purpose",
    "SplitFacts",
    "check_enough",
    "check_split",
    "purpose_of",
]

_SPLITS: Final = ("train", "val", "test")
_SYMMETRIC: Final = frozenset({"bottle", "chair"})
"""Categories whose name alone changes how the container trains and evaluates."""
USUAL_MAX_OBJECTS: Final = 10
"""As many objects of an image are learnt where ``max_objs`` does not say otherwise."""


@dataclass(frozen=True, slots=True)
class SplitFacts:
    """What a split holds.

    Attributes:
        root: Its folder.
        images: Number of images.
        objects: Number of labelled objects; 0 where annotations were not asked for.
        categories: Class to number of objects.
        sizes: Width and height in pixels to number of images.
        warnings: What looks wrong but stops nothing, as sentences.
    """

    root: Path
    images: int
    objects: int
    categories: Mapping[str, int]
    sizes: Mapping[tuple[int, int], int]
    warnings: tuple[str, ...]

    @property
    def size(self) -> tuple[int, int]:
        """The most frequent width and height in pixels."""
        return max(self.sizes, key=lambda size: self.sizes[size])


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a split is for, which decides what it must hold.

    Attributes:
        annotated: Whether its images need annotations; inference alone does without.
        scored: Whether something is scored on it, which needs the visibility of each object.
        category: The class that is trained, for a warning if the split holds none of it.
        max_objects: Objects of an image that are learnt at most; None for any number.
    """

    annotated: bool = True
    scored: bool = False
    category: str | None = None
    max_objects: int | None = None


def purpose_of(
    split: str, category: str | None = None, max_objects: int | None = USUAL_MAX_OBJECTS
) -> Purpose:
    """What a split of a name is for: ``train``, ``val``, ``test`` or ``inference``.

    Args:
        split: The name.
        category: The class that is trained.
        max_objects: Objects of an image that are learnt at most.
    """
    annotated, scored = split != "inference", split in ("val", "test")
    return Purpose(annotated, scored, category, max_objects)


@dataclass(slots=True)
class _Survey:
    """What is gathered from frame to frame."""

    purpose: Purpose
    look_at: Callable[[Path], ImageFile]
    categories: Counter[str] = field(default_factory=Counter)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    problems: list[AnnotationProblem] = field(default_factory=list)
    other_size: list[Path] = field(default_factory=list)
    empty: list[Path] = field(default_factory=list)
    crowded: list[Path] = field(default_factory=list)
    unsaid: list[Path] = field(default_factory=list)


def check_split(
    root: Path,
    purpose: Purpose = Purpose(),
    look_at: Callable[[Path], ImageFile] = image_file,
    limit_errors: int = 5,
) -> SplitFacts:
    """What a split holds, once it is known that training can read it.

    Args:
        root: Folder of the split.
        purpose: What it is for.
        look_at: What an image file is; ``ReadThrough.check`` reads each file to its end.
        limit_errors: Broken files to look for before giving up; the error names them all.

    Raises:
        FixData: The folder holds no image, several splits, or no object at all, or an image or
            an annotation is missing or broken.
    """
    _check_one_split(root)
    listing = list_split(root)
    check_frames(listing, root, annotated=purpose.annotated)
    survey = _Survey(purpose, look_at)
    for frame in listing.frames:
        _survey_frame(frame, survey)
        if len({problem.where for problem in survey.problems}) >= limit_errors:
            break
    if survey.problems:
        raise _error_of(survey.problems)
    if purpose.annotated and not survey.categories:
        raise FixData(
            "a split must hold at least one object",
            got=f"none in {len(listing.frames)} images",
            where=str(root),
            fix="give the folder with the annotations of this category",
        )
    return SplitFacts(
        root=root,
        images=len(listing.frames),
        objects=survey.categories.total(),
        categories=dict(sorted(survey.categories.items())),
        sizes=dict(sorted(survey.sizes.items())),
        warnings=tuple(_warnings(listing, survey)),
    )


def _check_one_split(root: Path) -> None:
    """Refuses the folder above several splits: read as one, it would train on what it validates.

    Raises:
        FixData: It holds the folders of two splits or more.
    """
    splits = [name for name in _SPLITS if (root / name).is_dir()]
    if len(splits) > 1:
        raise FixData(
            "a split must be one folder of sequences",
            got=f"a folder that holds the splits {', '.join(splits)}",
            where=str(root),
            fix=f"give one of them: {root / splits[0]}",
        )


class _HasImages(Protocol):
    """All that counting needs of a split's facts."""

    @property
    def root(self) -> Path: ...
    @property
    def images(self) -> int: ...


def check_enough(facts: _HasImages, batch: int, gpus: int, where: str) -> None:
    """Refuses a split that cannot fill one batch on each device, which the trainer refuses too.

    Args:
        facts: Of the split.
        batch: Images per device and step.
        gpus: Devices; a CPU counts as one.
        where: The dotted spec key or flag that gave the split, for the error.

    Raises:
        FixData: There are fewer than ``batch * gpus`` images.
    """
    devices = max(1, gpus)
    if facts.images < batch * devices:
        raise FixData(
            f"a split must hold at least batch x GPUs = {batch} x {devices} = {batch * devices}"
            " images",
            got=f"{facts.images} in {facts.root}",
            where=where,
            fix="lower the batch size, use fewer GPUs, or give more images",
        )


def _survey_frame(frame: Frame, survey: _Survey) -> None:
    try:
        image = survey.look_at(frame.image)
        if survey.purpose.annotated:
            image.require_upright()
    except BrokenImage as error:
        survey.problems.append(AnnotationProblem(error.rule, error.got, frame.image, error.fix))
        return
    survey.sizes[image.width, image.height] += 1
    if survey.purpose.annotated:
        _add(check_annotation(frame.annotation), (image.width, image.height), frame, survey)


def _add(facts: AnnotationFacts, size: tuple[int, int], frame: Frame, survey: _Survey) -> None:
    survey.problems.extend(facts.problems)
    survey.categories.update(facts.categories)
    if facts.size is not None and facts.size != size:
        survey.other_size.append(frame.image)
    if not facts.categories:
        survey.empty.append(frame.image)
    n_objects, most = sum(facts.categories.values()), survey.purpose.max_objects
    if most is not None and n_objects > most:
        survey.crowded.append(frame.image)
    if facts.n_without_visibility:
        survey.unsaid.append(frame.annotation)
        if survey.purpose.scored:
            survey.problems.append(visibility_missing(frame.annotation))


def _error_of(problems: Sequence[AnnotationProblem]) -> FixData:
    """One error for all broken files: the first in full, the others by name."""
    first = problems[0]
    return first.error(sorted({problem.where for problem in problems} - {first.where}))


def _warnings(listing: Listing, survey: _Survey) -> Iterator[str]:
    traps = [frame.image for frame in listing.frames if _is_trap(frame.image)]
    for files, what in (
        (listing.above, "images lie in a folder with sub-folders and are not read"),
        (listing.twins, "images share their annotation with another image of the same name"),
        (listing.hidden, "hidden folders are not read; the container reads them"),
        (
            listing.companions,
            "files of macOS's metadata (._*) are not read; the container reads them",
        ),
        (listing.odd, "images have an ending in a spelling that the container does not read"),
        (
            traps,
            "images repeat their ending elsewhere in the path, where the container replaces it too"
            " and so looks for the annotation in the wrong place",
        ),
        (survey.other_size, "images differ in size from what their annotation says"),
        (survey.empty, "images hold no object"),
        (
            survey.crowded,
            f"images hold more than {survey.purpose.max_objects} objects (max_objs):"
            " the rest is not learnt",
        ),
    ):
        yield from _counted(files, what)
    if survey.purpose.annotated:
        yield from _counted(listing.orphans, "JSON files have no image of their name beside them")
        if not survey.purpose.scored:
            what = "annotations do not say how visible each object is: no split to validate on"
            yield from _counted(survey.unsaid, what)
    if len(survey.sizes) > 1:
        sizes = ", ".join(f"{width} x {height}" for width, height in sorted(survey.sizes))
        yield f"images of several sizes ({sizes}): the container evaluates as if they had one"
    category = survey.purpose.category
    if survey.purpose.annotated and category and category not in survey.categories:
        yield _other_category(category, sorted(survey.categories))


def _counted(files: Sequence[Path], what: str) -> Iterable[str]:
    return [f"{len(files)} {what}, first {files[0]}"] if files else []


def _is_trap(image: Path) -> bool:
    """Whether replacing the ending's text everywhere in the path changes more than the ending."""
    path = str(image.absolute())
    return path.count(image.suffix[1:]) > 1


def _other_category(category: str, present: Sequence[str]) -> str:
    text = f"no object of category {category}, but of {', '.join(present)}"
    if category in _SYMMETRIC or _SYMMETRIC & set(present):
        text += "; the category's name decides the symmetries that are trained"
    return text
