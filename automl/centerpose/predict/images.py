"""Images without annotations as batches for the network."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from automl.centerpose.batches.augment import Views
from automl.centerpose.batches.batch import Batch
from automl.centerpose.batches.colour import plain
from automl.centerpose.batches.warp import crop_with_opencv
from automl.centerpose.config.dataset import Dataset
from automl.data.imagefile import image_file, naming
from automl.data.opencv import decoded
from automl.data.wholeimage import check_whole
from automl.errors import FixData

__all__ = ["LoadedImage", "batches_of"]

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class LoadedImage:
    """One stored image, whole.

    Attributes:
        number: Its place in the order of the images.
        pixels: (H, W, 3) blue, green, red.
    """

    number: int
    pixels: Pixels


def batches_of(
    images: Sequence[Path], settings: Dataset, threads: int
) -> Iterator[tuple[list[LoadedImage], Batch]]:
    """Batches of ``dataset.batch_size`` images in their order; the last may be smaller.

    Args:
        images: The files.
        settings: The spec's ``dataset`` block.
        threads: Threads that decode, at least 1.

    Raises:
        FixData: An image cannot be decoded.
    """
    step = settings.batch_size
    with ThreadPoolExecutor(threads, thread_name_prefix="images") as pool:
        for start in range(0, len(images), step):
            numbers = range(start, min(start + step, len(images)))
            loaded = list(pool.map(lambda number: _load(number, images[number]), numbers))
            yield loaded, _batch(loaded, settings)


def _load(number: int, path: Path) -> LoadedImage:
    with naming(path):
        check_whole(path, image_file(path))
    image: Any = decoded(path)
    if image is None:
        raise FixData("an image must be one that OpenCV decodes", got="another", where=str(path))
    return LoadedImage(number, np.asarray(image, dtype=np.uint8))


def _batch(images: Sequence[LoadedImage], settings: Dataset) -> Batch:
    side = settings.input_res
    sizes = np.array([image.pixels.shape[1::-1] for image in images])
    maps = Views.whole(sizes).to_square(side)
    colours = plain(settings, len(images))
    cuts = np.empty((len(images), side, side, 3), np.float32)
    for k, image in enumerate(images):
        crop_with_opencv(image.pixels, maps.matrix(k), colours, k, cuts[k])
    return Batch(images=torch.from_numpy(cuts), targets={}, metas=())
