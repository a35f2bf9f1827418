"""The ground and the wall behind it."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from automl.data.geometry import Array
from automl.data.opencv import cv2
from automl.data.synth.bodies import Camera
from automl.data.synth.look import Look
from automl.data.synth.textures import Image

__all__ = ["Backdrop"]

_SQUARE: Final = 256
"""Pixels of one side of a ground pattern, which repeats."""
_PATTERN_DIAGONALS: Final = 2.5
"""Length on the ground that one repeat of a pattern covers, in diagonals of the box."""
_WALL_DIAGONALS: Final = (2.0, 6.0)
"""Nearest and furthest place of the wall behind the first object, in diagonals of the box."""


class Backdrop:
    """Paints ground and wall of the frames of one sequence.

    Args:
        rng: Draws what the frames of the sequence share: the wall's place and the pattern.
        look: Of the sequence.
    """

    def __init__(self, rng: np.random.Generator, look: Look) -> None:
        self._colours = look.palette * look.brightness
        self._wall = float(rng.uniform(*_WALL_DIAGONALS) * np.linalg.norm(look.scale))
        self._metres = float(_PATTERN_DIAGONALS * np.linalg.norm(look.scale))
        pattern = _PATTERNS.get(look.background)
        self._pattern = None if pattern is None else pattern(rng, self._colours[:3])
        self._is_cloudy = look.background == "clouds"

    def paint(self, rng: np.random.Generator, camera: Camera) -> Image:
        """(H, W, 3): the scene without any body; the caller owns it."""
        width, height = camera.size
        wall = self._smooth(rng, self._colours[3:], (width, height))
        ground = (
            self._smooth(rng, self._colours[:3], (width, height))
            if self._pattern is None
            else self._laid(self._pattern, camera)
        )
        skyline = self._skyline(camera)
        if skyline is not None:
            mask = np.zeros((height, width), dtype=np.uint8)
            cv2.fillConvexPoly(mask, skyline, 255)
            cv2.copyTo(wall, mask, ground)
        return ground

    def _smooth(self, rng: np.random.Generator, colours: Array, size: tuple[int, int]) -> Image:
        """Colours that flow into one another, finely so where the look is cloudy."""
        rows, columns = (12, 9) if self._is_cloudy else (3, 2)
        spread = 16.0 if self._is_cloudy else 9.0
        mixture = rng.dirichlet((0.8, 0.8, 0.8), (rows, columns)) @ colours
        grid = mixture + rng.normal(0, spread, (rows, columns, 1))
        return _resized(_bytes(grid), size)

    def _laid(self, pattern: Image, camera: Camera) -> Image:
        """A pattern on the ground, drawn at half size: the ground is a little out of focus."""
        to_metres = self._metres / _SQUARE
        axes = camera.rotation @ np.array([[1.0, 0, 0], [0, 0, 0], [0, 1.0, 0]]) * to_metres
        columns = np.column_stack([axes[:, :2], -camera.rotation @ camera.position])
        to_half = np.diag([0.5, 0.5, 1.0])
        placed = to_half @ camera.intrinsics.matrix() @ columns
        width, height = camera.size
        half: Image = cv2.warpPerspective(
            pattern, placed, (width // 2, height // 2), borderMode=cv2.BORDER_WRAP
        )
        return _resized(half, (width, height))

    def _skyline(self, camera: Camera) -> npt.NDArray[np.int32] | None:
        """(4, 2) int32: the pixels above the foot of the wall, or None if it is not in view."""
        right = camera.rotation[0] * (1, 0, 1)
        right /= np.linalg.norm(right)
        away = camera.position * (-1, 0, -1)
        away *= self._wall / np.linalg.norm(away)
        foot = np.stack([away - right, away + right])
        if camera.depths(foot).min() < 1e-3:
            return None
        (x1, y1), (x2, y2) = camera.pixels(foot)
        if abs(x2 - x1) < 1:
            return None
        width = camera.size[0]
        slope = (y2 - y1) / (x2 - x1)
        left, other = y1 - slope * x1, y1 + slope * (width - x1)
        corners = np.array([[0, -4], [width, -4], [width, max(other, -4)], [0, max(left, -4)]])
        skyline: npt.NDArray[np.int32] = corners.round().astype(np.int32)
        return skyline


def _tiles(rng: np.random.Generator, colours: Array) -> Image:
    """Square tiles of two colours with joints."""
    cells = int(rng.choice([2, 4]))
    board = (np.indices((cells, cells)).sum(axis=0) % 2)[..., None]
    square = _resized(
        _bytes(np.where(board, colours[0], colours[1])), (_SQUARE, _SQUARE), cv2.INTER_NEAREST
    )
    joints = np.arange(cells) * (_SQUARE // cells)
    for offset in range(3):
        square[joints + offset] = _bytes(0.7 * colours[2])
        square[:, joints + offset] = _bytes(0.7 * colours[2])
    return square


def _planks(rng: np.random.Generator, colours: Array) -> Image:
    """Boards side by side, each of its own shade, with a fine grain along it."""
    boards = 8
    shades = rng.normal(0, 14, (boards, 1, 1)) + rng.normal(0, 6, (boards, 48, 1))
    square = _resized(_bytes(colours[0] + shades), (_SQUARE, _SQUARE), cv2.INTER_NEAREST)
    joints = np.arange(boards) * (_SQUARE // boards)
    square[joints] = _bytes(0.6 * colours[0])
    return square


_PATTERNS: Final[Mapping[str, Callable[[np.random.Generator, Array], Image]]] = {
    "tiles": _tiles,
    "planks": _planks,
}


def _bytes(values: Array) -> Image:
    clipped: Image = np.clip(values, 0, 255).astype(np.uint8)
    return clipped


def _resized(image: Image, size: tuple[int, int], how: int = cv2.INTER_LINEAR) -> Image:
    resized: Image = cv2.resize(image, size, interpolation=how)
    return resized
