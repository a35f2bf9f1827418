"""Labelled images in one picture, on which a person sees whether the boxes sit."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from automl.data.geometry import CORNER_SIGNS, EDGES, Array
from automl.data.opencv import cv2, decoded
from automl.errors import FixInput
from automl.files import write_bytes

__all__ = ["PREVIEW_SUFFIXES", "CuboidOutline", "GridTile", "spread", "write_grid"]

Pixels = npt.NDArray[np.uint8]

PREVIEW_SUFFIXES: Final = (".png", ".jpg", ".jpeg")
_SIDE_PX: Final = 400  # of the square that an image is drawn in
_CAPTION_PX: Final = 22
_GAP_PX: Final = 4
_EDGE_BGR: Final = (80, 220, 80)
_SUSPECT_BGR: Final = (60, 60, 255)
_CORNER_BGR: Final = (0, 200, 255)
_TEXT_BGR: Final = (230, 230, 230)
_AXES_BGR: Final = ((60, 60, 255), (60, 255, 60), (255, 80, 60))  # x red, y green, z blue
_LIMIT_PX: Final = 30000  # OpenCV draws within 16 bits
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True, slots=True, eq=False)
class CuboidOutline:
    """One labelled box on an image.

    Attributes:
        points: (9, 2) pixels of the image, the centre first, then the corners in their order.
        caption: A few words beside its centre; empty for none.
        suspect: Whether it is drawn in red, as one to look at.
    """

    points: Array
    caption: str = ""
    suspect: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class GridTile:
    """One image of the grid.

    Attributes:
        image: Its file.
        caption: What stands below it.
        outlines: Its boxes.
    """

    image: Path
    caption: str
    outlines: tuple[CuboidOutline, ...] = ()


def spread(count: int, most: int) -> list[int]:
    """Up to ``most`` places of ``count``, at even distances, the first one always among them."""
    taken = min(count, most)
    return [place * count // taken for place in range(taken)]


def write_grid(path: Path, tiles: Sequence[GridTile]) -> None:
    """Writes one picture of labelled images, as many columns as make it nearly square.

    Each box shows its edges and, from its centre to the middle of the faces in front, its axes: x
    red, y (up) green, z blue. An image that cannot be read leaves a dark tile that says so.

    Args:
        path: The picture, ``.png`` or ``.jpg``; one that is there is replaced.
        tiles: The images, at least one.

    Raises:
        FixInput: The name has another ending, or there is no image.
    """
    if path.suffix.lower() not in PREVIEW_SUFFIXES:
        got, fix = path.name, "name it preview.png"
        raise FixInput("a preview must be a PNG or a JPEG", got=got, fix=fix)
    if not tiles:
        raise FixInput("a preview must show at least one image", got="none")
    columns = math.ceil(math.sqrt(len(tiles)))
    drawn = [_tile(tile) for tile in tiles]
    blank = np.zeros_like(drawn[0])
    drawn += [blank] * (-len(drawn) % columns)
    rows = [np.hstack(drawn[start : start + columns]) for start in range(0, len(drawn), columns)]
    encoded, content = cv2.imencode(path.suffix.lower(), np.vstack(rows))
    if not encoded:
        raise OSError(f"the preview cannot be encoded: {path}")
    write_bytes(path, content.tobytes())


def _tile(tile: GridTile) -> Pixels:
    side = _SIDE_PX + 2 * _GAP_PX
    canvas: Pixels = np.full((side + _CAPTION_PX, side, 3), 24, np.uint8)
    image = decoded(tile.image)
    if image is None:
        _write(canvas, "cannot be read", (_GAP_PX + 8, side // 2))
    else:
        small = _with_outlines(image, tile.outlines)
        height, width = small.shape[:2]
        top, left = (side - height) // 2, (side - width) // 2
        canvas[top : top + height, left : left + width] = small
    _write(canvas, _end_of(tile.caption), (_GAP_PX, side + _CAPTION_PX - 8))
    return canvas


def _with_outlines(image: Any, outlines: Sequence[CuboidOutline]) -> Pixels:
    """The image shrunk or grown to the tile, with its boxes drawn at that size."""
    factor = _SIDE_PX / max(image.shape[:2])
    height, width = (max(1, round(side * factor)) for side in image.shape[:2])
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_NEAREST
    canvas: Pixels = cv2.resize(image, (width, height), interpolation=way)
    for outline in outlines:
        # Pixel centres are whole numbers to OpenCV, so that scaling moves them by half a pixel.
        _draw(canvas, (outline.points + 0.5) * factor - 0.5, outline)
    return canvas


def _draw(canvas: Pixels, points: Array, outline: CuboidOutline) -> None:
    colour = _SUSPECT_BGR if outline.suspect else _EDGE_BGR
    middle, *corners = _whole(points)
    for a, b in EDGES:
        cv2.line(canvas, corners[a], corners[b], colour, 1, cv2.LINE_AA)
    for corner in corners:
        cv2.circle(canvas, corner, 2, _CORNER_BGR, -1, cv2.LINE_AA)
    faces = [points[1:][CORNER_SIGNS[:, axis] > 0].mean(axis=0) for axis in range(3)]
    for tip, axis_colour in zip(_whole(np.array(faces)), _AXES_BGR, strict=True):
        cv2.arrowedLine(canvas, middle, tip, axis_colour, 2, cv2.LINE_AA, tipLength=0.2)
    if outline.caption:
        _write(canvas, outline.caption, (middle[0] + 6, middle[1] - 6))


def _write(canvas: Pixels, text: str, place: tuple[int, int]) -> None:
    """Writes light text with a shadow; OpenCV's letters are those of ASCII."""
    plain = text.encode("ascii", "replace").decode()
    for colour, shift in (((0, 0, 0), 1), (_TEXT_BGR, 0)):
        start = (place[0] + shift, place[1] + shift)
        cv2.putText(canvas, plain, start, _FONT, 0.42, colour, 1, cv2.LINE_AA)


def _end_of(text: str) -> str:
    most = _SIDE_PX // 8
    return text if len(text) <= most else f"...{text[3 - most :]}"


def _whole(points: Array) -> list[tuple[int, int]]:
    """Points as whole pixels that OpenCV can draw."""
    near = np.clip(np.rint(np.nan_to_num(points)), -_LIMIT_PX, _LIMIT_PX).astype(int)
    return [(int(x), int(y)) for x, y in near]
