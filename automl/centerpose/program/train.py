"""The ``train`` action: from a spec to checkpoints and metrics.

Resuming is the ordinary way to begin: a fresh training resumes from nothing. Everything that
changes on the way is in ``training``.
"""

import time
from pathlib import Path

from automl.centerpose.config.experiment import Experiment
from automl.centerpose.evaluation.metrics import EvaluationResult
from automl.centerpose.session.cache import Cache
from automl.centerpose.session.checkpoints import latest_in
from automl.centerpose.session.clock import process_age
from automl.centerpose.session.interrupt import Interrupted
from automl.centerpose.session.pausing import has_paused
from automl.centerpose.session.run import Run
from automl.centerpose.training.loop import Training
from automl.centerpose.training.pretrained import load_pretrained
from automl.centerpose.training.process_group import ProcessGroup, SingleProcess
from automl.centerpose.training.resumable import LoadedCheckpoint, read_resumable
from automl.centerpose.training.supported import check_supported

__all__ = ["train"]


def train(
    spec: Experiment,
    run: Run,
    *,
    cache: Cache | None = None,
    processes: ProcessGroup | None = None,
    augment: bool = True,
) -> EvaluationResult | None:
    """Trains as the spec says, from the checkpoint to resume if there is one.

    Args:
        spec: The whole spec.
        run: Where to write and report.
        cache: What earlier trainings of this process left; None in a process that trains once.
        processes: Those that train together; None trains alone, on the spec's first device.
        augment: False shows training images as they are; for tests that must memorise.

    Returns:
        The scores of the last validation; None if there was none.

    Raises:
        NotImplementedError: The spec asks for something that this program does not do.
        ValueError: Intervals exceed the epochs, or a split is smaller than a batch.
        FixData: A checkpoint or the data cannot be used as they are.
        FixInput: A training interrupted within an epoch is to go on with other batches.
        Diverged: The loss stopped being finite.
        Interrupted: A signal ended the training; a checkpoint was written first, but where it had
            left the one at which it was asked to pause.
    """
    began = time.monotonic() - (process_age() if cache is None else 0.0)
    check_supported(spec)
    _check_intervals(spec)
    resumed = _checkpoint_to_resume(spec, run.folder)
    processes = processes or SingleProcess(spec.train.gpu_ids, run.interrupt)
    training = Training(spec, run, processes, cache=cache, resumed=resumed, augment=augment)
    if resumed:
        run.status.started(f"Resuming training from checkpoint: {resumed.path}")
        training.restore(resumed)
    else:
        load_pretrained(training.network, spec, run.say)
    run.status.started("Starting Training Loop.")
    training.began = began
    try:
        training.run_epochs()
    except Interrupted:
        training.writer.join()
        # Processes that train together save together or not at all.
        if not all(processes.gather([has_paused(run.folder)])):
            training.save()
        raise
    finally:
        training.writer.close()
    training.report.end(processes.device)
    return training.last_result


def _check_intervals(spec: Experiment) -> None:
    intervals = {"train.validation_interval": spec.train.validation_interval}
    if spec.train.checkpoint_interval_unit == "epoch":
        intervals["train.checkpoint_interval"] = spec.train.checkpoint_interval
    for key, interval in intervals.items():
        if not 1 <= interval <= spec.train.num_epochs:
            raise ValueError(
                f"{key} must be between 1 and train.num_epochs = {spec.train.num_epochs}, "
                f"but got {interval}"
            )


def _checkpoint_to_resume(spec: Experiment, folder: Path) -> LoadedCheckpoint | None:
    given = spec.train.resume_training_checkpoint_path
    path = Path(given) if given else latest_in(folder)
    return read_resumable(path) if path else None
