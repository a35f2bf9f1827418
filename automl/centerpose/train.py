"""The ``train`` action: from a spec to checkpoints and metrics.

Read from ``train`` down. A training is a position (epoch, batch, step) with the state of network,
optimiser and schedule at it. All of that is in a checkpoint, so that resuming is the ordinary way
to begin: a fresh training resumes from nothing. Where several processes train one network, each of
them runs this same loop over its share of every batch.
"""

import time
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from torch import Tensor

from automl.centerpose.checkpoints import latest_in, load_weights, read_checkpoint, weights_of
from automl.centerpose.clock import process_age
from automl.centerpose.config.experiment import Experiment
from automl.centerpose.dataset import Batch, to_input
from automl.centerpose.device import choose_seed, mixed, prepare_torch
from automl.centerpose.evaluation.metrics import EvaluationResult
from automl.centerpose.interrupt import Interrupted
from automl.centerpose.kept import Kept
from automl.centerpose.losses import centerpose_loss
from automl.centerpose.optimise import Optimiser
from automl.centerpose.peers import Alone, Peers
from automl.centerpose.position import Position, Schedule
from automl.centerpose.prepared import ready_loaders, ready_network
from automl.centerpose.pretrained import load_pretrained
from automl.centerpose.randomness import random_states, restore_random_states, seed_apart
from automl.centerpose.run import Run
from automl.centerpose.scoring import evaluation_settings, score
from automl.centerpose.supported import check_supported, loss_weights
from automl.centerpose.watch import LossWatch, check_finite
from automl.centerpose.writer import CheckpointWriter
from automl.trainers.contract import EVAL_METRICS, TRAIN_METRICS, TRAINING_LOOP

__all__ = ["Checkpoint", "Training", "train"]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint to go on from.

    Attributes:
        path: Its file.
        content: What ``Training.save`` wrote.
    """

    path: Path
    content: dict[str, Any]


def train(
    spec: Experiment,
    run: Run,
    *,
    kept: Kept | None = None,
    peers: Peers | None = None,
    augment: bool = True,
) -> EvaluationResult | None:
    """Trains as the spec says, from the checkpoint to resume if there is one.

    Args:
        spec: The whole spec.
        run: Where to write and whom to tell.
        kept: What earlier trainings of this process left; None in a process that trains once.
        peers: The processes that train together; None trains alone, on the spec's first device.
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
    began = time.monotonic() - (process_age() if kept is None else 0.0)
    check_supported(spec)
    _check_intervals(spec)
    path = _checkpoint_to_resume(spec, run.folder)
    resumed = Checkpoint(path, read_checkpoint(path)) if path else None
    peers = peers or Alone(spec.train.gpu_ids, run.interrupt)
    training = Training(spec, run, peers, kept=kept, resumed=resumed, augment=augment)
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
        training.save()
        raise
    finally:
        training.writer.close()
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
        peers: The processes that train together.
        kept: What earlier trainings of this process left.
        resumed: The checkpoint that ``restore`` will be given, if any; its seed holds.
        augment: Whether training images are augmented.
    """

    def __init__(
        self,
        spec: Experiment,
        run: Run,
        peers: Peers,
        *,
        kept: Kept | None = None,
        resumed: Checkpoint | None = None,
        augment: bool = True,
    ) -> None:
        self.spec, self.run, self.peers, self.augment = spec, run, peers, augment
        seed = resumed.content["seed"] if resumed else choose_seed(spec.train.seed)
        self.seed: int = peers.gather([seed])[0]
        prepare_torch(self.seed, spec.train.cudnn, spec.train.precision)
        kept = Kept() if kept is None else kept

        self.train_loader, self.val_loader = ready_loaders(spec.dataset, peers, kept)
        n_learnt = resumed.content["global_step"] if resumed else 0
        n_steps = spec.train.num_epochs * self._n_batches - n_learnt
        self.network = ready_network(spec, peers, kept, n_steps, run.say)
        self.learner = peers.joined(self.network)
        seed_apart(self.seed, peers)
        self.weights = loss_weights(spec)
        optim = spec.train.optim
        self.schedule = Schedule(optim.lr, optim.lr_steps, optim.lr_decay)
        self.optimiser = Optimiser(self.network, spec.train, peers)
        self.watch = LossWatch(peers.device)
        self.writer = CheckpointWriter(run.folder)
        self.position = Position()
        self.last_result: EvaluationResult | None = None
        self.began: float | None = time.monotonic()

    # -- the loop ---------------------------------------------------------------------------------

    def run_epochs(self) -> None:
        """Trains from the position on to the last epoch."""
        settings = self.spec.train
        n_epochs = 1 if settings.is_dry_run else settings.num_epochs
        while self.position.epoch < n_epochs:
            epoch, started = self.position.epoch, time.monotonic()
            self._learn_epoch()
            self._settle()
            if (epoch + 1) % settings.validation_interval == 0:
                self._validate()
            self._report_epoch(time.monotonic() - started)
            self.position = Position(epoch=epoch + 1, step=self.position.step)
            self.watch.begin(0.0)
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
        for batch in islice(batches, self._n_batches - position.batch):
            self.peers.check()
            ready = time.monotonic()
            loss = self._learn(batch)
            position.batch += 1
            position.step += 1
            self.watch.add(loss, self._place())
            if self.began is not None:
                self._report_first_step(ready)
            if by_step and position.step % settings.checkpoint_interval == 0:
                self.save()

    def _learn(self, batch: Batch) -> Tensor:
        """One optimiser step; returns the loss before it, which a GPU may still be computing."""
        with mixed(self.peers.device, self.spec.train.precision):
            outputs: dict[str, Tensor] = self.learner(to_input(batch))
        loss = centerpose_loss(outputs, batch.targets, self.weights)
        self.optimiser.step(loss)
        return loss.detach()

    def _place(self) -> str:
        """Where the training is, for the message of its failure."""
        position = self.position
        return (
            f"epoch {position.epoch}, step {position.step}, with a learning rate of "
            f"{self.schedule.at(position.epoch):g}; lower train.optim.lr or train.clip_grad_val"
        )

    def _settle(self) -> None:
        """Brings the position's loss up to date, once loss and weights are known to be finite."""
        self.position.loss_sum = self.peers.mean(self.watch.total())
        check_finite(self.network.state_dict().values(), self._place())

    def _validate(self) -> None:
        settings = evaluation_settings(self.spec)
        limit = 1 if self.spec.train.is_dry_run else None
        batches = islice(self.val_loader.scoring(), limit)
        self.peers.share_buffers(self.network)
        result = score(self.network, batches, settings, self.peers.check_apart)
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

    def _report_first_step(self, ready: float) -> None:
        """Says once how long the training took to begin; waits for the step to be done."""
        if self.began is None:
            return
        self.watch.settle()
        began, done = ready - self.began, time.monotonic() - self.began
        self.run.say(f"first step after {began:.1f} s (done after {done:.1f} s)")
        self.began = None

    @property
    def _n_batches(self) -> int:
        """Batches an epoch, each with the images of all devices."""
        return 1 if self.spec.train.is_dry_run else self.train_loader.n_training_batches

    @property
    def _images_per_step(self) -> int:
        return self.spec.dataset.batch_size * self.peers.shard.world

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
        self._settle()
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
            "rng": random_states(self.peers),
        }
        if self.peers.shard.rank == 0:
            self.writer.write(name, content)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Takes up the state of a checkpoint: learning rate and schedule too are the checkpoint's.

        Raises:
            FixInput: Its weights do not fit the network, or its place lies within a batch.
        """
        content, images = checkpoint.content, self._images_per_step
        load_weights(self.network, content, checkpoint.path)
        self.optimiser.restore(content)
        self.schedule = Schedule(**content["lr_schedulers"][0])
        position = Position(**content["position"])
        before = content.get("images_per_step", images)
        self.position = position.in_batches_of(images, instead_of=before)
        self.watch.begin(self.position.loss_sum)
        restore_random_states(content["rng"], self.seed, position.step, self.peers)
