"""Images without annotations as batches for the network."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from automl.centerpose.augment import View, normalising, whole_view
from automl.centerpose.config.dataset import Dataset
from automl.centerpose.dataset import Batch

__all__ = ["Picture", "batches_of"]

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One stored image, whole.

    Attributes:
        number: Its place in the order of the images.
        pixels: (H, W, 3) blue, green, red.
        view: What of it the network sees.
    """

    number: int
    pixels: Pixels
    view: View


def batches_of(
    images: Sequence[Path], settings: Dataset, threads: int
) -> Iterator[tuple[list[Picture], Batch]]:
    """Batches of ``dataset.batch_size`` images in their order; the last may be smaller.

    Args:
        images: The files.
        settings: The spec's ``dataset`` block.
        threads: Threads that decode, at least 1.

    Raises:
        OSError: An image cannot be decoded.
    """
    step = settings.batch_size
    with ThreadPoolExecutor(threads, thread_name_prefix="pictures") as pool:
        for start in range(0, len(images), step):
            numbers = range(start, min(start + step, len(images)))
            pictures = list(pool.map(lambda number: _picture(number, images[number]), numbers))
            yield pictures, _batch(pictures, settings)


def _picture(number: int, path: Path) -> Picture:
    image: Any = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise OSError(f"the image cannot be decoded: {path}")
    height, width = image.shape[:2]
    return Picture(number, np.asarray(image, dtype=np.uint8), whole_view(width, height))


def _batch(pictures: Sequence[Picture], settings: Dataset) -> Batch:
    side = settings.input_res
    cuts = [
        cv2.warpAffine(picture.pixels, picture.view.to_square(side), (side, side))
        for picture in pictures
    ]
    colour = normalising(settings, None, (0.0, 0.0, 0.0))
    return Batch(
        images=torch.from_numpy(np.stack(cuts)),
        colour=torch.from_numpy(np.stack([colour] * len(cuts))),
        targets={},
        metas=(),
    )
