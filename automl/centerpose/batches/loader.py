"""The epochs of a split as batches on the device of a training.

Which images form a batch and how each is shown depends on (seed, epoch, image) alone: neither the
number of loader threads, nor the device, nor the point where a training was resumed changes it.
How many processes share an epoch decides who learns which image, not how it looks.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from automl.centerpose.batches.assemble import BatchMaker, DeviceBatchMaker, HostBatchMaker, Take
from automl.centerpose.batches.batch import Batch, to_input
from automl.centerpose.batches.sharding import Shard
from automl.centerpose.batches.split import BatchRequest, Split, read_split

__all__ = ["Batch", "Loader", "Split", "make_loader", "read_split", "to_input"]

_ALONE = Shard()
_LOOK_AHEAD = 2  # batches begun before they are asked for
_ORDER = 1  # a stream of random numbers


def make_loader(
    split: Split, batch_size: int, threads: int, *, device: torch.device, shard: Shard = _ALONE
) -> "Loader":
    """Batches of a split for one of the processes that train together.

    The images go to the device, all of them, if it is a GPU with room for them beside a training
    (``memory``); the first epoch brings them there. Else they stay in host memory as far as that
    has room, and what has none is decoded for each epoch.

    Args:
        split: The images.
        batch_size: Images a batch of this process.
        threads: Threads that prepare images, at least 1.
        device: Where batches come out.
        shard: Which part of every epoch is this process's.
    """
    split.stored.frames.place(device, batch_size * split.settings.input_res**2)
    preparing = HostBatchMaker(split) if device.type == "cpu" else DeviceBatchMaker(split, device)
    return Loader(split, batch_size, threads, preparing=preparing, shard=shard)


class Loader:
    """Batches of a split, prepared while the network computes.

    Args:
        split: The images.
        batch_size: Images a batch.
        threads: Threads that prepare images, at least 1.
        preparing: How batches are made; on the host if None.
        shard: Which part of every epoch is this process's.
    """

    def __init__(
        self,
        split: Split,
        batch_size: int,
        threads: int,
        *,
        preparing: BatchMaker | None = None,
        shard: Shard = _ALONE,
    ) -> None:
        self.split = split
        self.batch_size = batch_size
        self.threads = threads
        self.shard = shard
        self._preparing = preparing or HostBatchMaker(split)

    @property
    def n_training_batches(self) -> int:
        """Whole batches an epoch; what is left over waits for an epoch with another order."""
        return len(self.split) // (self.batch_size * self.shard.world)

    @property
    def n_scoring_batches(self) -> int:
        """Batches that the shard's images come in when a split is scored."""
        images = len(range(self.shard.rank, len(self.split), self.shard.world))
        return -(-images // self.batch_size)

    def training(
        self, seed: int, epoch: int, first: int = 0, *, augment: bool = True
    ) -> Iterator[Batch]:
        """The batches of an epoch in random order, from batch ``first`` on.

        Args:
            seed: Of the training.
            epoch: From 0.
            first: Batches to leave out, because they were learnt before an interruption.
            augment: False shows every image as it is, for tests that must memorise.
        """
        order = np.random.default_rng([seed, _ORDER, epoch]).permutation(len(self.split))
        drawn = self.split.draw(seed, epoch) if augment else self.split.unchanged
        whole = self.batch_size * self.shard.world
        starts = (k * whole + self.shard.rank * self.batch_size for k in self._rest(first))
        groups = (order[start : start + self.batch_size].tolist() for start in starts)
        return self._prepared(self.split.request(group, drawn, targets=True) for group in groups)

    def scoring(self, *, targets: bool = False) -> Iterator[Batch]:
        """The shard's images once, whole, in the split's order; the last batch may be smaller.

        Args:
            targets: Whether each batch brings its targets too, for a loss.
        """
        indices = range(self.shard.rank, len(self.split), self.shard.world)
        starts = range(0, len(indices), self.batch_size)
        groups = (indices[start : start + self.batch_size] for start in starts)
        return self._prepared(
            self.split.request(group, self.split.unchanged, targets=targets, metas=True)
            for group in groups
        )

    def _rest(self, first: int) -> Sequence[int]:
        return range(first, self.n_training_batches)

    def _prepared(self, requests: Iterator[BatchRequest]) -> Iterator[Batch]:
        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="loader")
        begun: deque[Callable[[], Take]] = deque()
        finished: deque[Take] = deque()
        try:
            for request in requests:
                begun.append(self._preparing.begin(pool, request))
                if len(begun) > _LOOK_AHEAD:
                    finished.append(begun.popleft()())
                if len(finished) > self._preparing.ahead:
                    yield finished.popleft()()
            finished.extend(finish() for finish in begun)
            while finished:
                yield finished.popleft()()
        finally:
            pool.shutdown(cancel_futures=True)
