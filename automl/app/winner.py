"""``best/`` of a study, kept current: the incumbent's complete spec, checkpoint and provenance."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automl.files import write_json, write_text
from automl.inside import held
from automl.jsontext import read_json
from automl.skill.keys import NetworkKeys
from automl.skill.tree import Tree, get, with_value
from automl.study.layout import StudyPaths
from automl.study.outcomes import read_outcome
from automl.study.records import TrialRecord
from automl.trainers.checkpoints import place
from automl.yamltext import dump_yaml, load_yaml

__all__ = ["keep_best_current", "read_best"]

FORMAT = 1


def keep_best_current(paths: StudyPaths, incumbent: TrialRecord | None, keys: NetworkKeys) -> None:
    """Makes ``best/`` hold the incumbent; does nothing if it does already or there is none.

    Args:
        paths: The study.
        incumbent: Its best trial so far.
        keys: Which settings of a spec tie it to the folder of its trial.

    The provenance is written last: a folder without it, or with that of another trial, is one that
    a crash interrupted, and the next call writes it again.

    Raises:
        FixInput: A link stands in the place of ``best/``.
    """
    if incumbent is None or _is_kept(paths, incumbent):
        return
    attempt = max(number for number, _ in paths.attempts(incumbent.number))
    source = paths.attempt(incumbent.number, attempt)
    spec = dump_yaml(_unbound(load_yaml(source.spec), keys))
    outcome, _ = read_outcome(source)
    checkpoint = None if incumbent.checkpoint is None else paths.folder / incumbent.checkpoint
    name = None if checkpoint is None else checkpoint.name
    with held(paths.best, paths.folder, make=True) as best:
        (best / paths.best_provenance.name).unlink(missing_ok=True)
        write_text(best / paths.best_spec.name, spec)
        if checkpoint is not None:
            place(checkpoint, best / checkpoint.name)
        for entry in best.iterdir():
            if entry.name not in (paths.best_spec.name, name) and not _is_folder(entry):
                entry.unlink()
        write_json(
            best / paths.best_provenance.name,
            {
                "format": FORMAT,
                **_facts(incumbent),
                "attempt": attempt,
                "params": dict(incumbent.params),
                "checkpoint": name,
                "checkpoint_sha256": outcome.checkpoint_sha256 if outcome else None,
                "spec": paths.best_spec.name,
                "trial_spec": paths.relative(source.spec),
            },
        )


def _is_folder(path: Path) -> bool:
    """Whether it is a folder, which is none of ours and is left alone; a link to one is not."""
    return path.is_dir() and not path.is_symlink()


def read_best(paths: StudyPaths) -> Mapping[str, Any] | None:
    """What ``best/`` says it holds; None if nothing, or nothing whole."""
    try:
        value = read_json(paths.best_provenance, follow=False)
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) and value.get("format") == FORMAT else None


def _is_kept(paths: StudyPaths, record: TrialRecord) -> bool:
    best = read_best(paths)
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
