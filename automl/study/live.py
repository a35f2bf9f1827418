"""What a live attempt does at this moment, as ``state.json`` holds it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from automl.study.config import Objective
from automl.study.ranking import better
from automl.study.records import Attempt, Measurement

__all__ = ["LiveAttempt"]


@dataclass(frozen=True, slots=True)
class LiveAttempt:
    """A live attempt.

    Attributes:
        number: The trial's number.
        attempt: The attempt's number, from 1.
        began_s: When it began, Unix seconds.
        first_epoch: Zero-based epoch that it began with; above 0 where it goes on.
        epoch: The newest measured epoch, zero-based; None before the first.
        value: The objective at that epoch.
        best: The best objective of any epoch so far.
        phase: ``train`` or ``validate``; empty where the trainer does not say, and between two.
        in_epoch: Zero-based epoch that it is in.
        of_epochs: Epochs of the whole training; 0 where the trainer does not say.
        step: Batches of the phase that are done.
        of_steps: Batches of the phase; 0 where the trainer does not say.
        images_per_s: Images a second in the last seconds; None where the trainer does not say.
        said: The newest line of its status file in words; empty before the first.
        gpus: The GPUs that it holds, as the scheduler names them; empty on a CPU.
        gpu_memory: Bytes in use on them, whoever uses them; None if unknown.
        gpu_utilisation: Their mean utilisation, percent; None if unknown.
        trains_since_s: When its trainer first wrote anything, Unix seconds; None before.
    """

    number: int
    attempt: int
    began_s: float
    first_epoch: int = 0
    epoch: int | None = None
    value: float | None = None
    best: float | None = None
    phase: str = ""
    in_epoch: int = 0
    of_epochs: int = 0
    step: int = 0
    of_steps: int = 0
    images_per_s: float | None = None
    said: str = ""
    gpus: tuple[str, ...] = ()
    gpu_memory: int | None = None
    gpu_utilisation: float | None = None
    trains_since_s: float | None = None

    @classmethod
    def of(cls, attempt: Attempt, began_s: float, objective: Objective) -> Self:
        """An attempt that begins now, with the measurements that it goes on from."""
        first = max((each.epoch + 1 for each in attempt.history), default=0)
        live = cls(attempt.number, attempt.attempt, began_s, first)
        for measurement in attempt.history:
            live = live.measured(measurement, objective)
        return live

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The attempt that ``asdict`` made a plain value of.

        Raises:
            TypeError: A field is missing, or there is another.
        """
        return cls(**{**value, "gpus": tuple(value.get("gpus", ()))})

    def measured(self, measurement: Measurement, objective: Objective) -> Self:
        """This attempt after one more measurement; one without the objective changes nothing."""
        value = measurement.metrics.get(objective.metric)
        if value is None:
            return self
        best = better(value, self.best, objective)
        return replace(self, epoch=measurement.epoch, value=value, best=best)

    @property
    def epochs_done(self) -> float:
        """Epochs behind it, those of earlier attempts too and the share of the one it is in."""
        measured = 0 if self.epoch is None else self.epoch + 1
        whole = float(max(measured, self.first_epoch))
        if not self.of_steps or self.in_epoch < whole:
            return whole
        share = self.step / self.of_steps if self.phase == "train" else 1.0
        return self.in_epoch + min(1.0, share)

    def age_s(self, now_s: float) -> float:
        """Seconds that it has run at a moment, Unix seconds; 0 where clocks disagree."""
        return max(0.0, now_s - self.began_s)

    def gpu_seconds(self, now_s: float, trials_per_gpu: int) -> float:
        """GPU time that it has taken by a moment, its share where trials share a GPU."""
        return self.age_s(now_s) * len(self.gpus) / trials_per_gpu

    def left_s(self, now_s: float, epochs: int | None) -> float | None:
        """Seconds until its last epoch at the pace so far.

        Args:
            now_s: Unix seconds.
            epochs: Epochs of a training where the trainer itself does not say.

        Returns:
            None before a first twentieth of an epoch, and where the epochs are not known.
        """
        total = self.of_epochs or epochs or 0
        done = self.epochs_done - self.first_epoch
        if not total or done < _ENOUGH:
            return None
        # What comes before its training comes once.
        since_s = self.began_s if self.trains_since_s is None else self.trains_since_s
        pace = max(0.0, now_s - since_s) / done
        return max(0.0, total - self.epochs_done) * pace


#: Epochs after which a pace is one.
_ENOUGH = 0.05
