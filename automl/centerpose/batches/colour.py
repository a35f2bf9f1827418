"""The colours of the network's input: brightness, contrast, saturation, lighting, normalisation.

All of these are affine in a pixel's colour, so that one small matrix an image stands for the
whole chain. Contrast alone also looks at the view: it blends with the view's mean gray. That
part of the offset is kept as a factor of the mean, which is filled in where the pixels are.
"""

from dataclasses import dataclass
from itertools import permutations

import numpy as np
import numpy.typing as npt

from automl.centerpose.config.dataset import Dataset
from automl.data.geometry import Array

__all__ = ["GRAY_OF_BGR", "ColourNoise", "Colours", "chain", "draw_noise", "plain"]

GRAY_OF_BGR = (0.114, 0.587, 0.299)
_JITTER = 0.4
_LIGHTING = 0.1
_CONTRAST, _SATURATION = 1, 2
_ORDERS = np.array(list(permutations(range(3))))  # (6, 3)


@dataclass(frozen=True, slots=True, eq=False)
class ColourNoise:
    """The random numbers of n images' colour augmentation.

    Attributes:
        order: (n, 3) the order of brightness (0), contrast (1) and saturation (2).
        factors: (n, 3) their factors, around 1.
        lighting: (n, 3) what is added to blue, green and red.
    """

    order: npt.NDArray[np.int64]
    factors: Array
    lighting: Array


@dataclass(frozen=True, slots=True, eq=False)
class Colours:
    """What takes the pixels (0 to 255) of n images to the network's input.

    Attributes:
        matrix: (n, 3, 3) times a pixel's blue, green, red.
        offset: (n, 3) is added to that,
        contrast: (n, 3) and so is this times the view's mean gray, 0 to 255.
    """

    matrix: Array
    offset: Array
    contrast: Array

    def __getitem__(self, rows: npt.NDArray[np.int64]) -> "Colours":
        """Some of the images."""
        return Colours(self.matrix[rows], self.offset[rows], self.contrast[rows])

    def affine(self, row: int, mean_bgr: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """(3, 4): takes a pixel of one image and 1 to the network's input.

        Args:
            row: The image.
            mean_bgr: (3,) the mean colour of its view, 0 to 255.
        """
        offset = self.offset[row] + self.contrast[row] * np.dot(GRAY_OF_BGR, mean_bgr)
        return np.column_stack([self.matrix[row], offset]).astype(np.float32)


def draw_noise(uniform: Array, normal: Array, settings: Dataset) -> ColourNoise:
    """Random brightness, contrast, saturation and lighting.

    Args:
        uniform: (n, 4) numbers from [0, 1): one for the order, one for each factor.
        normal: (n, 3) standard normal numbers: the strength of each lighting direction.
        settings: Lighting directions and how strong they are.
    """
    strength = normal * _LIGHTING * np.array(settings.eig_val)
    return ColourNoise(
        order=_ORDERS[(uniform[:, 0] * len(_ORDERS)).astype(np.int64)],
        factors=1.0 + _JITTER * (2.0 * uniform[:, 1:] - 1.0),
        lighting=strength @ np.array(settings.eig_vec).T,
    )


def chain(settings: Dataset, noise: ColourNoise) -> Colours:
    """Colour augmentation, then normalisation."""
    n = len(noise.order)
    gray = np.array(GRAY_OF_BGR) / 255.0
    matrix, contrast = np.tile(np.eye(3) / 255.0, (n, 1, 1)), np.zeros(n)
    for kind in noise.order.T:
        factor = np.take_along_axis(noise.factors, kind[:, None], 1)[:, 0]
        blend = 1.0 - factor
        matrix = matrix * factor[:, None, None]
        matrix += (blend * (kind == _SATURATION))[:, None, None] * gray
        contrast = contrast * factor + blend * (kind == _CONTRAST)
    return _normalised(settings, matrix, noise.lighting, contrast / 255.0)


def plain(settings: Dataset, n: int) -> Colours:
    """Normalisation alone, for n images."""
    return _normalised(
        settings, np.tile(np.eye(3) / 255.0, (n, 1, 1)), np.zeros((n, 3)), np.zeros(n)
    )


def _normalised(settings: Dataset, matrix: Array, offset: Array, contrast: Array) -> Colours:
    std = np.array(settings.std)
    shifted = (offset - np.array(settings.mean)) / std
    return Colours(matrix / std[:, None], shifted, contrast[:, None] / std)
