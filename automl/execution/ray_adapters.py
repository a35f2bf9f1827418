"""The thin side of Ray Tune: a searcher, a scheduler and a trainable over one engine.

Nothing here holds state that must outlive the process: the engine's study does. An attempt that
is to stop early or to pause is asked to by a file, and ends by itself in its next step: Ray's own
early stop leaves a reused worker, and with it the training process, running.
"""

import json
from contextlib import suppress
from pickle import UnpicklingError
from typing import Any

import ray
from ray import tune
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from automl.execution.driver import TrainerChoice, open_trainer
from automl.execution.live_attempts import LiveAttempts
from automl.execution.lost import Lost
from automl.execution.ray_errors import raised_by_worker, said
from automl.jsontext import parse_json
from automl.study.records import (
    Attempt,
    FailureClass,
    Measurement,
    Outcome,
    OutcomeState,
)
from automl.trainers.attempt_run import AttemptRun
from automl.trainers.attempt_settings import AttemptSettings
from automl.trainers.base import TrialTask, release

__all__ = ["AttemptTrainable", "EngineScheduler", "EngineSearcher"]

MEASUREMENT = "measurement"
ATTEMPT = "attempt"
TASK = "task"


class EngineSearcher(Searcher):  # type: ignore[misc] # ray has no types
    """Asks the engine for one attempt at a time, never ahead of a free slot.

    Args:
        live: The live attempts, and the exchange with the engine about them.
    """

    def __init__(self, live: LiveAttempts) -> None:
        super().__init__()
        self._live = live
        self._attempts: dict[str, Attempt] = {}
        self._raised: dict[str, Lost] = {}

    def __getstate__(self) -> dict[str, Any]:
        # Ray writes its settings into a file that nobody reads; the engine stays out of it.
        return {}

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The configuration of Ray's next trial; None to be asked again, FINISHED at the end."""
        with self._live.noting_failure():
            if self._live.is_full:
                return None
            prepared = self._live.prepare_next()
            if prepared is None:
                return None if self._live.count else Searcher.FINISHED
            attempt, task = prepared
            self._attempts[trial_id] = attempt
            return {ATTEMPT: attempt, TASK: task}

    def attempt_of(self, trial_id: str) -> Attempt:
        """The attempt that one of Ray's trials runs."""
        return self._attempts[trial_id]

    def note_error(self, trial_id: str, error: BaseException | None) -> None:
        """Keeps what a trial's worker raised for the moment in which it is reported as ended."""
        if raised_by_worker(error):
            because = f"the worker process of the trial could not go on: {said(error)}"
            self._raised[trial_id] = Lost(because, failure=FailureClass.UNKNOWN)

    def on_trial_complete(
        self,
        trial_id: str,
        result: dict[str, Any] | None = None,  # noqa: ARG002 -- Ray's signature
        error: bool = False,  # noqa: ARG002
    ) -> None:
        """Reports to the engine how the attempt ended, by what its worker left on disk."""
        with self._live.noting_failure():
            attempt = self._attempts.pop(trial_id)
            died = Lost("the worker process of the trial died")
            self._live.recover(attempt, self._raised.pop(trial_id, died))

    def save(self, checkpoint_path: str) -> None:
        """Writes nothing: the study is the only state."""

    def restore(self, checkpoint_path: str) -> None:
        """Reads nothing: the study is the only state."""

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        """Writes nothing: the study is the only state."""


class EngineScheduler(FIFOScheduler):  # type: ignore[misc] # ray has no types
    """Passes each measurement to the engine, which may ask the attempt to end.

    Args:
        live: The live attempts, and the exchange with the engine about them.
        searcher: Knows which attempt a trial of Ray's runs.
    """

    def __init__(self, live: LiveAttempts, searcher: EngineSearcher) -> None:
        super().__init__()
        self._live = live
        self._searcher = searcher

    def __getstate__(self) -> dict[str, Any]:
        # As for the searcher.
        return {}

    def on_trial_result(
        self,
        tune_controller: Any,  # noqa: ARG002 -- Ray's signature
        trial: Trial,
        result: dict[str, Any],
    ) -> str:
        """CONTINUE always: an attempt that is to end does so by itself."""
        with self._live.noting_failure():
            attempt = self._searcher.attempt_of(trial.trial_id)
            measurement = Measurement.from_json(parse_json(result[MEASUREMENT]))
            self._live.report(attempt, measurement)
        return str(TrialScheduler.CONTINUE)

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:
        """Tells the searcher, which hears next that the trial has ended, what was raised."""
        with suppress(OSError, EOFError, ImportError, AttributeError, UnpicklingError):
            self._searcher.note_error(trial.trial_id, trial.get_pickled_error())
        super().on_trial_error(tune_controller, trial)


class AttemptTrainable(tune.Trainable):  # type: ignore[misc] # ray has no types
    """Runs attempts in a worker that is reused from one to the next.

    An attempt begins in its first step, never in ``setup``. Ray asks for a worker for a trial, and
    gives the trial to another one if that becomes free before the first is up; the surplus worker
    still runs ``setup`` with the trial's configuration, perhaps long after the trial has ended,
    and is then stopped. Only the worker that has the trial is asked for a step.
    """

    def setup(
        self, config: dict[str, Any], choice: TrainerChoice, settings: AttemptSettings
    ) -> None:
        """Takes the first attempt, which this worker may never be asked to begin."""
        self._trainer = open_trainer(choice)
        self._settings = settings
        self._run: AttemptRun | None = None
        self._assign(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Takes the next attempt in the same worker."""
        self._end_run()
        self._assign(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Begins the attempt in its first step; waits for the next measurement, or for the end."""
        result = (self._run or self._begin()).advance()
        if isinstance(result, Outcome):
            return {"done": True}
        # As text: Ray would take a nested value apart.
        return {MEASUREMENT: json.dumps(result.to_json())}

    def cleanup(self) -> None:
        """Ends an attempt that still runs, and what is kept for a next one."""
        self._end_run()
        release(self._trainer)

    def _assign(self, config: dict[str, Any]) -> None:
        self._attempt: Attempt = config[ATTEMPT]
        self._task: TrialTask = config[TASK]

    def _begin(self) -> AttemptRun:
        # Kept before it begins: whatever happens then, ``cleanup`` ends it.
        self._run = AttemptRun(self._attempt, self._task, self._trainer, self._settings)
        gpus = ray.get_runtime_context().get_accelerator_ids().get("GPU", [])
        self._run.begin([str(gpu) for gpu in gpus])
        return self._run

    def _end_run(self) -> None:
        if self._run is not None:
            self._run.stop(OutcomeState.INTERRUPTED, "the worker of the trial was stopped")
            self._run = None
