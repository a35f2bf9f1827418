"""``automl data check``: what a split holds, and what in it is probably wrong."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from automl.app.label_noise import ModelAsked, view_of_model
from automl.data.archive import resolve_source
from automl.data.cache import cache_dir
from automl.data.checks import USUAL_MAX_OBJECTS, SplitFacts, purpose_of
from automl.data.layout import list_frames
from automl.data.leak_memory import KnownLeak, remember_leak
from automl.data.splits import read_through_split
from automl.data.staging import Transfer
from automl.data.suspects.finding import Finding, FindingKind
from automl.data.suspects.labels import find_label_faults
from automl.errors import FixInput

__all__ = ["CheckProgress", "CheckedSplit", "DataCheckRequest", "check_split_deeply"]


@dataclass(frozen=True, slots=True)
class DataCheckRequest:
    """What a command line asks for.

    Attributes:
        source: The split: a folder, a tarball, an address.
        split: What it is for: ``train``, ``val``, ``test`` or ``inference``.
        category: Class that must be present; None for any.
        max_objects: Objects of an image that are learnt at most.
        against: Other splits, none of whose images may be in this one.
        model: Whose opinion of the labels is wanted; None for nobody's.
        preview: Picture to draw; None for none.
    """

    source: str
    split: str = "train"
    category: str | None = None
    max_objects: int = USUAL_MAX_OBJECTS
    against: tuple[str, ...] = ()
    model: ModelAsked | None = None
    preview: Path | None = None


@dataclass(frozen=True, slots=True)
class CheckProgress:
    """Whom to tell how far it is.

    Attributes:
        transfer: When something is brought from another machine.
        images: With how many images were compared, and of how many.
    """

    transfer: Transfer | None
    images: Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class CheckedSplit:
    """What was found.

    Attributes:
        facts: What the split holds.
        findings: What is probably wrong, by kind, the gravest of each kind first.
        notes: What was looked for and how, in words.
        n_tiles: Images in the preview; 0 without one.
    """

    facts: SplitFacts
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    n_tiles: int = 0


def check_split_deeply(request: DataCheckRequest, progress: CheckProgress) -> CheckedSplit:
    """Checks a split, its labels, and what it has in common with others.

    Raises:
        FixInput: Something breaks training, another split is this one, or the model cannot score
            it.
        InstallExtra: What decodes images is not installed.
    """
    folder = resolve_source(request.source, cache_dir(), progress.transfer)
    others = [_other(each, folder, progress) for each in request.against]
    purpose = purpose_of(request.split, request.category, request.max_objects)
    labelled = purpose.annotated
    _check_request(request, folder, labelled=labelled)
    facts = read_through_split(folder, purpose)
    findings: list[Finding] = []
    notes: list[str] = []
    if labelled:
        findings += find_label_faults(list_frames(folder))
    if others:
        findings += _leaks(folder, others, progress)
        notes.append(f"compared with {', '.join(map(str, others))}: what images show")
    if request.model is not None:
        view = view_of_model(request.model, folder)
        findings += view.findings
        notes.append(view.words)
    ordered = _ordered(findings)
    n_tiles = 0
    if request.preview is not None:
        n_tiles = _draw(request.preview, folder, ordered, labelled=labelled)
    return CheckedSplit(facts, ordered, tuple(notes), n_tiles)


def _check_request(request: DataCheckRequest, folder: Path, *, labelled: bool) -> None:
    """Refuses at once what would be refused after minutes of work."""
    if request.model is not None and not labelled:
        raise FixInput(
            "a model can judge the labels of a split that has some",
            got="one to predict on",
            where="--model",
            fix="leave --split inference out",
        )
    preview = request.preview
    if preview is None:
        return
    from automl.data.preview import PREVIEW_SUFFIXES

    if preview.suffix.lower() not in PREVIEW_SUFFIXES:
        fix = f"name it {preview.with_suffix('.jpg').name}"
        raise FixInput("a preview must be a PNG or a JPEG", got=preview.name, fix=fix)
    if preview.absolute().resolve().is_relative_to(folder.resolve()):
        raise FixInput(
            "a preview must not be drawn among the images of the split",
            got=str(preview),
            where="--preview",
            fix="name a file outside the folder",
        )


def _other(source: str, folder: Path, progress: CheckProgress) -> Path:
    other = resolve_source(source, cache_dir(), progress.transfer)
    if other.resolve() == folder.resolve():
        raise FixInput(
            "a split must be held against another one",
            got=str(other),
            where="--against",
            fix="name the other split; frames that look alike within one are no fault",
        )
    return other


def _leaks(folder: Path, others: Sequence[Path], progress: CheckProgress) -> list[Finding]:
    from automl.data.suspects.leaks import find_leaks

    threads = min(8, len(os.sched_getaffinity(0)))
    found = find_leaks(folder, others, threads, progress.images)
    for other in others:
        of_other = [each for each in found if each.other is not None and _within(each, other)]
        first = str(of_other[0].path) if of_other else ""
        remember_leak(folder, other, KnownLeak(len(of_other), first))
    return found


def _within(finding: Finding, folder: Path) -> bool:
    return finding.other is not None and finding.other.is_relative_to(folder)


def _ordered(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    kinds = list(FindingKind)
    key = {kind: place for place, kind in enumerate(kinds)}
    return tuple(sorted(findings, key=lambda each: (key[each.kind], -each.weight, str(each.path))))


def _draw(path: Path, folder: Path, findings: Sequence[Finding], *, labelled: bool) -> int:
    from automl.data.preview import write_grid
    from automl.data.suspects.tiles import tiles_of

    frames = list_frames(folder, annotated=labelled)
    tiles = tiles_of(folder, frames, findings, labelled=labelled)
    write_grid(path, tiles)
    return len(tiles)
