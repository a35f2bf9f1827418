"""A private Ray on this machine: its environment, its start, its folder, its end."""

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
from automl.execution.ray_family import RayFamily
from automl.execution.ray_job import own_job
from automl.processes import started_at
from automl.study.config import Resources

__all__ = ["check_python", "gpus_of_all", "local_ray"]

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
    # As many workers again as there are slots, which nobody would ever use.
    "RAY_prestart_worker_first_driver": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1e9",
    "TUNE_WARN_THRESHOLD_S": "60",
    "TUNE_WARN_INSUFFICENT_RESOURCE_THRESHOLD_S": "600",
}
_OF_RAY = ("RAY_", "TUNE_")
_TOKEN = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN")
#: Ray's own programs do not run under these: their help is made of docstrings, and they warn.
_OF_PYTHON = ("PYTHONOPTIMIZE", "PYTHONWARNINGS", "PYTHONINSPECT", "PYTHONDEVMODE")
_OBJECT_STORE_BYTES = 100 << 20
_FOLDER_PREFIX = "automl-ray-"
#: Ray widens the rights of its folder to everybody's, so it lies below one of ours.
_BELOW = "r"
#: Ray's sockets lie 92 characters below the temporary folder, and a socket's path may have 107.
_LONGEST_TEMP = 12


def check_python() -> None:
    """Makes sure that Ray can be imported.

    Raises:
        PrepareMachine: Python runs without docstrings, of which Ray makes its own.
    """
    if sys.flags.optimize > 1:
        raise PrepareMachine(
            "Ray must be able to start on this machine",
            got="a Python without docstrings, which it needs",
            where="PYTHONOPTIMIZE=2 or python -OO",
            fix="unset PYTHONOPTIMIZE",
        )


def gpus_of_all(resources: Resources, slots: int) -> int:
    """GPUs that the attempts of every slot need together."""
    return math.ceil(slots * resources.gpus_per_trial / resources.trials_per_gpu)


@contextmanager
def local_ray(resources: Resources, slots: int, family: RayFamily) -> Iterator[None]:
    """A local Ray of our own, gone when the block ends, its temporary files with it.

    Raises:
        PrepareMachine: Ray cannot start on this machine.
    """
    _set_environment(slots)
    with _visible_gpus(resources.gpu_ids), _temporary_folder() as folder:
        family.owns(folder.parent)
        import ray

        logging.getLogger("ray").setLevel(logging.CRITICAL)
        try:
            with family.adopting():
                _start(ray, resources, slots, folder)
            yield
        finally:
            ray.shutdown()


def _start(ray: Any, resources: Resources, slots: int, folder: Path) -> None:
    ids = resources.gpu_ids
    try:
        ray.init(
            address="local",
            job_config=own_job(),
            num_cpus=slots,
            num_gpus=gpus_of_all(resources, slots) if ids is None else len(ids),
            object_store_memory=_OBJECT_STORE_BYTES,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.CRITICAL,
            _node_ip_address="127.0.0.1",
            _temp_dir=str(folder),
        )
    except Exception as error:  # Ray raises it bare where a process of its own does not come up
        raise PrepareMachine(
            "Ray must be able to start on this machine",
            got=str(error).strip().splitlines()[0] if str(error).strip() else repr(error),
            fix="free memory and space in the temporary folder, or check the GPUs named",
        ) from error


def _set_environment(slots: int) -> None:
    """Sets what Ray reads, for the rest of this process.

    What the user has set for Ray is for another one (an address, folders, settings of a cluster),
    and some of it would keep this one from starting.
    """
    token = {name: os.environ[name] for name in _TOKEN if name in os.environ}
    for name in [*os.environ]:
        if name.startswith(_OF_RAY) or name in _OF_PYTHON:
            del os.environ[name]
    os.environ |= {**_SETTINGS, "TUNE_MAX_PENDING_TRIALS_PG": str(slots)}
    if "ray" not in sys.modules:
        # A secret of this process alone: no other user of the machine can reach its workers. Ray
        # reads it once, when it is imported.
        token = dict(zip(_TOKEN, ("token", secrets.token_hex(32)), strict=True))
    os.environ |= token


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
