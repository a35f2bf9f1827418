"""A split of a data set as batches for the network.

Which images form a batch and how each is augmented depends on (seed, epoch, image) alone: neither
the number of loader threads nor the point where a training was resumed changes it.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from automl.centerpose.augment import draw_colour, draw_view, normalising, whole_view
from automl.centerpose.config.dataset import Dataset
from automl.centerpose.evaluation.evaluator import ImageMeta
from automl.centerpose.sharding import Shard
from automl.centerpose.targets import Arrays, ImageObjects, draw_targets, objects_of
from automl.data.geometry import Array
from automl.data.objectron import Annotation, Frame, list_frames, read_annotation

__all__ = ["Batch", "Loader", "Split", "make_loader", "read_split", "to_input"]

Pixels = npt.NDArray[np.uint8]

_CACHE_BYTES = 1 << 30  # decoded images of a split are kept in memory up to this size
_LOOK_AHEAD = 2  # batches prepared before they are asked for
_ALONE = Shard()
_ORDER, _SAMPLE = 1, 2  # streams of random numbers


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """B images for the network.

    Attributes:
        images: (B, R, R, 3) uint8, blue, green, red: views as cut from the stored images.
        colour: (B, 3, 4) takes a pixel's colour and 1 to the network's input.
        targets: The maps of ``draw_targets``, stacked; empty for scoring.
        metas: What scoring needs to know of each image; empty for training.
    """

    images: Tensor
    colour: Tensor
    targets: dict[str, Tensor]
    metas: tuple[ImageMeta, ...]

    def to(self, device: torch.device) -> "Batch":
        """The batch on another device."""
        targets = {name: value.to(device) for name, value in self.targets.items()}
        return Batch(self.images.to(device), self.colour.to(device), targets, self.metas)


def to_input(batch: Batch) -> Tensor:
    """(B, 3, R, R) fp32 in channels-last layout: the batch's colours, augmented and normalised."""
    n, side, _, _ = batch.images.shape
    pixels = batch.images.float()
    matrix, offset = batch.colour[:, :, :3], batch.colour[:, None, :, 3]
    factors = matrix.diagonal(dim1=1, dim2=2)  # (B, 3)
    if torch.equal(matrix, torch.diag_embed(factors)):
        # No channel mixes with another, as is so without colour augmentation. Whole rows of
        # factors keep the inner loop long: a tenth of the time of the product on a CPU.
        rows = pixels.view(n, side, side * 3)
        rows.mul_(factors[:, None].repeat(1, 1, side)).add_(offset.repeat(1, 1, side))
        return pixels.permute(0, 3, 1, 2)
    mixed = torch.baddbmm(offset, pixels.view(n, -1, 3), matrix.transpose(1, 2))
    return mixed.view(n, side, side, 3).permute(0, 3, 1, 2)


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    image: Pixels
    colour: npt.NDArray[np.float32]
    targets: Arrays
    meta: ImageMeta | None


class Split:
    """The frames of one split with their annotations; images are decoded once where they fit.

    Args:
        frames: Images and annotations, in the order that gives them their numbers.
        settings: The spec's ``dataset`` block.
    """

    def __init__(self, frames: Sequence[Frame], settings: Dataset) -> None:
        self.frames = tuple(frames)
        self.settings = settings
        self.annotations: tuple[Annotation, ...] = tuple(
            read_annotation(frame.annotation) for frame in frames
        )
        self._objects: tuple[ImageObjects, ...] = tuple(
            objects_of(annotation, settings) for annotation in self.annotations
        )
        size = sum(3 * each.width * each.height for each in self.annotations)
        self._cache: dict[int, Pixels] | None = {} if size <= _CACHE_BYTES else None

    def __len__(self) -> int:
        return len(self.frames)

    def for_training(self, index: int, rng: np.random.Generator | None) -> _Sample:
        """One image with its targets; augmented by ``rng``, or as it is if that is None."""
        image = self._image(index)
        settings = self.settings
        height, width = image.shape[:2]
        noise = None
        if rng is None:
            view = whole_view(width, height)
        else:
            view = draw_view(rng, width, height, settings)
            noise = None if settings.no_color_aug else draw_colour(rng, settings)
        cut = _cut(image, view.to_square(settings.input_res), settings.input_res)
        grid = view.to_square(settings.output_res)
        targets = draw_targets(self._objects[index], grid, view.flipped, settings)
        return _Sample(cut, normalising(settings, noise, cv2.mean(cut)[:3]), targets, None)

    def for_scoring(self, index: int) -> _Sample:
        """One whole image with what scoring needs to know of it."""
        image = self._image(index)
        settings = self.settings
        height, width = image.shape[:2]
        view = whole_view(width, height)
        cut = _cut(image, view.to_square(settings.input_res), settings.input_res)
        annotation = self.annotations[index]
        intrinsic = annotation.intrinsics.matrix()
        meta = ImageMeta(annotation, view.center, view.size, intrinsic, index)
        return _Sample(cut, normalising(settings, None, (0.0, 0.0, 0.0)), {}, meta)

    def _image(self, index: int) -> Pixels:
        if self._cache is not None and index in self._cache:
            return self._cache[index]
        path = self.frames[index].image
        image: Any = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None:
            raise OSError(f"the image cannot be decoded: {path}")
        pixels: Pixels = np.asarray(image, dtype=np.uint8)
        if self._cache is not None:
            self._cache[index] = pixels
        return pixels


def read_split(root: str, key: str, settings: Dataset, n_devices: int) -> Split:
    """The split in a folder, checked to fill one batch.

    Args:
        root: The folder.
        key: The spec's key that names it, for messages.
        settings: The spec's ``dataset`` block.
        n_devices: Devices that share a batch of ``batch_size`` images each.

    Raises:
        ValueError: No folder is named, or it holds fewer images than one step needs.
    """
    if not root:
        raise ValueError(f"{key} must name the folder of a split, but it is empty")
    frames = list_frames(Path(root))
    needed = settings.batch_size * n_devices
    if len(frames) < needed:
        raise ValueError(
            f"{key} must hold at least dataset.batch_size x devices = {needed} images, "
            f"but {root} holds {len(frames)}; lower dataset.batch_size or add images"
        )
    return Split(frames, settings)


def _cut(image: Pixels, affine: Array, side: int) -> Pixels:
    return np.asarray(cv2.warpAffine(image, affine, (side, side)), dtype=np.uint8)


def make_loader(
    split: Split,
    batch_size: int,
    threads: int,
    *,
    device: torch.device,
    shard: Shard = _ALONE,
) -> "Loader":
    """Batches of a split for one of the processes that train together.

    Args:
        split: The images.
        batch_size: Images a batch of this process.
        threads: Threads that prepare images, at least 1.
        device: Where batches come out.
        shard: Which part of every epoch is this process's.
    """
    return Loader(split, batch_size, threads, device=device, shard=shard)


class Loader:
    """Batches of a split, prepared by threads while the network computes.

    Args:
        split: The images.
        batch_size: Images a batch.
        threads: Threads that prepare images, at least 1.
        device: Where batches come out.
        shard: Which part of every epoch is this process's.
    """

    def __init__(
        self,
        split: Split,
        batch_size: int,
        threads: int,
        *,
        device: torch.device | None = None,
        shard: Shard = _ALONE,
    ) -> None:
        self.split = split
        self.batch_size = batch_size
        self.threads = threads
        self.device = device or torch.device("cpu")
        self.shard = shard

    @property
    def n_training_batches(self) -> int:
        """Whole batches an epoch; what is left over waits for an epoch with another order."""
        return len(self.split) // (self.batch_size * self.shard.world)

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

        def prepare(index: int) -> _Sample:
            rng = np.random.default_rng([seed, _SAMPLE, epoch, index]) if augment else None
            return self.split.for_training(index, rng)

        whole = self.batch_size * self.shard.world
        own = self.shard.rank * self.batch_size
        groups = [
            order[k * whole + own : k * whole + own + self.batch_size].tolist()
            for k in range(first, self.n_training_batches)
        ]
        return self._prepared(groups, prepare)

    def scoring(self) -> Iterator[Batch]:
        """The shard's images once, whole, in the split's order; the last batch may be smaller."""
        indices = list(range(self.shard.rank, len(self.split), self.shard.world))
        starts = range(0, len(indices), self.batch_size)
        groups = [indices[k : k + self.batch_size] for k in starts]
        return self._prepared(groups, self.split.for_scoring)

    def _prepared(
        self, groups: Sequence[Sequence[int]], prepare: Callable[[int], _Sample]
    ) -> Iterator[Batch]:
        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="loader")
        waiting: deque[list[Future[_Sample]]] = deque()
        try:
            for group in groups:
                waiting.append([pool.submit(prepare, index) for index in group])
                if len(waiting) > _LOOK_AHEAD:
                    yield _stack([each.result() for each in waiting.popleft()]).to(self.device)
            while waiting:
                yield _stack([each.result() for each in waiting.popleft()]).to(self.device)
        finally:
            pool.shutdown(cancel_futures=True)


def _stack(samples: Sequence[_Sample]) -> Batch:
    names = samples[0].targets
    return Batch(
        images=torch.from_numpy(np.stack([each.image for each in samples])),
        colour=torch.from_numpy(np.stack([each.colour for each in samples])),
        targets={
            name: torch.from_numpy(np.stack([each.targets[name] for each in samples]))
            for name in names
        },
        metas=tuple(each.meta for each in samples if each.meta is not None),
    )
