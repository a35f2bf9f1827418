"""Driving trials with Ray Tune on this machine.

Every call starts a local Ray of its own and a fresh Tuner, and leaves neither behind. Nothing that
Ray writes is ever read back.

Ray works in a thread: a call of it that never returns cannot keep the driver from hearing a
signal, from noticing that a process of Ray's has died, and from ending the study in order.
"""

import math
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from automl.errors import PrepareMachine
from automl.execution.control import Stage
from automl.execution.driver import DriveEnd, DriveRequest
from automl.execution.live_attempts import LiveAttempts
from automl.execution.local_ray import local_ray
from automl.execution.ray_errors import is_ours, said
from automl.execution.ray_family import RayFamily, ray_family
from automl.processes import ABANDONED
from automl.study.config import Resources
from automl.trainers.leftovers import end_servers

__all__ = ["drive"]

#: Ray counts shares of a GPU in ten-thousandths.
_PARTS = 10_000
_LOOK_S = 0.2
#: Seconds that Ray gets to end all trials once they are to stop: as long as a guard may take.
_STOPPING_S = 60.0
#: Seconds that Ray gets to end itself.
_ENDING_S = 20.0
#: Seconds that the workers get to end their attempts in order once Ray has died.
_ORPHANS_S = 5.0


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
                _search(_RayThread(request, live, family), request, live, family)
        finally:
            end_servers(request.settings.paths)
            shutil.rmtree(request.settings.paths.ray, ignore_errors=True)
            if live.failure is None:
                live.recover_all("Ray ended before the trial did")
    return live.drive_end


class _RayThread(threading.Thread):
    """Starts Ray, lets Tune run the trials, ends Ray.

    Attributes:
        error: What it ended with.
        is_up: Whether Ray has started.
        ending_since: When Tune was done, by the monotonic clock; None before.
    """

    def __init__(self, request: DriveRequest, live: LiveAttempts, family: RayFamily) -> None:
        super().__init__(name="ray", daemon=True)
        self.error: BaseException | None = None
        self.is_up = False
        self.ending_since: float | None = None
        self._request = request
        self._live = live
        self._family = family

    def run(self) -> None:
        """Ends when nothing of Ray is left."""
        try:
            with local_ray(self._request.resources, self._live.slots, self._family):
                self.is_up = True
                try:
                    _fit(self._request, self._live)
                finally:
                    self.ending_since = time.monotonic()
        except Exception as error:  # noqa: BLE001 -- Ray raises whatever it met, bare ones too
            self.error = self._meant_by(error)
        except BaseException as error:  # noqa: BLE001 -- raised again in the driver's main thread
            self.error = error

    def _meant_by(self, error: Exception) -> Exception | None:
        """What is to be raised; nothing where Ray failed, which ends the search resumably."""
        if self._live.failure is not None:
            # Ray hands on the text of an error alone; its cause is the engine's or the listener's.
            return self._live.failure
        if is_ours(error):
            return error
        if not self.is_up:
            return _cannot_start(said(error))
        self._request.control.stop_now(f"Ray failed ({said(error)})")
        return None


def _search(
    thread: _RayThread, request: DriveRequest, live: LiveAttempts, family: RayFamily
) -> None:
    """Lets the thread come to its end; leaves it behind where it cannot."""
    thread.start()
    why = _why_it_cannot_end(thread, request, family)
    if not why:
        if thread.error is not None:
            raise thread.error
        return
    live.take_over()
    family.leave()
    thread.name = ABANDONED
    if not thread.is_up and request.control.stage is not Stage.NOW:
        raise _cannot_start(why)
    is_asked = request.control.stage is Stage.NOW
    request.control.stop_now("" if is_asked else why)
    live.await_outcomes(_ORPHANS_S)


def _why_it_cannot_end(thread: _RayThread, request: DriveRequest, family: RayFamily) -> str:
    """Waits for the thread; empty when it has ended, else why it must be left behind."""
    stopping_since: float | None = None
    while True:
        request.control.wait(_LOOK_S)
        if not thread.is_alive():
            return ""
        now = time.monotonic()
        if thread.ending_since is not None:
            if now - thread.ending_since > _ENDING_S:
                return "Ray did not end"
            continue
        if family.dead:
            return f"Ray's process {family.dead} died"
        if request.control.stage is Stage.NOW:
            stopping_since = stopping_since or now
            if not thread.is_up or now - stopping_since > _STOPPING_S:
                return request.control.reason or "Ray was not ready"


def _cannot_start(why: str) -> PrepareMachine:
    return PrepareMachine(
        "Ray must be able to start on this machine",
        got=why,
        fix="free memory and space in the temporary folder, then automl resume goes on",
    )


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
        {"cpu": 1, "gpu": _gpus_of_a_trial(request.resources)},
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


def _gpus_of_a_trial(resources: Resources) -> float:
    """What Ray is asked for: a whole number, or a share of which so many fit into one GPU."""
    share = resources.gpus_held
    return share if resources.trials_per_gpu == 1 else math.floor(share * _PARTS) / _PARTS


def _short_name(trial: object) -> str:
    return str(getattr(trial, "trial_id", ""))
