"""The mirrors there are, and mirroring: each run that changed since the last time, told again."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from automl.errors import InstallExtra
from automl.extras import how_to_get
from automl.files import write_json
from automl.jsontext import read_json
from automl.reports.mirrors.model import Mirror, runs_of
from automl.reports.summary import read_summary
from automl.study.layout import StudyPaths

__all__ = ["MIRRORS", "check_mirror", "mirror_study", "place_of"]

#: Name to module and class; a library that the package does not need is the extra of the name.
MIRRORS: Final[Mapping[str, tuple[str, str]]] = {
    "mlflow": ("automl.reports.mirrors.to_mlflow", "MlflowMirror"),
    "tensorboard": ("automl.reports.mirrors.to_tensorboard", "TensorboardMirror"),
    "wandb": ("automl.reports.mirrors.to_wandb", "WandbMirror"),
}
_FOLDER = "mirrors"


def place_of(paths: StudyPaths, name: str) -> str:
    """Where a mirror goes if nobody says otherwise: into the study's folder, without a network."""
    return str((paths.folder / _FOLDER / name).absolute())


def check_mirror(name: str) -> None:
    """Makes sure that a mirror's library is there.

    Raises:
        InstallExtra: It is not.
    """
    _class_of(name)


def _class_of(name: str) -> Any:
    module, kind = MIRRORS[name]
    try:
        return getattr(importlib.import_module(module), kind)
    except ImportError as error:
        raise InstallExtra(
            f"a mirror to {name} needs its library",
            got=str(error),
            where=f"mirror {name}",
            fix=how_to_get(name),
        ) from error


def mirror_study(paths: StudyPaths, name: str, to: str = "") -> tuple[int, str]:
    """Tells a tracker what of a study it does not know yet; twice changes nothing.

    Args:
        paths: The study.
        name: One of ``MIRRORS``.
        to: Where the tracker keeps it; empty for the study's own folder.

    Returns:
        How many runs were written, and where.

    Raises:
        InstallExtra: The tracker's library is not installed.
        FixInput: The study cannot be read.
    """
    kind = _class_of(name)
    place = to or place_of(paths, name)
    ledger = paths.folder / _FOLDER / f"{name}.json"
    known = _known(ledger, place)
    study, *trials = runs_of(read_summary(paths.folder))
    changed = [run for run in (study, *trials) if known.get(run.key) != run.digest]
    if not changed:
        return 0, place
    mirror: Mirror = kind(place)
    try:
        mirror.show(study, None)
        for run in changed:
            if run is not study:
                mirror.show(run, study)
    finally:
        mirror.close()
    known |= {run.key: run.digest for run in changed}
    ledger.parent.mkdir(exist_ok=True)
    write_json(ledger, {"place": place, "runs": known})
    return len(changed), place


def _known(ledger: Path, place: str) -> dict[str, str]:
    """Run to the hash of what was told of it at this place."""
    try:
        value = read_json(ledger)
        return dict(value["runs"]) if value["place"] == place else {}
    except (OSError, LookupError, TypeError, ValueError):
        return {}
