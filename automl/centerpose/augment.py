"""Which part of an image the network sees, and in which colours.

A *view* is drawn from a random generator and is pure numbers; applying it is another step, so
that what is drawn can be tested without images and applied on any device.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from automl.centerpose.config.dataset import Dataset
from automl.data.geometry import Array

__all__ = ["ColourNoise", "View", "draw_colour", "draw_view", "normalising", "whole_view"]

_SCALES = np.arange(6, 14) / 10.0  # 0.6, 0.7, ..., 1.3 of the image's longer side
_BORDER_PX = 128
_JITTER = 0.4
_LIGHTING = 0.1
_GRAY_OF_BGR = np.array([0.114, 0.587, 0.299])


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A square of the stored image, possibly mirrored.

    Attributes:
        center: (2,) pixel, x then y, that comes to lie in the middle of the square; where the
            view is mirrored, a pixel of the mirrored image.
        size: Side of the square, pixels.
        flipped: Whether the image is mirrored left to right first.
        width: Of the stored image, pixels.
    """

    center: Array
    size: float
    flipped: bool
    width: int

    def to_square(self, side: int) -> Array:
        """(2, 3): the affine map from pixels of the stored image to a square of ``side``."""
        zoom = side / self.size
        shift = side / 2.0 - zoom * self.center
        if self.flipped:
            return np.array(
                [[-zoom, 0.0, zoom * (self.width - 1) + shift[0]], [0, zoom, shift[1]]]
            )
        return np.array([[zoom, 0.0, shift[0]], [0.0, zoom, shift[1]]])


def whole_view(width: int, height: int) -> View:
    """The view that shows all of an image: what validation uses."""
    center = np.array([width / 2.0, height / 2.0])
    return View(center, float(max(width, height)), flipped=False, width=width)


def draw_view(rng: np.random.Generator, width: int, height: int, settings: Dataset) -> View:
    """A random view for training: scale, place and mirroring."""
    whole = whole_view(width, height)
    if settings.not_rand_crop:
        center, size = whole.center, whole.size
    else:
        size = whole.size * float(rng.choice(_SCALES))
        center = np.array([_draw_center(rng, width), _draw_center(rng, height)], dtype=np.float64)
    flipped = bool(rng.random() < settings.flip)
    if flipped:
        center = np.array([width - 1 - center[0], center[1]])
    return View(center, size, flipped, width)


def _draw_center(rng: np.random.Generator, extent: int) -> int:
    border = _BORDER_PX
    while extent - border <= border and border > 1:
        border //= 2
    return int(rng.integers(border, max(border + 1, extent - border)))


@dataclass(frozen=True, slots=True, eq=False)
class ColourNoise:
    """The random numbers of one image's colour augmentation.

    Attributes:
        order: The order of brightness (0), contrast (1) and saturation (2).
        factors: (3,) their factors, around 1.
        lighting: (3,) what is added to blue, green and red.
    """

    order: tuple[int, ...]
    factors: Array
    lighting: Array


def draw_colour(rng: np.random.Generator, settings: Dataset) -> ColourNoise:
    """Random brightness, contrast, saturation and lighting."""
    order = tuple(int(k) for k in rng.permutation(3))
    factors = 1.0 + rng.uniform(-_JITTER, _JITTER, 3)
    strength = rng.normal(0.0, _LIGHTING, 3) * np.array(settings.eig_val)
    return ColourNoise(order, factors, np.array(settings.eig_vec) @ strength)


def normalising(
    settings: Dataset, noise: ColourNoise | None, mean_bgr: npt.ArrayLike
) -> npt.NDArray[np.float32]:
    """(3, 4): takes a pixel's blue, green, red (0 to 255) and 1 to the network's input.

    Brightness, contrast, saturation, lighting and normalisation are all affine in a pixel's
    colour, so that one small matrix an image stands for the whole chain.

    Args:
        settings: Channel means and deviations.
        noise: Colour augmentation; None for none.
        mean_bgr: (3,) the view's mean colour, 0 to 255: contrast blends with its gray.
    """
    matrix, offset = np.eye(3) / 255.0, np.zeros(3)
    if noise is not None:
        mean_gray = float(_GRAY_OF_BGR @ np.asarray(mean_bgr)) / 255.0
        gray = np.tile(_GRAY_OF_BGR / 255.0, (3, 1))
        for kind in noise.order:
            factor = noise.factors[kind]
            matrix, offset = factor * matrix, factor * offset
            if kind == 1:
                offset = offset + (1.0 - factor) * mean_gray
            elif kind == 2:
                matrix = matrix + (1.0 - factor) * gray
        offset = offset + noise.lighting
    std = np.array(settings.std)
    whole = np.column_stack([matrix, offset - np.array(settings.mean)])
    return np.asarray(whole / std[:, None], dtype=np.float32)
