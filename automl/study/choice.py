"""Which study a command means: the one that was named, or the newest of those that fit."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from enum import Enum, auto
from pathlib import Path

from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.study.clock import Clock, utc_now
from automl.study.folder import is_study, list_studies, read_config
from automl.study.layout import StudyPaths
from automl.study.links import refuse_links
from automl.study.standing import Standing, repeated_trial, standing_of

__all__ = ["Wanted", "find_study", "studies_meant"]


class Wanted(Enum):
    """What a command that names no study wants one for."""

    READ = auto()
    RESUME = auto()
    TRAINED = auto()


def _unheard(_: str) -> None:
    """For a caller that shows nothing."""


def find_study(
    studies_dir: Path,
    name: str | None = None,
    wanted: Wanted = Wanted.READ,
    tell: Callable[[str], None] = _unheard,
) -> StudyPaths:
    """The study of a name; else the first of those that ``studies_meant`` gives.

    Args:
        studies_dir: Where studies are kept.
        name: Name of a study, or the path of a study folder; None for the newest.
        wanted: What an unnamed study is wanted for.
        tell: Called with a sentence where the newest study is not the one that is taken.

    Raises:
        FixInput: There is no such study, or a link stands in the place of one of its files.
    """
    if name is None:
        return next(studies_meant(studies_dir, wanted, tell))
    return _named(studies_dir, name)


def _named(studies_dir: Path, name: str) -> StudyPaths:
    folder = studies_dir / name
    if not is_study(StudyPaths(folder)) and Path(name).is_dir():
        folder = Path(name)
    paths = StudyPaths(folder.absolute())
    if is_study(paths):
        refuse_links(paths)
        return paths
    names = [other.folder.name for other in list_studies(studies_dir)]
    raise FixInput(
        "a study of this name must exist",
        got=name,
        where=str(studies_dir),
        fix=did_you_mean(name, names) or "automl list shows every study",
    )


def studies_meant(
    studies_dir: Path,
    wanted: Wanted = Wanted.READ,
    tell: Callable[[str], None] = _unheard,
    clock: Clock = utc_now,
) -> Iterator[StudyPaths]:
    """The studies that a command without a name may mean, the likeliest first; at least one.

    One that runs comes before one that is unfinished, that before one that has ended, and of
    equals the newest. One that cannot be read is passed over with a word.

    Args:
        studies_dir: Where studies are kept.
        wanted: ``RESUME`` takes none that has ended; ``TRAINED`` takes what trains a trial of
            another study again only where there is nothing else.
        tell: Called with a sentence where the newest study is not the one that is taken.
        clock: The time of day, for telling a driver that runs from one that died.

    Raises:
        FixInput: There is none.
    """
    studies = _readable(studies_dir, tell)
    stands = {paths: standing_of(paths, clock) for paths in studies}
    meant = sorted(studies, key=stands.__getitem__)
    if wanted is Wanted.TRAINED:
        meant = _originals_first(meant, tell)
    ended = [paths for paths in meant if stands[paths] is Standing.ENDED]
    if wanted is Wanted.RESUME and len(ended) == len(meant):
        raise _nothing_to_resume(studies_dir, studies)
    yield from meant


def _readable(studies_dir: Path, tell: Callable[[str], None]) -> list[StudyPaths]:
    """The studies whose configuration can be read, the newest first."""
    studies = list_studies(studies_dir)
    if not studies:
        raise FixInput(
            "there must be a study",
            got="none",
            where=str(studies_dir),
            fix="start one with automl run, or name the place with --studies-dir",
        )
    readable, broken = [], []
    for paths in studies:
        try:
            refuse_links(paths)
            read_config(paths)
        except FixInput as error:
            broken.append((paths, error))
        else:
            readable.append(paths)
    if not readable:
        raise broken[0][1]
    for paths, why in broken:
        tell(f"{paths.folder.name} is passed over: {why}")
    return readable


def _originals_first(meant: Sequence[StudyPaths], tell: Callable[[str], None]) -> list[StudyPaths]:
    repeats = {paths: repeated_trial(paths) for paths in meant}
    ordered = sorted(meant, key=lambda paths: bool(repeats[paths]))
    taken, newest = ordered[0], meant[0]
    if repeats[taken]:
        tell(f"takes {taken.folder.name}, which {repeats[taken]}")
    elif taken != newest:
        name = newest.folder.name
        flag = f"--study {shlex.quote(name)}"
        tell(f"takes {taken.folder.name}: {name} {repeats[newest]}; {flag} means that one")
    return ordered


def _nothing_to_resume(studies_dir: Path, studies: Sequence[StudyPaths]) -> FixInput:
    newest = studies[0].folder.name
    n = len(studies)
    return FixInput(
        "a study that goes on is one that has not ended",
        got=f"nothing to resume: {'the study' if n == 1 else f'all {n} studies'} there ended",
        where=str(studies_dir),
        fix=f"give one more trials: automl resume {shlex.quote(newest)} --trials N",
    )
