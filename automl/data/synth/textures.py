"""The printed faces of the boxes.

Five patterns tell front, back, sides and top apart, and every colour scheme prints the same five,
so that a network can learn which way a box faces whatever its colours. Every pattern is its own
mirror image about the middle of the box, and both sides carry one pattern from back to front: a
box is then its own reflection, and an image flipped left to right shows a box that exists.
"""

import colorsys
from collections.abc import Mapping
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from automl.data.opencv import cv2

__all__ = ["Image", "face_textures"]

Image: TypeAlias = npt.NDArray[np.uint8]
_TALL: Final = 288
_WIDE: Final = 192
_DEEP: Final = 96
_GOLDEN: Final = 0.618034
"""Steps of hue by this share of the circle keep any number of colour schemes apart."""


def face_textures(texture_set: int) -> Mapping[str, Image]:
    """Face to texture of one colour scheme; upper left corner first, colours blue, green, red."""
    hue = (0.02 + texture_set * _GOLDEN) % 1
    main, dark = _bgr(hue, 0.85, 0.85), _bgr(hue, 0.9, 0.5)
    second, pale = _bgr((hue + 0.45) % 1, 0.8, 0.8), _bgr((hue + 0.1) % 1, 0.15, 0.95)
    side = _side(dark, second, pale)
    return {
        "front": _front(main, second, pale),
        "back": _back(pale, main, dark),
        "left": side,
        "right": side,
        "top": _top(second, main, pale),
    }


def _front(main: Image, second: Image, pale: Image) -> Image:
    face = _blank(_WIDE, _TALL, main)
    _bar(face, (0.0, 0.06), (1.0, 0.24), second)
    _bar(face, (0.18, 0.10), (0.82, 0.20), pale)
    middle = (_WIDE // 2, round(0.55 * _TALL))
    cv2.circle(face, middle, round(0.36 * _WIDE), pale.tolist(), -1, cv2.LINE_AA)
    cv2.circle(face, middle, round(0.22 * _WIDE), second.tolist(), -1, cv2.LINE_AA)
    _bar(face, (0.3, 0.88), (0.7, 0.93), pale)
    return face


def _back(pale: Image, main: Image, dark: Image) -> Image:
    face = _blank(_WIDE, _TALL, pale)
    _bar(face, (0.0, 0.0), (1.0, 0.10), main)
    for row in range(5):
        _bar(face, (0.12, 0.18 + 0.07 * row), (0.88, 0.215 + 0.07 * row), dark)
    _bar(face, (0.12, 0.60), (0.88, 0.92), main)
    _bar(face, (0.42, 0.66), (0.58, 0.86), pale)
    return face


def _side(dark: Image, second: Image, pale: Image) -> Image:
    """One side; its first column is at the back of the box and its last at the front."""
    face = _blank(_DEEP, _TALL, dark)
    _bar(face, (0.72, 0.0), (1.0, 1.0), second)
    _bar(face, (0.12, 0.12), (0.55, 0.42), pale)
    for row in range(4):
        _bar(face, (0.12, 0.55 + 0.09 * row), (0.6, 0.585 + 0.09 * row), pale)
    return face


def _top(second: Image, main: Image, pale: Image) -> Image:
    """The lid; its first row is at the back of the box and its last at the front."""
    face = _blank(_WIDE, _DEEP, second)
    _bar(face, (0.0, 0.62), (1.0, 1.0), main)
    _bar(face, (0.35, 0.15), (0.65, 0.45), pale)
    return face


def _blank(width: int, height: int, colour: Image) -> Image:
    return np.full((height, width, 3), colour, dtype=np.uint8)


def _bar(face: Image, start: tuple[float, float], end: tuple[float, float], colour: Image) -> None:
    """Fills a rectangle given in shares of the face's width and height."""
    height, width = face.shape[:2]
    rows = slice(round(start[1] * height), round(end[1] * height))
    columns = slice(round(start[0] * width), round(end[0] * width))
    face[rows, columns] = colour


def _bgr(hue: float, saturation: float, value: float) -> Image:
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return np.array([255 * blue, 255 * green, 255 * red]).astype(np.uint8)
