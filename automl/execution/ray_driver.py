"""Driving trials with Ray Tune on this machine.

Every call starts a local Ray of its own and a fresh Tuner, and leaves neither behind. Nothing that
Ray writes is ever read back.

Ray works in a thread of its own (``ray_thread``).
"""

import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from automl.execution.driver import DriveEnd, DriveRequest
from automl.execution.live_attempts import LiveAttempts
from automl.execution.local_ray import local_ray
from automl.execution.ray_family import ray_family
from automl.execution.ray_thread import RayThread, supervise
from automl.study.config import Resources
from automl.trainers.leftovers import end_servers

__all__ = ["drive", "gpus_of_a_trial"]

#: Ray counts shares of a GPU in ten-thousandths.
_PARTS = 10_000


def drive(request: DriveRequest) -> DriveEnd:
    """Runs the attempts the engine asks for, as many at a time as the resources say.

    Returns:
        Why it ended; how every attempt it started ended has been reported to the engine.

    Raises:
        FixInput: The study may use fewer GPUs than one trial needs.
        PrepareMachine: Ray cannot start on this machine.
    """
    live = LiveAttempts(request)
    if not request.control.is_asking:
        return live.drive_end
    with request.control.handling_signals():
        try:
            with ray_family() as family, request.control.waiting_for_signals():
                ray = local_ray(request.resources, live.slots, family)
                supervise(RayThread(request, live, ray, partial(_fit, request, live)), family)
        finally:
            end_servers(request.settings.paths)
            shutil.rmtree(request.settings.paths.ray, ignore_errors=True)
            if live.failure is None:
                live.recover_all("Ray ended before the trial did")
    return live.drive_end


def _fit(request: DriveRequest, live: LiveAttempts) -> None:
    from ray import tune

    with _nothing_forwarded():
        _tuner(tune, request, live).fit()


@contextmanager
def _nothing_forwarded() -> Iterator[None]:
    """Ray Tune puts no variable of this process into what its agent logs for all to read.

    Tune forwards some by name, credentials among them. Workers have them all the same: they are
    started with the environment of this process.
    """
    from ray.tune.execution import class_cache

    names = class_cache.ENV_VARS_TO_PROPAGATE
    class_cache.ENV_VARS_TO_PROPAGATE = frozenset()
    try:
        yield
    finally:
        class_cache.ENV_VARS_TO_PROPAGATE = names


def _tuner(tune: Any, request: DriveRequest, live: LiveAttempts) -> Any:
    from automl.execution.ray_adapters import AttemptTrainable, EngineScheduler, EngineSearcher

    searcher = EngineSearcher(live)
    trainable = tune.with_resources(
        tune.with_parameters(AttemptTrainable, choice=request.trainer, settings=request.settings),
        {"cpu": 1, "gpu": gpus_of_a_trial(request.resources)},
    )
    return tune.Tuner(
        trainable,
        tune_config=tune.TuneConfig(
            search_alg=searcher,
            scheduler=EngineScheduler(live, searcher),
            num_samples=-1,
            reuse_actors=True,
            trial_name_creator=_short_name,
            trial_dirname_creator=_short_name,
        ),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=str(request.settings.paths.ray),
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=0),
            # Its default is to save at a trial's end, which here would fail every trial.
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
        ),
    )


def gpus_of_a_trial(resources: Resources) -> float:
    """What Ray is asked for: a whole number, or a share of which so many fit into one GPU."""
    share = resources.gpus_held
    return share if resources.trials_per_gpu == 1 else math.floor(share * _PARTS) / _PARTS


def _short_name(trial: object) -> str:
    return str(getattr(trial, "trial_id", ""))
