"""CachedTrainings for ``serve``: each as ``train`` runs it, over what earlier ones have left."""

import gc
import signal
import sys
from pathlib import Path

from automl.centerpose.config.experiment import Experiment
from automl.centerpose.program.actions import ActionEnd, perform, train_on_its_devices
from automl.centerpose.program.serve import Job, TrainingEnd, serve
from automl.centerpose.session.interrupt import Interrupt, Interrupted
from automl.centerpose.session.run import Run
from automl.errors import AutomlError

__all__ = ["CachedTrainings", "serve_trainings"]

#: Ends of a training that leave the process as it was: the spec was wrong, or it was stopped at
#: a point where its state is whole.
_HARMLESS = (AutomlError, NotImplementedError, ValueError, Interrupted)


def serve_trainings() -> int:
    """Serves until the input ends; returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return serve(CachedTrainings())


class CachedTrainings:
    """Runs trainings in this process, with what they keep for one another."""

    def __init__(self) -> None:
        from automl.centerpose.session.cache import Cache

        self.cache = Cache()

    def __call__(self, job: Job, interrupt: Interrupt) -> TrainingEnd:
        """Runs one training to its end."""
        self.cache.begin()
        _forget_peak()
        ended = self._ended(perform("train", Path(job.spec), job.overrides, interrupt, self._act))
        _collect()
        return ended

    def _ended(self, end: ActionEnd) -> TrainingEnd:
        harmless = end.error is None or isinstance(end.error, _HARMLESS)
        peak = _gpu_peak_mib()
        if peak is not None:
            sys.stdout.write(f"GPU memory at its peak: {peak} MiB\n")
        return TrainingEnd(end.code, harmless, peak)

    def _act(self, spec: Experiment, run: Run) -> None:
        """Trains; once more without what earlier trainings left, if memory did not suffice."""
        if not self._has_trained(spec, run):
            # Out of the handler of the error, whose frames held the memory that was too much.
            _collect()
            self.cache.clear()
            run.say("out of memory beside what earlier trainings left; again without it")
            self._train(spec, run)

    def _has_trained(self, spec: Experiment, run: Run) -> bool:
        import torch

        try:
            self._train(spec, run)
        except torch.OutOfMemoryError:
            if not self.cache.has_unused:
                raise
            return False
        return True

    def _train(self, spec: Experiment, run: Run) -> None:
        train_on_its_devices(spec, run, self.cache)


def _forget_peak() -> None:
    import torch

    from automl.centerpose.session.cache import on_gpu

    if on_gpu():
        torch.cuda.reset_peak_memory_stats()


def _gpu_peak_mib() -> int | None:
    import torch

    from automl.centerpose.session.cache import on_gpu

    return torch.cuda.max_memory_reserved() >> 20 if on_gpu() else None


def _collect() -> None:
    """Lets go of what the last training held and nothing else does."""
    from automl.centerpose.hardware.heap import give_back
    from automl.centerpose.session.cache import release

    gc.collect()
    release()
    give_back()
