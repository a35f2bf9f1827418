"""The decoded images of a folder, each decoded once where memory allows.

They are kept apart from every setting of a training, so that one store serves trainings that
augment them in different ways. On a GPU all images lie in one flat tensor, whatever their sizes;
images come in as they are first asked for.
"""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from automl.centerpose.hardware.memory import fits_on, host_share
from automl.data.imagefile import ImageFile, image_file, naming
from automl.data.opencv import decoded
from automl.data.wholeimage import check_whole
from automl.errors import FixData

__all__ = ["PAD", "DeviceImages", "ImageStore", "Pixels"]

Pixels = npt.NDArray[np.uint8]

PAD = 1  # pixels before the first image and after the last: reading may begin one to the left


class ImageStore:
    """The images of a split, decoded on demand and kept in host memory up to a share of it.

    Args:
        paths: The files, in the order that gives them their numbers.

    Attributes:
        sizes: (n, 2) width and height of each image, pixels.
        resident: The images on a GPU, if they were placed there.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)
        self._files = [_file_of(path) for path in self.paths]
        self.sizes = np.array([(file.width, file.height) for file in self._files]).reshape(-1, 2)
        self.resident: DeviceImages | None = None
        self._kept: dict[int, Pixels] = {}
        self._left: int | None = None  # bytes that may still be kept
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self.paths)

    def pixels(self, index: int) -> Pixels:
        """(H, W, 3) blue, green, red; read only.

        Raises:
            FixData: The file is damaged, or is no longer what it was.
        """
        kept = self._kept.get(index)
        if kept is not None:
            return kept
        image = self._decode(index)
        if self.resident is None:
            self._keep(index, image)
        return image

    def place(self, device: torch.device, batch_pixels: int) -> None:
        """Puts the images on a GPU if they fit there beside a training, else takes them away.

        Args:
            device: Where the training is.
            batch_pixels: Pixels of one of its input batches.
        """
        here = self.resident is not None and self.resident.flat.device == device
        held = self.resident.flat.nbytes if here and self.resident else 0
        n_bytes = 3 * (int(self.sizes.prod(1).sum()) + 2 * PAD)
        if not fits_on(device, n_bytes, batch_pixels, held=held):
            self.resident = None
        elif not here:
            self.resident = DeviceImages(self.sizes, device)

    def _decode(self, index: int) -> Pixels:
        path = self.paths[index]
        with naming(path):
            check_whole(path, self._files[index])
        image: Any = decoded(path)
        width, height = self.sizes[index].tolist()
        if image is None or image.shape[:2] != (height, width):
            got = "none" if image is None else f"{image.shape[1]} x {image.shape[0]} pixels"
            raise FixData(
                f"an image must be decoded to the {width} x {height} pixels of its header",
                got=got,
                where=str(path),
                fix="copy it again, or take the frame out",
            )
        return np.asarray(image, dtype=np.uint8)

    def _keep(self, index: int, image: Pixels) -> None:
        with self._lock:
            if self._left is None:
                self._left = host_share()
            if image.nbytes <= self._left and index not in self._kept:
                self._left -= image.nbytes
                self._kept[index] = image


def _file_of(path: Path) -> ImageFile:
    with naming(path):
        image = image_file(path)
        image.require_upright()
    return image


class DeviceImages:
    """Images on a device: one after another in a flat tensor that is filled bit by bit.

    Args:
        sizes: (n, 2) width and height of each image.
        device: Where they lie.

    Attributes:
        flat: (P, 3) uint8, all pixels, with ``PAD`` more at either end.
        starts: (n,) row of each image's first pixel.
    """

    def __init__(self, sizes: npt.NDArray[np.int64], device: torch.device) -> None:
        ends = PAD + sizes.prod(1).cumsum()
        with torch.inference_mode(False):  # it outlives the mode that it may be made in
            self.flat = torch.zeros(int(ends[-1]) + PAD, 3, dtype=torch.uint8, device=device)
        self.starts = ends - sizes.prod(1)
        self._present = np.zeros(len(sizes), np.bool_)

    def missing(self, indices: Sequence[int]) -> list[int]:
        """Those of some images that are not here yet."""
        return [index for index in indices if not self._present[index]]

    def put(self, index: int, rows: Tensor) -> None:
        """Copies an image's (H * W, 3) pixels in, on the stream of the caller."""
        start = int(self.starts[index])
        self.flat[start : start + len(rows)].copy_(rows)
        self._present[index] = True
