"""The ``train`` action: from a spec to checkpoints and metrics.

Read from ``train`` down. A training is a position (epoch, batch, step) with the state of network,
optimiser and schedule at it. All of that is in a checkpoint, so that resuming is the ordinary way
to begin: a fresh training resumes from nothing.
"""

import math
import time
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from automl.centerpose.checkpoints import (
    latest_in,
    load_weights,
    read_checkpoint,
    save_checkpoint,
    weights_of,
)
from automl.centerpose.config.experiment import Experiment
from automl.centerpose.dataset import Batch, Loader, read_split, to_input
from automl.centerpose.device import (
    choose_device,
    choose_seed,
    loader_threads,
    mixed,
    prepare_torch,
)
from automl.centerpose.evaluation.metrics import EvaluationResult
from automl.centerpose.footprint import save_memory
from automl.centerpose.interrupt import Interrupted
from automl.centerpose.losses import centerpose_loss
from automl.centerpose.models.build import build_network
from automl.centerpose.pretrained import load_pretrained
from automl.centerpose.run import Run
from automl.centerpose.scoring import evaluation_settings, score
from automl.centerpose.supported import check_supported, loss_weights
from automl.trainers.contract import EVAL_METRICS, TRAIN_METRICS, TRAINING_LOOP, CheckpointName

__all__ = ["Diverged", "Position", "Schedule", "Training", "train"]


class Diverged(Exception):
    """The loss is not a finite number any more."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The learning rate over the epochs.

    Attributes:
        lr: Rate of the first epoch.
        steps: Epochs from which on it is lower.
        decay: Factor at each of them.
    """

    lr: float
    steps: tuple[int, ...]
    decay: float

    def at(self, epoch: int) -> float:
        """The rate of an epoch, counted from 0."""
        return self.lr * self.decay ** sum(step <= epoch for step in self.steps)


@dataclass(slots=True)
class Position:
    """How far a training has come.

    Attributes:
        epoch: The epoch in progress, from 0.
        batch: Batches of it that were learnt.
        step: Optimiser steps over all epochs.
        loss_sum: Sum of the losses of the epoch's batches so far.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss_sum: float = 0.0

    def name(self) -> CheckpointName:
        """The name of a checkpoint written here: the epoch is the last one begun."""
        return CheckpointName(self.epoch if self.batch else max(0, self.epoch - 1), self.step)


def train(spec: Experiment, run: Run, *, augment: bool = True) -> EvaluationResult | None:
    """Trains as the spec says, from the checkpoint to resume if there is one.

    Args:
        spec: The whole spec.
        run: Where to write and whom to tell.
        augment: False shows training images as they are; for tests that must memorise.

    Returns:
        The scores of the last validation; None if there was none.

    Raises:
        NotImplementedError: The spec asks for something that this program does not do.
        ValueError: Intervals exceed the epochs, or a split is smaller than a batch.
        FixInput: A checkpoint or the data cannot be used as they are.
        Diverged: The loss stopped being finite.
        Interrupted: A signal ended the training; a checkpoint was written first.
    """
    check_supported(spec)
    _check_intervals(spec)
    path = _checkpoint_to_resume(spec, run.folder)
    content = read_checkpoint(path) if path else None
    training = Training(spec, run, seed=content["seed"] if content else None, augment=augment)
    if path and content:
        run.status.started(f"Resuming training from checkpoint: {path}")
        training.restore(content, path)
    else:
        load_pretrained(training.network, spec, run.say)
    run.status.started("Starting Training Loop.")
    try:
        training.run_epochs()
    except Interrupted:
        training.save()
        raise
    run.status.running("Training loop complete.")
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


def _checkpoint_to_resume(spec: Experiment, folder: Path) -> Path | None:
    given = spec.train.resume_training_checkpoint_path
    return Path(given) if given else latest_in(folder)


class Training:
    """Everything that changes while a network is trained.

    Args:
        spec: The whole spec.
        run: Where to write and whom to tell.
        seed: Seed of the training that is resumed; None takes the spec's.
        augment: Whether training images are augmented.
    """

    def __init__(
        self, spec: Experiment, run: Run, *, seed: int | None = None, augment: bool = True
    ) -> None:
        self.spec, self.run, self.augment = spec, run, augment
        self.seed = choose_seed(spec.train.seed) if seed is None else seed
        self.device = choose_device(spec.train.gpu_ids)
        prepare_torch(self.seed, spec.train.cudnn)

        data = spec.dataset
        threads = loader_threads(data.workers)
        splits = [
            read_split(root, key, data, n_devices=1)
            for key, root in (
                ("dataset.train_data", data.train_data),
                ("dataset.val_data", data.val_data),
            )
        ]
        self.train_loader, self.val_loader = (
            Loader(split, data.batch_size, threads) for split in splits
        )

        layout = torch.channels_last  # the layout in which to_input hands images over
        network = build_network(spec.model)
        self.network: nn.Module = network.to(device=self.device, memory_format=layout)  # type: ignore[call-overload]
        if save_memory(self.network, data, self.device, spec.train.precision):
            run.say("gradient checkpointing: the batch needs more memory than is free without it")
        self.weights = loss_weights(spec)
        optim = spec.train.optim
        self.schedule = Schedule(optim.lr, optim.lr_steps, optim.lr_decay)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=optim.lr)
        scaled = spec.train.precision == "fp16" and self.device.type == "cuda"
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=scaled)
        self.position = Position()
        self.last_result: EvaluationResult | None = None

    # -- the loop ---------------------------------------------------------------------------------

    def run_epochs(self) -> None:
        """Trains from the position on to the last epoch."""
        settings = self.spec.train
        n_epochs = 1 if settings.is_dry_run else settings.num_epochs
        while self.position.epoch < n_epochs:
            epoch, started = self.position.epoch, time.monotonic()
            self._learn_epoch()
            if (epoch + 1) % settings.validation_interval == 0:
                self._validate()
            self._report_epoch(time.monotonic() - started)
            self.position = Position(epoch=epoch + 1, step=self.position.step)
            by_epoch = settings.checkpoint_interval_unit == "epoch"
            if by_epoch and (epoch + 1) % settings.checkpoint_interval == 0:
                self.save()

    def _learn_epoch(self) -> None:
        """Learns the epoch's batches from the position on."""
        settings, position = self.spec.train, self.position
        by_step = settings.checkpoint_interval_unit == "step"
        batches = self.train_loader.training(
            self.seed, position.epoch, position.batch, augment=self.augment
        )
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.at(position.epoch)
        self.network.train()
        for batch in islice(batches, self._n_batches - position.batch):
            self.run.interrupt.check()
            loss = self._learn(batch)
            position.batch += 1
            position.step += 1
            position.loss_sum += loss
            if not math.isfinite(loss):
                raise Diverged(
                    f"the loss is {loss} at epoch {position.epoch}, step {position.step}, with a "
                    f"learning rate of {self.schedule.at(position.epoch):g}; lower train.optim.lr "
                    "or train.clip_grad_val"
                )
            if by_step and position.step % settings.checkpoint_interval == 0:
                self.save()

    def _learn(self, batch: Batch) -> float:
        """One optimiser step; returns the loss before it."""
        batch = batch.to(self.device)
        with mixed(self.device, self.spec.train.precision):
            outputs: dict[str, Tensor] = self.network(to_input(batch))
        loss = centerpose_loss(outputs, batch.targets, self.weights)
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self.scaler.unscale_(self.optimizer)
        nn.utils.clip_grad_norm_(self.network.parameters(), self.spec.train.clip_grad_val)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return loss.item()

    def _validate(self) -> None:
        settings = evaluation_settings(self.spec)
        limit = 1 if self.spec.train.is_dry_run else None
        batches = islice(self.val_loader.scoring(), limit)
        result = score(self.network, batches, settings, self.run.interrupt.check)
        self.last_result = result
        # The container writes its validation metrics as text.
        kpi = {"val_3DIoU": str(result.ap50), "val_2DMPE": str(result.mpe)}
        self.run.status.running(EVAL_METRICS, kpi=kpi)
        self.run.say(f"\n Validation 3DIoU : {result.ap50}\n\n Validation 2DMPE : {result.mpe}")

    def _report_epoch(self, seconds: float) -> None:
        position, n_epochs = self.position, self.spec.train.num_epochs
        left = n_epochs - 1 - position.epoch
        fields = {
            "epoch": position.epoch,
            "step": position.step,
            "max_epoch": n_epochs - 1,
            "max_step": n_epochs * self._n_batches,
            "time_per_epoch": str(timedelta(seconds=seconds)),
            "time_per_step": str(timedelta(seconds=seconds / self._n_batches)),
            "eta": str(timedelta(seconds=seconds * left)),
        }
        loss = position.loss_sum / self._n_batches
        self.run.status.running(TRAINING_LOOP, fields=fields)
        self.run.status.running(TRAIN_METRICS, kpi={"train_loss": loss})
        self.run.say(f"epoch {position.epoch}: train_loss {loss:.4f}, {seconds:.1f} s")

    @property
    def _n_batches(self) -> int:
        """Batches an epoch."""
        return 1 if self.spec.train.is_dry_run else self.train_loader.n_training_batches

    # -- the state --------------------------------------------------------------------------------

    def save(self) -> None:
        """Writes a checkpoint of the position, unless nothing was learnt or it is a dry run."""
        if self.spec.train.is_dry_run or not self.position.step:
            return
        name = self.position.name()
        cuda = torch.cuda.get_rng_state_all() if self.device.type == "cuda" else []
        content: dict[str, Any] = {
            "epoch": name.epoch,
            "global_step": name.step,
            "state_dict": weights_of(self.network),
            "optimizer_states": [self.optimizer.state_dict()],
            "lr_schedulers": [asdict(self.schedule)],
            "scaler": self.scaler.state_dict(),
            "position": asdict(self.position),
            "seed": self.seed,
            "rng": {"torch": torch.get_rng_state(), "cuda": cuda},
        }
        save_checkpoint(self.run.folder, name, content)

    def restore(self, content: dict[str, Any], path: Path) -> None:
        """Takes up the state of a checkpoint: learning rate and schedule too are the checkpoint's.

        Raises:
            FixInput: Its weights do not fit the network.
        """
        load_weights(self.network, content, path)
        self.optimizer.load_state_dict(content["optimizer_states"][0])
        self.schedule = Schedule(**content["lr_schedulers"][0])
        self.scaler.load_state_dict(content["scaler"])
        self.position = Position(**content["position"])
        torch.set_rng_state(content["rng"]["torch"])
        if content["rng"]["cuda"] and self.device.type == "cuda":
            torch.cuda.set_rng_state_all(content["rng"]["cuda"])
