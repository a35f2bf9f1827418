"""What a training reports while it runs: the lines of its status file and of its log."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import torch

from automl.centerpose.evaluation.metrics import EvaluationResult
from automl.centerpose.session.run import Run
from automl.centerpose.training.position import Position
from automl.trainers.contract import (
    EVAL_METRICS,
    PROGRESS,
    TRAIN_METRICS,
    TRAINING_LOOP,
    Phase,
    StepProgress,
)

__all__ = ["EpochTiming", "StepReport", "TrainingReport"]

#: Seconds between two lines within an epoch.
_STEPS_EVERY_S = 5.0

_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class EpochTiming:
    """What an epoch took.

    Attributes:
        images: Images learnt, over all devices; fewer where the epoch was taken up midway.
        learning_s: Seconds until the last of them was learnt.
        validation_s: Seconds of the validation; 0 where there was none.
    """

    images: int
    learning_s: float
    validation_s: float

    @property
    def seconds(self) -> float:
        """Both together."""
        return self.learning_s + self.validation_s

    def __str__(self) -> str:
        text = f"{self.seconds:.1f} s"
        if self.images:
            text += f", {self.images / self.learning_s:.1f} images/s"
        if self.validation_s:
            text += f", validation {self.validation_s:.2f} s"
        return text


class StepReport:
    """Says within an epoch, every few seconds, how far it is and how fast.

    A step on a GPU is counted once it is launched; over seconds that is the rate of the device.

    Args:
        run: Where to report.
        n_epochs: Of the whole training.
        every_s: Seconds between two lines.
        clock: The monotonic clock, seconds.
    """

    def __init__(
        self,
        run: Run,
        n_epochs: int,
        every_s: float = _STEPS_EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._run, self._n_epochs = run, n_epochs
        self._every_s, self._clock = every_s, clock
        self._phase, self._epoch, self._n_steps, self._images = Phase.TRAIN, 0, 0, 0
        self._step = self._said_step = 0
        self._said_at = clock()

    def begin(self, phase: Phase, epoch: int, steps: range, images: int) -> None:
        """A phase of an epoch begins.

        Args:
            phase: Which one.
            epoch: Zero-based.
            steps: Those that are left, numbered from 0; its end is the number of all.
            images: Of one step, over all devices.
        """
        self._phase, self._epoch, self._n_steps = phase, epoch, steps.stop
        self._images = images
        self._step = self._said_step = steps.start
        self._said_at = self._clock()

    def step(self) -> None:
        """One more step is done."""
        self._step += 1
        now = self._clock()
        took = now - self._said_at
        if took < self._every_s:
            return
        rate = (self._step - self._said_step) * self._images / took
        done = (self._epoch, self._n_epochs, self._step, self._n_steps)
        self._run.status.running(PROGRESS, fields=StepProgress(self._phase, *done, rate).fields)
        self._said_at, self._said_step = now, self._step


class TrainingReport:
    """Reports one training.

    Args:
        run: Where to write and report.
        n_epochs: Of the whole training.
        n_batches: Batches an epoch.

    Attributes:
        steps: Reports what happens within an epoch.
    """

    def __init__(self, run: Run, n_epochs: int, n_batches: int) -> None:
        self._run, self._n_epochs, self._n_batches = run, n_epochs, n_batches
        self.steps = StepReport(run, n_epochs)

    def first_step(self, began: float, ready: float) -> None:
        """Says how long it took from ``began`` until a first step was ``ready``, and is done now.

        Both are readings of the monotonic clock.
        """
        done = time.monotonic() - began
        self._run.say(f"first step after {ready - began:.1f} s (done after {done:.1f} s)")

    def validation(self, result: EvaluationResult, loss: float) -> None:
        """Reports the scores, like the container as text, and what moves before they do."""
        kpi = {
            "val_3DIoU": result.ap50,
            "val_2DMPE": result.mpe,
            "val_loss": loss,
            "val_candidate_accuracy": result.candidate_accuracy,
        }
        texts = {name: str(value) for name, value in kpi.items()}
        self._run.status.running(EVAL_METRICS, kpi=texts)
        scores = f"\n Validation 3DIoU : {result.ap50}\n\n Validation 2DMPE : {result.mpe}"
        self._run.say(scores)

    def epoch(self, position: Position, effort: EpochTiming) -> None:
        """Reports an epoch that ends at ``position``."""
        seconds, left = effort.seconds, self._n_epochs - 1 - position.epoch
        fields = {
            "epoch": position.epoch,
            "step": position.step,
            "max_epoch": self._n_epochs - 1,
            "max_step": self._n_epochs * self._n_batches,
            "time_per_epoch": str(timedelta(seconds=seconds)),
            "time_per_step": str(timedelta(seconds=seconds / self._n_batches)),
            "eta": str(timedelta(seconds=seconds * left)),
        }
        loss = position.loss_sum / self._n_batches
        self._run.status.running(TRAINING_LOOP, fields=fields)
        self._run.status.running(TRAIN_METRICS, kpi={"train_loss": loss})
        self._run.say(f"epoch {position.epoch}: train_loss {loss:.4f}, {effort}")

    def end(self, device: torch.device) -> None:
        """Reports that all is learnt, and the most memory of a GPU that it took."""
        if device.type == "cuda":
            held = torch.cuda.max_memory_reserved(device) / _GIB
            self._run.say(f"peak GPU memory {held:.2f} GiB")
        self._run.status.running("Training loop complete.")
