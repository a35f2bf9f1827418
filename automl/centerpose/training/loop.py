"""The training loop, and the state that it changes.

A training is a position (epoch, batch, step) with the state of network, optimiser and schedule at
it. All of that is in a checkpoint. Where several processes train one network, each of them runs
this same loop over its share of every batch.
"""

import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from itertools import islice
from typing import Any

from torch import Tensor

from automl.centerpose.batches.batch import Batch
from automl.centerpose.config.experiment import Experiment
from automl.centerpose.evaluation.metrics import EvaluationResult
from automl.centerpose.hardware.device import choose_seed, mixed, prepare_torch
from automl.centerpose.hardware.heap import keep_freed_memory
from automl.centerpose.models.half import passed
from automl.centerpose.session.cache import Cache
from automl.centerpose.session.checkpoints import load_weights, weights_of
from automl.centerpose.session.run import Run
from automl.centerpose.training.checkpoint_writer import CheckpointWriter
from automl.centerpose.training.loss_monitor import LossMonitor, check_finite
from automl.centerpose.training.losses import centerpose_loss
from automl.centerpose.training.optimiser import Optimiser
from automl.centerpose.training.position import Position, Schedule
from automl.centerpose.training.prepared import ready_loaders, ready_network
from automl.centerpose.training.process_group import ProcessGroup
from automl.centerpose.training.randomness import random_states, restore_random_states, seed_apart
from automl.centerpose.training.reporting import EpochTiming, TrainingReport
from automl.centerpose.training.resumable import LoadedCheckpoint, check_optimiser_state
from automl.centerpose.training.scoring import ValidationLoss, evaluation_settings, score
from automl.centerpose.training.steps import RecordedSteps, Steps, can_record
from automl.centerpose.training.supported import loss_form, loss_weights
from automl.trainers.contract import Phase

__all__ = ["Training"]


class Training:
    """Everything that changes while a network is trained.

    Args:
        spec: The whole spec.
        run: Where to write and report.
        processes: The processes that train together.
        cache: What earlier trainings of this process left.
        resumed: The checkpoint that ``restore`` will be given, if any; its seed holds.
        augment: Whether training images are augmented.
    """

    def __init__(
        self,
        spec: Experiment,
        run: Run,
        processes: ProcessGroup,
        *,
        cache: Cache | None = None,
        resumed: LoadedCheckpoint | None = None,
        augment: bool = True,
    ) -> None:
        self.spec, self.run, self.processes, self.augment = spec, run, processes, augment
        known = resumed.content.get("seed") if resumed else None
        seed = choose_seed(spec.train.seed) if known is None else known
        self.seed: int = processes.gather([seed])[0]
        prepare_torch(self.seed, spec.train.cudnn, spec.train.precision)
        if processes.device.type == "cpu":
            keep_freed_memory()
        cache = Cache() if cache is None else cache

        self.train_loader, self.val_loader = ready_loaders(spec.dataset, processes, cache)
        n_learnt = resumed.content["global_step"] if resumed else 0
        n_steps = spec.train.num_epochs * self._n_batches - n_learnt
        self.network = ready_network(spec, processes, cache, n_steps, run.say)
        processes.broadcast(self.network.state_dict().values())
        seed_apart(self.seed, processes)
        self.weights, self.form = loss_weights(spec), loss_form(spec)
        optim = spec.train.optim
        self.schedule = Schedule(optim.lr, optim.lr_steps, optim.lr_decay)
        self.optimiser = Optimiser(self.network, spec.train, processes)
        recorded = can_record(self.network, processes.device)
        kind = RecordedSteps if recorded else Steps
        self.steps = kind(self._losses, self.optimiser, processes)
        self.loss_monitor = LossMonitor(processes.device)
        self.report = TrainingReport(run, spec.train.num_epochs, self._n_batches)
        self.writer = CheckpointWriter(run.folder, spec.train.checkpoint_format)
        self.position = Position()
        self.last_result: EvaluationResult | None = None
        self.began: float | None = None

    # -- the loop ---------------------------------------------------------------------------------

    def run_epochs(self) -> None:
        """Trains from the position on to the last epoch."""
        settings = self.spec.train
        n_epochs = 1 if settings.is_dry_run else settings.num_epochs
        while self.position.epoch < n_epochs:
            epoch, before = self.position.epoch, self.position.batch
            started = time.monotonic()
            self._learn_epoch()
            self._update_loss()
            learnt = ended = time.monotonic()
            if (epoch + 1) % settings.validation_interval == 0:
                self.last_result = self._validate()
                ended = time.monotonic()
            images = (self.position.batch - before) * self._images_per_step
            self.report.epoch(self.position, EpochTiming(images, learnt - started, ended - learnt))
            self.position = Position(epoch=epoch + 1, step=self.position.step)
            self.loss_monitor.begin(0.0)
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
        self.optimiser.set_rate(self.schedule.at(position.epoch))
        self.network.train()
        left = range(position.batch, self._n_batches)
        self.report.steps.begin(Phase.TRAIN, position.epoch, left, self._images_per_step)
        for batch in islice(batches, self._n_batches - position.batch):
            self.processes.check()
            ready = time.monotonic()
            loss = self.steps.take(batch)
            position.batch += 1
            position.step += 1
            self.loss_monitor.add(loss, self._place())
            self.report.steps.step()
            if self.began is not None:
                self.loss_monitor.synchronise()
                self.report.first_step(self.began, ready)
                self.began = None
            if by_step and position.step % settings.checkpoint_interval == 0:
                self.save()

    def _losses(self, images: Tensor, targets: Mapping[str, Tensor]) -> Tensor:
        with mixed(self.processes.device, self.spec.train.precision):
            outputs = passed(self.network, images)
        return centerpose_loss(outputs, targets, self.weights, self.form)

    def _place(self) -> str:
        """Where the training is, for the message of its failure."""
        position = self.position
        return (
            f"epoch {position.epoch}, step {position.step}, with a learning rate of "
            f"{self.schedule.at(position.epoch):g}; lower train.optim.lr or train.clip_grad_val"
        )

    def _update_loss(self) -> None:
        """Brings the position's loss up to date, once loss and weights are known to be finite."""
        self.position.loss_sum = self.processes.mean(self.loss_monitor.total())
        check_finite(self.network.state_dict().values(), self._place())

    def _validate(self) -> EvaluationResult:
        settings = evaluation_settings(self.spec)
        limit = 1 if self.spec.train.is_dry_run else None
        batches = islice(self.val_loader.scoring(targets=True), limit)
        self.processes.broadcast(self.network.buffers())
        gather = self.processes.gather if self.processes.shard.world > 1 else None
        check, loss, steps = self.processes.check_locally, ValidationLoss(), self.report.steps
        n_batches = min(self.val_loader.n_scoring_batches, limit or sys.maxsize)
        steps.begin(Phase.VALIDATE, self.position.epoch, range(n_batches), self._images_per_step)

        def watch(outputs: Mapping[str, Tensor], batch: Batch) -> None:
            loss.add(outputs, batch)
            steps.step()

        result = score(self.network, batches, settings, check, gather=gather, watch=watch)
        self.report.validation(result, loss.mean(gather))
        return result

    @property
    def _n_batches(self) -> int:
        """Batches an epoch, each with the images of all devices."""
        return 1 if self.spec.train.is_dry_run else self.train_loader.n_training_batches

    @property
    def _images_per_step(self) -> int:
        return self.spec.dataset.batch_size * self.processes.shard.world

    # -- the state --------------------------------------------------------------------------------

    def save(self) -> None:
        """Begins to write a checkpoint of the position.

        There is none before the first step, and none of a dry run. It is on disk once
        ``writer.join`` has returned.

        Raises:
            Diverged: The loss or the weights are not finite; nothing is written.
        """
        if self.spec.train.is_dry_run or not self.position.step:
            return
        self._update_loss()
        name = self.position.name()
        content: dict[str, Any] = {
            "epoch": name.epoch,
            "global_step": name.step,
            "state_dict": weights_of(self.network),
            **self.optimiser.state(),
            "lr_schedulers": [asdict(self.schedule)],
            "position": asdict(self.position),
            "images_per_step": self._images_per_step,
            "seed": self.seed,
            "rng": random_states(self.processes),
        }
        if self.processes.shard.rank == 0:
            self.writer.write(name, content)

    def restore(self, checkpoint: LoadedCheckpoint) -> None:
        """Takes up the state of a checkpoint: learning rate and schedule too are the checkpoint's.

        Raises:
            FixData: Its weights, or the optimiser's state of them, do not fit the network.
            FixInput: Its place lies within a batch.
        """
        content, images = checkpoint.content, self._images_per_step
        load_weights(self.network, content, checkpoint.path)
        if checkpoint.is_of_tao:
            self.position = Position(epoch=content["epoch"] + 1, step=content["global_step"])
            self.run.say(
                f"weights and epoch of the container's {checkpoint.path.name}; the optimiser "
                "begins anew, with the learning rate of this spec"
            )
            return
        check_optimiser_state(checkpoint, self.network)
        self.optimiser.restore(content)
        self.schedule = Schedule(**content["lr_schedulers"][0])
        position = Position(**content["position"])
        before = content.get("images_per_step", images)
        self.position = position.in_batches_of(images, instead_of=before)
        self.loss_monitor.begin(self.position.loss_sum)
        restore_random_states(content["rng"], self.seed, position.step, self.processes)
