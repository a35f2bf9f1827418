"""``best/`` of a study, kept current: the incumbent's complete spec, checkpoint and provenance."""

import errno
from pathlib import Path
from typing import Any

from automl.errors import FixInput
from automl.files import write_json, write_text
from automl.inside import held, refused_link
from automl.skill.keys import NetworkKeys
from automl.skill.tree import Tree, get, with_value
from automl.study.best import BEST_FORMAT, read_best
from automl.study.layout import StudyPaths
from automl.study.outcomes import read_outcome
from automl.study.records import TrialRecord
from automl.trainers.checkpoints import is_whole, place
from automl.yamltext import dump_yaml, load_yaml

__all__ = ["keep_best_current"]

#: What stands in the way of a file is a person's to look at; a full disk is not among it.
_IN_THE_WAY = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError, FixInput)


def keep_best_current(paths: StudyPaths, incumbent: TrialRecord | None, keys: NetworkKeys) -> str:
    """Makes ``best/`` hold the incumbent; does nothing if it does already or there is none.

    Args:
        paths: The study.
        incumbent: Its best trial so far.
        keys: Which settings of a spec tie it to the folder of its trial.

    The provenance is written last: a folder without it, or with that of another trial, is one that
    a crash interrupted, and the next call writes it again.

    Returns:
        Why it cannot hold the incumbent: a file of the trial is lost, or something else stands in
        the place of a file; empty if it does.

    Raises:
        FixInput: A link stands in the place of ``best/``.
    """
    if incumbent is None or _is_kept(paths, incumbent):
        return ""
    if paths.best.is_symlink():
        raise refused_link(paths.best)
    try:
        _keep(paths, incumbent, keys)
    except _IN_THE_WAY as error:
        return f"best/ cannot hold trial {incumbent.number}: {error}"
    return ""


def _keep(paths: StudyPaths, incumbent: TrialRecord, keys: NetworkKeys) -> None:
    attempts = [number for number, _ in paths.attempts(incumbent.number)]
    if not attempts:
        raise FileNotFoundError(errno.ENOENT, "its folder is lost", paths.trial(incumbent.number))
    attempt = max(attempts)
    source = paths.attempt(incumbent.number, attempt)
    spec = dump_yaml(_unbound(load_yaml(source.spec), keys))
    outcome, _ = read_outcome(source)
    checkpoint = None if incumbent.checkpoint is None else paths.folder / incumbent.checkpoint
    name = None if checkpoint is None else checkpoint.name
    with held(paths.best, paths.folder, make=True) as best:
        (best / paths.best_provenance.name).unlink(missing_ok=True)
        write_text(best / paths.best_spec.name, spec)
        if checkpoint is not None and (checkpoint.exists() or not _has(best, checkpoint.name)):
            place(checkpoint, best / checkpoint.name)
        for entry in best.iterdir():
            if entry.name not in (paths.best_spec.name, name) and not _is_folder(entry):
                entry.unlink()
        write_json(
            best / paths.best_provenance.name,
            {
                "format": BEST_FORMAT,
                **_facts(incumbent),
                "attempt": attempt,
                "params": dict(incumbent.params),
                "checkpoint": name,
                "checkpoint_sha256": outcome.checkpoint_sha256 if outcome else None,
                "spec": paths.best_spec.name,
                "trial_spec": paths.relative(source.spec),
            },
        )


def _has(folder: Path, name: str) -> bool:
    """Whether a checkpoint lies there, as it does when only the trial's own was lost."""
    return is_whole(folder / name)


def _is_folder(path: Path) -> bool:
    """Whether it is a folder, which is none of ours and is left alone; a link to one is not."""
    return path.is_dir() and not path.is_symlink()


def _is_kept(paths: StudyPaths, record: TrialRecord) -> bool:
    best, _ = read_best(paths)
    if best is None or not _facts(record).items() <= best.items():
        return False
    names = (paths.best_spec.name, best.get("checkpoint"))
    return all((paths.best / name).is_file() for name in names if name)


def _facts(record: TrialRecord) -> dict[str, Any]:
    return {"trial": record.number, "value": record.best_value, "epoch": record.best_epoch}


def _unbound(spec: Tree, keys: NetworkKeys) -> Tree:
    """The spec without its trial's folder, in which a later training would resume in silence."""
    for key in (*keys.results, *keys.resume):
        if get(spec, key, None):
            spec = with_value(spec, key, "")
    return spec
