"""Which part of each image the network sees.

Views are drawn for a whole epoch at once, as pure numbers; applying them is another step, so that
what is drawn can be tested without images and applied on any device. Row i of every table of
random numbers belongs to image i: a view follows from (seed, epoch, image) alone.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from automl.centerpose.batches.colour import Colours, chain, draw_noise, plain
from automl.centerpose.config.dataset import Dataset
from automl.data.geometry import Array

__all__ = ["Augmentation", "AxisMaps", "Views", "draw_epoch", "draw_views", "unchanged"]

_SCALES = np.arange(6, 14) / 10.0  # 0.6, 0.7, ..., 1.3 of the image's longer side
_BORDER_PX = 128
_UNIFORM, _NORMAL = 2, 3  # streams of random numbers
_FOR_VIEW, _FOR_COLOUR = 4, 4  # uniform numbers an image


@dataclass(frozen=True, slots=True, eq=False)
class AxisMaps:
    """Maps of n images that stretch and shift each axis: ``zoom * p + shift``.

    Attributes:
        zoom: (n, 2) for x and y; negative in x where the image is mirrored.
        shift: (n, 2) likewise.
    """

    zoom: Array
    shift: Array

    def matrix(self, row: int) -> Array:
        """(2, 3): one image's map as an affine matrix."""
        return np.column_stack([np.diag(self.zoom[row]), self.shift[row]])


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """A square of each of n stored images, possibly mirrored.

    Attributes:
        center: (n, 2) pixel, x then y, that comes to lie in the middle of the square; where the
            view is mirrored, a pixel of the mirrored image.
        size: (n,) side of the square, pixels.
        flipped: (n,) whether the image is mirrored left to right first.
        width: (n,) of the stored image, pixels.
    """

    center: Array
    size: Array
    flipped: npt.NDArray[np.bool_]
    width: npt.NDArray[np.int64]

    @classmethod
    def whole(cls, sizes: npt.NDArray[np.int64]) -> "Views":
        """The views that show all of each image: what validation uses.

        Args:
            sizes: (n, 2) width and height, pixels.
        """
        straight = np.zeros(len(sizes), np.bool_)
        return cls(sizes / 2.0, sizes.max(1).astype(np.float64), straight, sizes[:, 0])

    def __getitem__(self, rows: npt.NDArray[np.int64]) -> "Views":
        """The views of some of the images."""
        return Views(self.center[rows], self.size[rows], self.flipped[rows], self.width[rows])

    def to_square(self, side: int) -> AxisMaps:
        """The maps from pixels of the stored images to a square of ``side``."""
        scale = side / self.size[:, None]
        zoom = np.repeat(scale, 2, axis=1)
        shift = side / 2.0 - scale * self.center
        mirrored = scale[:, 0] * (self.width - 1) + shift[:, 0]
        shift[:, 0] = np.where(self.flipped, mirrored, shift[:, 0])
        zoom[:, 0] = np.where(self.flipped, -zoom[:, 0], zoom[:, 0])
        return AxisMaps(zoom, shift)


@dataclass(frozen=True, slots=True, eq=False)
class Augmentation:
    """How each image of a split is shown in an epoch.

    Attributes:
        views: Which part of it.
        colours: In which colours.
    """

    views: Views
    colours: Colours

    def __getitem__(self, rows: npt.NDArray[np.int64]) -> "Augmentation":
        """Some of the images."""
        return Augmentation(self.views[rows], self.colours[rows])


def unchanged(sizes: npt.NDArray[np.int64], settings: Dataset) -> Augmentation:
    """Every image whole and in its own colours.

    Args:
        sizes: (n, 2) width and height, pixels.
        settings: How colours are normalised.
    """
    return Augmentation(Views.whole(sizes), plain(settings, len(sizes)))


def draw_epoch(
    seed: int, epoch: int, sizes: npt.NDArray[np.int64], settings: Dataset
) -> Augmentation:
    """Random views and colours of every image for one epoch of a training.

    A few milliseconds for thousands of images; the same for any setting of the others, so that
    ``no_color_aug`` does not change the views.
    """
    n = len(sizes)
    uniform = np.random.default_rng([seed, _UNIFORM, epoch]).random((n, _FOR_VIEW + _FOR_COLOUR))
    views = draw_views(uniform[:, :_FOR_VIEW], sizes, settings)
    if settings.no_color_aug:
        return Augmentation(views, plain(settings, n))
    normal = np.random.default_rng([seed, _NORMAL, epoch]).standard_normal((n, 3))
    noise = draw_noise(uniform[:, _FOR_VIEW:], normal, settings)
    return Augmentation(views, chain(settings, noise))


def draw_views(uniform: Array, sizes: npt.NDArray[np.int64], settings: Dataset) -> Views:
    """Random views for training: scale, place and mirroring.

    Args:
        uniform: (n, 4) numbers from [0, 1).
        sizes: (n, 2) width and height, pixels.
        settings: Whether to scale and shift, and how often to mirror.
    """
    whole = Views.whole(sizes)
    center, size = whole.center, whole.size
    if not settings.not_rand_crop:
        size = size * _SCALES[(uniform[:, 0] * len(_SCALES)).astype(np.int64)]
        center = _draw_centers(uniform[:, 1:3], sizes).astype(np.float64)
    flipped = uniform[:, 3] < settings.flip
    mirrored = whole.width - 1 - center[:, 0]
    x = np.where(flipped, mirrored, center[:, 0])
    return Views(np.column_stack([x, center[:, 1]]), size, flipped, whole.width)


def _draw_centers(uniform: Array, sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """(n, 2): whole pixels that keep a border, halved until it leaves room in a small image."""
    border = np.full_like(sizes, _BORDER_PX)
    while (narrow := (sizes - border <= border) & (border > 1)).any():
        border = np.where(narrow, border // 2, border)
    choices = np.maximum(1, sizes - 2 * border)
    centers: npt.NDArray[np.int64] = border + (uniform * choices).astype(np.int64)
    return centers
