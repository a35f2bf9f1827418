"""Small pictures of the images that a report shows, beside the poses of an evaluation."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from automl.files import write_bytes
from automl.poses.choice import side_by_side, worst_targets
from automl.poses.sample import sample_of
from automl.poses.table import PICTURES, PoseTable

__all__ = ["shown_images", "small_picture", "write_pictures"]

Pixels = npt.NDArray[np.uint8]

_SIDE_PX: Final = 320  # of the longer side
_QUALITY: Final = 72


def shown_images(table: PoseTable) -> tuple[int, ...]:
    """Numbers of the images that a report may show of an evaluation."""
    sample = sample_of(table)
    places = {*side_by_side(sample), *(int(sample.home[row]) for row in worst_targets(sample))}
    numbers = np.unique(table.numbers("index").astype(np.int64))
    return tuple(int(numbers[place]) for place in sorted(places))


def small_picture(image: Pixels) -> bytes:
    """A JPEG of at most 320 pixels a side of an (H, W, 3) image, blue, green, red."""
    height, width = image.shape[:2]
    factor = min(1.0, _SIDE_PX / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return encoded.tobytes()


def write_pictures(folder: Path, images: Iterable[tuple[int, Pixels]]) -> None:
    """Writes a small picture of each numbered image beside an evaluation's poses."""
    for number, image in images:
        write_bytes(folder / PICTURES / f"{number:06d}.jpg", small_picture(image))
