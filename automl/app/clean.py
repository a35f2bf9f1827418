"""What dead drivers and killed commands left behind: found first, removed only when asked.

Four kinds: what a trainer left where it runs (containers), trainers that outlived their driver,
unfinished files and folders, and checkpoints beyond what the study keeps. A study that somebody
drives is left alone, and so is what a live process is still writing.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from automl.errors import AutomlError, FixInput, ResolveConflict
from automl.filelock import is_locked
from automl.study.clock import Clock, utc_now
from automl.study.config import Keep
from automl.study.folder import list_studies, read_config
from automl.study.layout import StudyPaths
from automl.study.links import refuse_links
from automl.study.lock import StudyLock, read_owner
from automl.study.ranking import is_flat
from automl.study.records import TrialRecord, TrialState
from automl.study.storage import read_study
from automl.study.trials import read_records
from automl.trainers.checkpoints import checkpoints_in, newest_whole
from automl.trainers.leftovers import end_leftover, leftover_pid
from automl.trainers.table import all_trainers

__all__ = ["Findings", "Leftover", "LeftoverKind", "find_leftovers", "remove_all"]

#: Where the cache keeps what is made by a rename; each with a lock beside it.
_STORES = ("archives", "remote", "staged", "synth")
#: Random signs that a temporary name ends with.
_SIGNS = "?" * 8


class LeftoverKind(StrEnum):
    """What was left by this program itself; a trainer names what it leaves."""

    PROCESS = "process"
    UNFINISHED = "unfinished"
    CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True)
class Leftover:
    """One thing that may go.

    Attributes:
        kind: What it is.
        what: Its path, its process id, or what its trainer calls it.
        why: Why nobody needs it.
        n_bytes: Disk that it takes; 0 for what takes none.
        path: The path to delete, or the pid file of a process; None for what a trainer removes.
        study: The study that it belongs to; None for the cache.
        remove: Removes it, where there is nothing to delete or to kill here.
    """

    kind: str
    what: str
    why: str
    n_bytes: int = 0
    path: Path | None = None
    study: StudyPaths | None = None
    remove: Callable[[], None] | None = None

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``json`` can write."""
        study = None if self.study is None else self.study.folder.name
        kind, what = str(self.kind), self.what
        return {"kind": kind, "what": what, "why": self.why, "bytes": self.n_bytes, "study": study}


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found.

    Attributes:
        leftovers: What may go.
        kept: What was left alone, and why, in words.
    """

    leftovers: tuple[Leftover, ...]
    kept: tuple[str, ...] = ()

    @property
    def n_bytes(self) -> int:
        """Disk that they take together."""
        return sum(leftover.n_bytes for leftover in self.leftovers)


def find_leftovers(
    studies: Sequence[StudyPaths], studies_dir: Path, cache: Path | None, clock: Clock = utc_now
) -> Findings:
    """What was left behind; removes nothing.

    Args:
        studies: The studies to look at.
        studies_dir: What trainers left of studies below it is looked at, of gone folders too.
        cache: The cache to look at as well; None to leave it out.
        clock: The time of day, for telling a driver that runs from one that died.
    """
    found: list[Leftover] = []
    kept: list[str] = []
    for paths in studies:
        owner = read_owner(paths)
        if owner is not None and owner.is_alive(clock()):
            kept.append(f"{paths.folder.name}: in use by {owner.described(clock())}")
            continue
        try:
            refuse_links(paths)
        except FixInput as error:
            kept.append(f"{paths.folder.name}: {error}")
            continue
        found += _of_study(paths, kept)
    whole = {paths.folder for paths in list_studies(studies_dir)} == {s.folder for s in studies}
    places = [studies_dir] if whole else [paths.folder for paths in studies]
    found += _of_trainers(places, kept)
    found += [] if cache is None else list(_of_cache(cache))
    return Findings(tuple(found), tuple(kept))


def remove_all(
    findings: Findings, removed: Callable[[Leftover], None], clock: Clock = utc_now
) -> tuple[str, ...]:
    """Removes what was found; each study under its lock.

    Args:
        findings: What ``find_leftovers`` found.
        removed: Called with each thing that has gone.
        clock: The time of day.

    Returns:
        What was left alone after all, and why, in words.
    """
    kept: list[str] = []
    by_study: dict[StudyPaths | None, list[Leftover]] = {}
    for leftover in findings.leftovers:
        by_study.setdefault(leftover.study, []).append(leftover)
    for study, leftovers in by_study.items():
        if study is None:
            _remove(leftovers, removed)
            continue
        try:
            with StudyLock(study, clock):
                _remove(leftovers, removed)
        except (ResolveConflict, FixInput) as error:
            kept.append(f"{study.folder.name}: {error}")
    return tuple(kept)


def _remove(leftovers: Iterable[Leftover], removed: Callable[[Leftover], None]) -> None:
    for leftover in leftovers:
        if leftover.remove is not None:
            leftover.remove()
        elif leftover.path is not None and leftover.kind is LeftoverKind.PROCESS:
            end_leftover(leftover.path)
        elif leftover.path is not None and leftover.path.is_dir():
            shutil.rmtree(leftover.path, ignore_errors=True)
        elif leftover.path is not None:
            leftover.path.unlink(missing_ok=True)
        removed(leftover)


def _of_study(paths: StudyPaths, kept: list[str]) -> Iterator[Leftover]:
    yield from _processes(paths)
    for folder in (paths.folder, paths.best, paths.report):
        for path in sorted(folder.glob(f".*.{_SIGNS}")):
            yield _unfinished(path, paths)
    if paths.ray.is_dir() and not paths.ray.is_symlink():
        yield _unfinished(paths.ray, paths)
    try:
        config = read_config(paths)
        study = read_study(paths, config)
    except AutomlError as error:
        kept.append(f"{paths.folder.name}: checkpoints not looked at: {error}")
        return
    if config.keep is not Keep.ALL and study is not None:
        for record in read_records(study, config.objective):
            yield from _checkpoints(paths, record, config.keep)


def _processes(paths: StudyPaths) -> Iterator[Leftover]:
    for pid_path in sorted(paths.trials.glob("*/*/trainer.pid")):
        pid = leftover_pid(pid_path)
        if pid is not None:
            where = paths.relative(pid_path.parent)
            why = f"the trainer of {where} outlived its driver"
            yield Leftover(LeftoverKind.PROCESS, f"pid {pid}", why, 0, pid_path, paths)


def _checkpoints(paths: StudyPaths, record: TrialRecord, keep: Keep) -> Iterator[Leftover]:
    """The checkpoints of a trial that neither its result nor a later resume needs."""
    folders = [attempt.folder for _, attempt in paths.attempts(record.number)]
    listed = [checkpoint for folder in folders for checkpoint in checkpoints_in(folder)]
    needed = {paths.folder / record.checkpoint} if record.checkpoint else set()
    # What a paused trial goes on from is seldom its best epoch.
    best = [each.path for each in listed if each.epoch == record.best_epoch]
    needed |= set(best[-1:])
    is_over = record.state in (TrialState.COMPLETE, TrialState.PRUNED)
    if not is_over or keep is Keep.LAST or is_flat(record.values):
        newest = newest_whole(listed)
        needed |= {newest.path} if newest else set()
    if not needed & {checkpoint.path for checkpoint in listed}:
        return  # nothing here is known to be its result, so nothing is known to be too much
    for checkpoint in listed:
        if checkpoint.path not in needed:
            size, name = checkpoint.path.stat().st_size, paths.relative(checkpoint.path)
            why = f"trial {record.number} keeps its best checkpoint alone"
            yield Leftover(LeftoverKind.CHECKPOINT, name, why, size, checkpoint.path, paths)


def _of_trainers(places: Sequence[Path], kept: list[str]) -> Iterator[Leftover]:
    for entry in all_trainers().entries.values():
        left = entry.left_behind(places)
        kept += left.kept
        for job in left.useless:
            yield Leftover(job.kind, job.name, job.why, remove=job.remove)


def _of_cache(cache: Path) -> Iterator[Leftover]:
    for store in _STORES:
        for path in sorted((cache / store).glob(f".*.{_SIGNS}")):
            name = path.name[1:].rpartition(".")[0]
            if not is_locked(cache / store / f"{name}.lock"):
                yield _unfinished(path, None)


def _unfinished(path: Path, study: StudyPaths | None) -> Leftover:
    why = "its writer was killed before it was whole"
    return Leftover(LeftoverKind.UNFINISHED, str(path), why, _size(path), path, study)


def _size(path: Path) -> int:
    if not path.is_dir():
        return path.stat().st_size
    return sum(one.lstat().st_size for one in path.rglob("*") if not one.is_dir())
