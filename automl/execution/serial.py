"""Driving trials one at a time in this process: for one plain training, and for debugging."""

from automl.execution.driver import DriveEnd, DriveRequest, open_trainer
from automl.execution.live_attempts import LiveAttempts
from automl.study.records import Attempt, Outcome
from automl.trainers.attempt_run import AttemptRun
from automl.trainers.base import release

__all__ = ["drive"]


def drive(request: DriveRequest) -> DriveEnd:
    """Runs every attempt the engine asks for, one after the other.

    With GPUs each attempt gets the first ones that the study may use.

    Returns:
        Why it ended; how every attempt it started ended has been reported to the engine.
    """
    live = LiveAttempts(request)
    trainer = open_trainer(request.trainer)
    try:
        with request.control.handling_signals():
            while (prepared := live.prepare_next()) is not None:
                attempt, task = prepared
                run = AttemptRun(attempt, task, trainer, request.settings)
                live.finish(_outcome(request, live, attempt, run))
    finally:
        release(trainer)
    return live.drive_end


def _outcome(
    request: DriveRequest, live: LiveAttempts, attempt: Attempt, run: AttemptRun
) -> Outcome:
    run.begin(_gpus(request))
    while not isinstance(step := run.advance(), Outcome):
        live.report(attempt, step)
    return step


def _gpus(request: DriveRequest) -> list[str]:
    count = request.resources.gpus_per_trial
    ids = request.resources.gpu_ids
    return [str(index) for index in (range(count) if ids is None else ids[:count])]
