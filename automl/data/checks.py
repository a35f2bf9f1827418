"""Whether a split can be trained on, found out before anything is trained.

What breaks training is an error that names the file and what it holds; what merely looks wrong,
or troubles the container alone, is a warning.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from automl.data.annotations import AnnotationFacts, AnnotationProblem, check_annotation
from automl.data.imagesize import image_size
from automl.data.layout import Frame, list_frames, walk
from automl.errors import FixInput

__all__ = ["SplitFacts", "check_enough", "check_split", "shared_images"]

_SPLITS: Final = ("train", "val", "test")
_SYMMETRIC: Final = frozenset({"bottle", "chair"})
"""Categories whose name alone changes how the container trains and evaluates."""


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


@dataclass(slots=True)
class _Survey:
    """What is gathered from frame to frame."""

    categories: Counter[str] = field(default_factory=Counter)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    problems: list[AnnotationProblem] = field(default_factory=list)
    other_size: list[Path] = field(default_factory=list)
    empty: list[Path] = field(default_factory=list)


def check_split(
    root: Path, *, annotated: bool = True, category: str | None = None, limit_errors: int = 5
) -> SplitFacts:
    """What a split holds, once it is known that training can read it.

    Args:
        root: Folder of the split.
        annotated: Whether its images need annotations; inference alone does without.
        category: The class that is to be trained, for a warning if the split holds none of it.
        limit_errors: Broken files to look for before giving up; the error names them all.

    Raises:
        FixInput: The folder holds no image, several splits, or no object at all, or an image or
            an annotation is missing or broken.
    """
    _check_one_split(root)
    frames = list_frames(root, annotated=annotated)
    survey = _Survey()
    for frame in frames:
        _survey_frame(frame, survey, annotated=annotated)
        if len({problem.where for problem in survey.problems}) >= limit_errors:
            break
    if survey.problems:
        raise _error_of(survey.problems)
    if annotated and not survey.categories:
        raise FixInput(
            "a split holds at least one object",
            got=f"none in {len(frames)} images",
            where=str(root),
            fix="give the folder with the annotations of this category",
        )
    return SplitFacts(
        root=root,
        images=len(frames),
        objects=survey.categories.total(),
        categories=dict(sorted(survey.categories.items())),
        sizes=dict(sorted(survey.sizes.items())),
        warnings=tuple(_warnings(root, frames, survey, category if annotated else None)),
    )


def _check_one_split(root: Path) -> None:
    """Refuses the folder above several splits: read as one, it would train on what it validates.

    Raises:
        FixInput: It holds the folders of two splits or more.
    """
    found = [name for name in _SPLITS if (root / name).is_dir()]
    if len(found) > 1:
        raise FixInput(
            "a split is one folder of sequences",
            got=f"a folder that holds the splits {', '.join(found)}",
            where=str(root),
            fix=f"give one of them: {root / found[0]}",
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
        FixInput: There are fewer than ``batch * gpus`` images.
    """
    devices = max(1, gpus)
    if facts.images < batch * devices:
        raise FixInput(
            f"a split holds at least batch x GPUs = {batch} x {devices} = {batch * devices}"
            " images",
            got=f"{facts.images} in {facts.root}",
            where=where,
            fix="lower dataset.batch_size, use fewer GPUs, or give more images",
        )


def shared_images(train: Path, val: Path) -> tuple[tuple[Path, Path], ...]:
    """Pairs of images of two splits with the same content, each of the second split once.

    Only files of equal size are read, so this costs little where nothing is shared.
    """
    by_size: dict[int, list[Path]] = defaultdict(list)
    for frame in list_frames(train, annotated=False):
        by_size[frame.image.stat().st_size].append(frame.image)
    digests: dict[int, dict[bytes, Path]] = {}
    pairs = []
    for frame in list_frames(val, annotated=False):
        size = frame.image.stat().st_size
        if size not in by_size:
            continue
        if size not in digests:
            digests[size] = {_digest(path): path for path in reversed(by_size[size])}
        twin = digests[size].get(_digest(frame.image))
        if twin is not None:
            pairs.append((twin, frame.image))
    return tuple(pairs)


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


def _survey_frame(frame: Frame, survey: _Survey, *, annotated: bool) -> None:
    size = image_size(frame.image)
    if size is None:
        got = f"{frame.image.stat().st_size} bytes that are neither"
        survey.problems.append(
            AnnotationProblem("an image is a JPEG, PNG or BMP", got, frame.image)
        )
        return
    survey.sizes[size] += 1
    if annotated:
        _add(check_annotation(frame.annotation), size, frame, survey)


def _add(facts: AnnotationFacts, size: tuple[int, int], frame: Frame, survey: _Survey) -> None:
    survey.problems.extend(facts.problems)
    survey.categories.update(facts.categories)
    if facts.size is not None and facts.size != size:
        survey.other_size.append(frame.image)
    if not facts.categories:
        survey.empty.append(frame.image)


def _error_of(problems: Sequence[AnnotationProblem]) -> FixInput:
    """One error for all broken files: the first in full, the others by name."""
    first = problems[0]
    others = sorted({str(problem.where) for problem in problems} - {str(first.where)})
    fix = first.fix or "mend the file or take the frame out"
    if others:
        fix += f"; also broken: {', '.join(others)}"
    return FixInput(first.rule, got=first.got, where=str(first.where), fix=fix)


def _warnings(
    root: Path, frames: Sequence[Frame], survey: _Survey, category: str | None
) -> Iterator[str]:
    ignored = [folder / name for folder, below, names in walk(root) if below for name in names]
    traps = [frame.image for frame in frames if _is_trap(frame.image)]
    yield from _counted(ignored, "lie in a folder with sub-folders and are not read")
    yield from _counted(
        traps,
        "repeat their ending elsewhere in the path, where the container replaces it too and so"
        " looks for the annotation in the wrong place",
    )
    yield from _counted(survey.other_size, "differ in size from what their annotation says")
    yield from _counted(survey.empty, "hold no object")
    if len(survey.sizes) > 1:
        sizes = ", ".join(f"{width} x {height}" for width, height in sorted(survey.sizes))
        yield f"images of several sizes ({sizes}): the container evaluates as if they had one"
    if category is not None and category not in survey.categories:
        yield _other_category(category, sorted(survey.categories))


def _counted(images: Sequence[Path], what: str) -> Iterable[str]:
    return [f"{len(images)} images {what}, first {images[0]}"] if images else []


def _is_trap(image: Path) -> bool:
    """Whether replacing the ending's text everywhere in the path changes more than the ending."""
    path = str(image.absolute())
    return path.count(image.suffix[1:]) > 1


def _other_category(category: str, found: Sequence[str]) -> str:
    text = f"no object of category {category}, but of {', '.join(found)}"
    if category in _SYMMETRIC or _SYMMETRIC & set(found):
        text += "; the category's name decides the symmetries that are trained"
    return text
