"""Driving trials with Ray Tune on this machine.

Every call starts a local Ray of its own and a fresh Tuner, and leaves neither behind. Nothing that
Ray writes is ever read back.
"""

import logging
import math
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from automl.errors import PrepareMachine
from automl.execution.driver import DriveEnd, DriveRequest
from automl.execution.live_attempts import LiveAttempts
from automl.processes import started_at
from automl.study.config import Resources
from automl.trainers.leftovers import end_servers

__all__ = ["drive"]

# Read by Ray when it is imported or started. The search needs no telemetry, no log files of Ray's,
# no second handler for Ctrl-C; a machine that runs out of memory is the kernel's business, which
# kills the trainer and not its worker.
_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ray takes the loopback address for its own only where it expects no other machine. Without
    # this it listens on every network that the machine has.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_memory_monitor_refresh_ms": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1e9",
    "TUNE_WARN_THRESHOLD_S": "60",
    "TUNE_WARN_INSUFFICENT_RESOURCE_THRESHOLD_S": "600",
}
_OBJECT_STORE_BYTES = 100 << 20
#: Ray counts shares of a GPU in ten-thousandths.
_PARTS = 10_000
_FOLDER_PREFIX = "automl-ray-"
#: Ray widens the rights of its folder to everybody's, so it lies below one of ours.
_BELOW = "r"
#: Ray's sockets lie 92 characters below the temporary folder, and a socket's path may have 107.
_LONGEST_TEMP = 12


def drive(request: DriveRequest) -> DriveEnd:
    """Runs the attempts the engine asks for, as many at a time as the resources say.

    Returns:
        Why it ended; how every attempt it started ended has been reported to the engine.

    Raises:
        FixInput: The study may use fewer GPUs than one trial needs.
        PrepareMachine: Ray cannot start on this machine.
    """
    live = LiveAttempts(request)
    with request.control.handling_signals():
        try:
            # Ray takes the signals when it starts: the inner block takes them back.
            with _ray(request.resources, live.slots), request.control.handling_signals():
                _fit(request, live)
        finally:
            end_servers(request.settings.paths)
            shutil.rmtree(request.settings.paths.ray, ignore_errors=True)
            if live.failure is None:
                live.recover_all("Ray ended before the trial did")
    return live.drive_end


def _fit(request: DriveRequest, live: LiveAttempts) -> None:
    from ray import tune
    from ray.tune.error import TuneError

    try:
        with _nothing_forwarded():
            _tuner(tune, request, live).fit()
    except TuneError:
        # Ray hands on the text of an error alone; its cause is the engine's or the listener's.
        if live.failure is not None:
            raise live.failure from None
        raise


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
        {"cpu": 1, "gpu": _gpus_of_a_trial(request.resources)},
    )
    return tune.Tuner(
        trainable,
        tune_config=tune.TuneConfig(
            search_alg=searcher,
            scheduler=EngineScheduler(live, searcher, request.settings),
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


def _gpus_of_a_trial(resources: Resources) -> float:
    """What Ray is asked for: a whole number, or a share of which so many fit into one GPU."""
    share = resources.gpus_held
    return share if resources.trials_per_gpu == 1 else math.floor(share * _PARTS) / _PARTS


def _gpus_of_all(resources: Resources, slots: int) -> int:
    return math.ceil(slots * resources.gpus_per_trial / resources.trials_per_gpu)


def _short_name(trial: object) -> str:
    return str(getattr(trial, "trial_id", ""))


@contextmanager
def _ray(resources: Resources, slots: int) -> Iterator[None]:
    """A local Ray of our own, gone when the block ends, its temporary files with it."""
    _set_environment(slots)
    with _visible_gpus(resources.gpu_ids), _temporary_folder() as folder:
        import ray

        logging.getLogger("ray").setLevel(logging.CRITICAL)
        try:
            _start(ray, resources, slots, folder)
            yield
        finally:
            ray.shutdown()


def _start(ray: Any, resources: Resources, slots: int, folder: Path) -> None:
    ids = resources.gpu_ids
    try:
        ray.init(
            address="local",
            num_cpus=slots,
            num_gpus=_gpus_of_all(resources, slots) if ids is None else len(ids),
            object_store_memory=_OBJECT_STORE_BYTES,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.CRITICAL,
            _node_ip_address="127.0.0.1",
            _temp_dir=str(folder),
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise PrepareMachine(
            "Ray must be able to start on this machine",
            got=str(error).strip().splitlines()[0] if str(error).strip() else repr(error),
            fix="free memory and space in the temporary folder, or check the GPUs named",
        ) from error


def _set_environment(slots: int) -> None:
    """Sets what Ray reads, for the rest of this process; what the user has set stands."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(slots)
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
    """A folder for Ray's session, deleted at the end; those of dead drivers are deleted too.

    Nobody else can enter the folder that it lies in.
    """
    base = Path(tempfile.gettempdir())
    base = base if len(str(base)) <= _LONGEST_TEMP else Path("/tmp")  # noqa: S108 -- mkdtemp below
    for session in base.glob(f"{_FOLDER_PREFIX}*"):
        if _is_left_over(session):
            shutil.rmtree(session, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{_FOLDER_PREFIX}{os.getpid()}-", dir=base))
    try:
        yield folder / _BELOW
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_left_over(session: Path) -> bool:
    """Whether a folder is this user's own and its driver has died."""
    owner = session.name.removeprefix(_FOLDER_PREFIX).partition("-")[0]
    try:
        is_own = session.lstat().st_uid == os.getuid()
    except FileNotFoundError:
        return False
    return is_own and owner.isdigit() and not started_at(int(owner))
