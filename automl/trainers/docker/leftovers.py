"""Containers of ours that a driver left behind, to be shown, gone on with, or removed."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from automl.study.clock import utc_now
from automl.study.layout import AttemptPaths, StudyPaths
from automl.study.lock import read_owner
from automl.trainers.docker.engine import DockerEngine, EngineAway, connect
from automl.trainers.docker.facts import OwnContainer
from automl.trainers.entry import LeftBehind, LeftoverJob

__all__ = [
    "LeftoverContainer",
    "containers_below",
    "left_behind",
    "leftover_containers",
    "remove_leftovers",
]


@dataclass(frozen=True, slots=True)
class LeftoverContainer:
    """A container that no driver waits for.

    Attributes:
        id: Its id.
        name: Its name.
        status: ``created``, ``running``, ``exited``, ...
        study: Name of its study.
        number: The trial's number.
        attempt: The attempt's number.
        folder: The attempt's folder, which may be gone.
        is_resumable: Whether ``automl resume`` of its study would go on with it.
    """

    id: str
    name: str
    status: str
    study: str
    number: int
    attempt: int
    folder: Path
    is_resumable: bool

    def __str__(self) -> str:
        return f"{self.name}  {self.status}  trial {self.number} attempt {self.attempt}"


def left_behind(places: Sequence[Path]) -> LeftBehind:
    """The containers of the studies below some folders, for ``automl clean``."""
    try:
        containers = [left for place in places for left in leftover_containers(place)]
    except EngineAway as error:
        return LeftBehind(kept=(f"containers, as no Docker engine answers ({error})",))
    return LeftBehind(
        tuple(_job(container) for container in containers if not container.is_resumable),
        tuple(
            f"{container}: automl resume {shlex.quote(container.study)} goes on with it"
            for container in containers
            if container.is_resumable
        ),
    )


def _job(container: LeftoverContainer) -> LeftoverJob:
    why = f"no driver waits for it ({container.status})"
    return LeftoverJob("container", container.name, why, partial(_remove, container))


def _remove(container: LeftoverContainer) -> None:
    remove_leftovers([container])


def leftover_containers(
    study: Path | None = None, engine: DockerEngine | None = None, *, mine: bool = False
) -> tuple[LeftoverContainer, ...]:
    """The containers of this package that no live driver waits for.

    Args:
        study: Folder of a study; None for those of every study.
        engine: Where to look; None for the engine that ``DOCKER_HOST`` names.
        mine: Whether this process drives the study, and waits for none of them yet.

    Raises:
        EngineAway: The engine does not answer.
    """
    return tuple(
        _leftover(container)
        for container in (engine or connect()).own_containers()
        if (study is None or Path(container.labels.folder).is_relative_to(study))
        and (mine or not _has_live_driver(Path(container.labels.folder)))
    )


def remove_leftovers(
    containers: Iterable[LeftoverContainer], engine: DockerEngine | None = None
) -> tuple[str, ...]:
    """Removes containers, running ones too; the names of those removed.

    Raises:
        EngineAway: The engine does not answer.
    """
    used = engine or connect()
    removed = []
    for container in containers:
        used.remove(container.id)
        removed.append(container.name)
    return tuple(removed)


def containers_below(engine: DockerEngine, folder: Path) -> tuple[OwnContainer, ...]:
    """The containers of every attempt below a folder, its own included."""
    return tuple(
        container
        for container in engine.own_containers()
        if Path(container.labels.folder).is_relative_to(folder)
    )


def _leftover(container: OwnContainer) -> LeftoverContainer:
    labels = container.labels
    folder = Path(labels.folder)
    is_resumable = (
        container.status != "created"
        and folder.is_dir()
        and _study_of(folder) is not None
        and not AttemptPaths(folder).outcome.exists()
    )
    return LeftoverContainer(
        id=container.id,
        name=container.name,
        status=container.status,
        study=labels.study,
        number=labels.trial,
        attempt=labels.attempt,
        folder=folder,
        is_resumable=is_resumable,
    )


def _study_of(folder: Path) -> StudyPaths | None:
    """The study that an attempt's folder lies in; None if it is gone or was never one."""
    above = (StudyPaths(parent) for parent in folder.parents)
    return next((paths for paths in above if paths.resolved.is_file()), None)


def _has_live_driver(folder: Path) -> bool:
    paths = _study_of(folder)
    owner = read_owner(paths) if paths is not None else None
    return owner is not None and owner.is_alive(utc_now())
