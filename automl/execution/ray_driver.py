"""Driving trials with Ray Tune on this machine.

Every call starts a local Ray of its own and a fresh Tuner, and leaves neither behind. Nothing that
Ray writes is ever read back.
"""

import logging
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from automl.execution.driver import Books, DriveEnd, DriveRequest
from automl.study.config import Resources
from automl.trainers.guard import started_at

__all__ = ["drive"]

# Read by Ray when it is imported or started. The search needs no telemetry, no log files of Ray's,
# no second handler for Ctrl-C; trials are asked for one at a time; a machine that runs out of
# memory is the kernel's business, which kills the trainer and not its worker.
_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_memory_monitor_refresh_ms": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1e9",
    "TUNE_MAX_PENDING_TRIALS_PG": "1",
    "TUNE_WARN_THRESHOLD_S": "60",
    "TUNE_WARN_INSUFFICENT_RESOURCE_THRESHOLD_S": "600",
}
_OBJECT_STORE_BYTES = 100 << 20
_FOLDER_PREFIX = "automl-ray-"
#: Ray's sockets lie 75 characters below its folder, and a socket's path may have 107.
_LONGEST_TEMP = 12


def drive(request: DriveRequest) -> DriveEnd:
    """Runs the attempts the engine asks for, as many at a time as the resources say.

    Returns:
        Why it ended; every attempt it started has been told to the engine.
    """
    books = Books(request)
    control = request.control
    # Ray takes the signals when it starts: the second block takes them back.
    with control.handling_signals(), _ray(request.resources), control.handling_signals():
        try:
            _fit(request, books)
        finally:
            books.settle_all("Ray ended before the trial did")
            shutil.rmtree(request.settings.paths.ray, ignore_errors=True)
    return books.end


def _fit(request: DriveRequest, books: Books) -> None:
    from ray import tune

    from automl.execution.ray_adapters import AttemptTrainable, EngineScheduler, EngineSearcher

    searcher = EngineSearcher(books)
    trainable = tune.with_resources(
        tune.with_parameters(AttemptTrainable, choice=request.trainer, settings=request.settings),
        {"cpu": 1, "gpu": request.resources.gpus_per_trial},
    )
    tuner = tune.Tuner(
        trainable,
        tune_config=tune.TuneConfig(
            search_alg=searcher,
            scheduler=EngineScheduler(books, searcher, request.settings),
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
    tuner.fit()


def _short_name(trial: object) -> str:
    return str(getattr(trial, "trial_id", ""))


@contextmanager
def _ray(resources: Resources) -> Iterator[None]:
    """A local Ray of our own, gone when the block ends, its temporary files with it."""
    gpus = resources.max_concurrent * resources.gpus_per_trial
    _set_environment()
    with _visible_gpus(resources.gpu_ids), _temporary_folder() as folder:
        import ray

        logging.getLogger("ray").setLevel(logging.CRITICAL)
        try:
            ray.init(
                address="local",
                num_cpus=resources.max_concurrent,
                num_gpus=gpus if resources.gpu_ids is None else len(resources.gpu_ids),
                object_store_memory=_OBJECT_STORE_BYTES,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.CRITICAL,
                _node_ip_address="127.0.0.1",
                _temp_dir=str(folder),
            )
            yield
        finally:
            ray.shutdown()


def _set_environment() -> None:
    """Sets what Ray reads, for the rest of this process; what the user has set stands."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    if "ray" not in sys.modules and "RAY_AUTH_MODE" not in os.environ:
        # A secret of this process alone: no other user of the machine can reach its workers. Ray
        # reads it once, when it is imported.
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)


@contextmanager
def _visible_gpus(ids: tuple[int, ...] | None) -> Iterator[None]:
    """Only the GPUs that the study may use are there for Ray inside the block."""
    name = "CUDA_VISIBLE_DEVICES"
    before = os.environ.get(name)
    if ids is not None:
        os.environ[name] = ",".join(str(index) for index in ids)
    try:
        yield
    finally:
        if before is not None:
            os.environ[name] = before
        elif ids is not None:
            del os.environ[name]


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """A folder for Ray's session, deleted at the end; those of dead drivers are deleted too."""
    base = Path(tempfile.gettempdir())
    base = base if len(str(base)) <= _LONGEST_TEMP else Path("/tmp")  # noqa: S108 -- mkdtemp below
    for left in base.glob(f"{_FOLDER_PREFIX}*"):
        owner = left.name.removeprefix(_FOLDER_PREFIX).partition("-")[0]
        if owner.isdigit() and not started_at(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{_FOLDER_PREFIX}{os.getpid()}-", dir=base))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
