"""Which driver runs a study's trials, and what it is given of the configuration."""

from collections.abc import Callable
from contextlib import suppress

from automl.app.named_paths import named_paths
from automl.execution import serial
from automl.execution.driver import ClusterChoice, DriveRequest
from automl.space.model import SearchSpace
from automl.study.config import StudyConfig
from automl.study.folder import read_base_spec, read_space
from automl.study.layout import StudyPaths
from automl.study.nodes import NodeRecord
from automl.study.study_store import StudyStore
from automl.trainers.attempt_settings import AttemptSettings

__all__ = [
    "attempt_settings",
    "cluster_of",
    "drive_trials",
    "is_elsewhere",
    "store_end",
    "store_of",
]


def attempt_settings(paths: StudyPaths, config: StudyConfig) -> AttemptSettings:
    """What is the same for every attempt of a study."""
    return AttemptSettings(
        paths,
        config.objective,
        config.limits.trial_timeout_s,
        config.keep,
        config.resources.trials_per_gpu,
        config.search.rungs,
        config.metrics,
    )


def cluster_of(
    config: StudyConfig,
    paths: StudyPaths,
    on_nodes: Callable[[tuple[NodeRecord, ...]], None],
    on_gpus: Callable[[int | None], None],
) -> ClusterChoice | None:
    """The cluster that the trials run on; None for this machine.

    Args:
        config: What the study asks for.
        paths: The study.
        on_nodes: Called with the cluster's nodes when something of them has changed.
        on_gpus: Called with the GPUs of the next attempt where those are fewer than asked for.
    """
    if not config.ray_address:
        return None
    space = SearchSpace.from_json(read_space(paths))
    reads = named_paths(config, read_base_spec(paths), space, paths.folder.parent)
    follows = config.origin.get("max_concurrent", "default") == "default"
    return ClusterChoice(config.ray_address, on_nodes, on_gpus, reads, store_of(config), follows)


def is_elsewhere(config: StudyConfig) -> bool:
    """Whether trials run on nodes of a cluster, so that this machine may lack what they need."""
    return bool(config.ray_address) and config.searches


def store_of(config: StudyConfig) -> str:
    """Where in the store the study lies; empty without one."""
    return f"{config.study_store.rstrip('/')}/{config.name}" if config.study_store else ""


def store_end(paths: StudyPaths, config: StudyConfig) -> None:
    """Stores how a study ended, for whoever goes on elsewhere; does nothing without a store."""
    if config.study_store:
        from automl.execution.cluster.carrier import store_study

        # The folder here is whole; a store that is away now is behind by its last seconds.
        with suppress(OSError):
            store_study(StudyStore(store_of(config)).snapshots(), paths)


def drive_trials(request: DriveRequest, *, searches: bool) -> None:
    """Runs the trials; returns when they have ended."""
    if not searches:
        serial.drive(request)
    elif request.cluster is None:
        from automl.execution import ray_driver

        ray_driver.drive(request)
    else:
        from automl.execution.cluster import driver

        driver.drive(request, request.cluster)
