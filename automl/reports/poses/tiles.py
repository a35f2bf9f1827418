"""Pictures of poses: small JPEGs of a study's images, and boxes drawn on them as lines."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from automl.inside import read_file
from automl.poses.table import PICTURES, PoseTable

__all__ = ["BUDGET", "Drawn", "Picture", "boxes_of", "load_pictures"]

BUDGET: Final = 2_000_000
"""Bytes that all pictures of a page may take, as they stand in it."""

_SIGNS: Final = [(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
EDGES: Final = tuple(
    (a, b)
    for a, b in combinations(range(8), 2)
    if sum(p != q for p, q in zip(_SIGNS[a], _SIGNS[b], strict=True)) == 1
)
"""The twelve pairs of corners, from 0, that differ in one sign."""
_FACE: Final = (4, 5, 7, 6)  # the corners on the object's +x side, which a cross marks


@dataclass(frozen=True, slots=True)
class Picture:
    """An image of the page, which several tiles may show.

    Attributes:
        number: The image's number in its split.
        name: Its path below the split's folder.
        width: Of the image, pixels.
        height: Of the image, pixels.
        data: Its ``data:`` address; empty where it is left out.
    """

    number: int
    name: str
    width: int
    height: int
    data: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Lines on a picture, as paths of SVG in the image's own pixels.

    Attributes:
        truth: The annotated boxes.
        predicted: The predicted ones.
    """

    truth: str
    predicted: str


def load_pictures(
    folders: Sequence[Path], wanted: Iterable[Picture], *, inline: bool
) -> tuple[dict[int, Picture], int]:
    """The pictures of a page within its budget, the first ones first.

    Args:
        folders: Evaluations that may have left them.
        wanted: Which, in the order in which they matter.
        inline: Whether pictures are shown at all.

    Returns:
        Number to picture, those beyond the budget without data; and how many bytes they take.
    """
    found: dict[int, Picture] = {}
    spent = 0
    for picture in wanted:
        if picture.number in found:
            continue
        data = _data(folders, picture.number) if inline else ""
        data = data if spent + len(data) <= BUDGET else ""
        spent += len(data)
        found[picture.number] = Picture(
            picture.number, picture.name, picture.width, picture.height, data
        )
    return found, spent


def _data(folders: Sequence[Path], number: int) -> str:
    for folder in folders:
        try:
            with read_file(folder / PICTURES / f"{number:06d}.jpg") as file:
                content = file.read(BUDGET)
        except OSError:
            continue
        return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"
    return ""


def boxes_of(rows: PoseTable) -> Drawn:
    """The boxes of one image's rows: each true box once, each prediction that has a score."""
    scored = np.isfinite(rows.numbers("score"))
    known = rows.numbers("object") >= 0
    _, first = np.unique(rows.numbers("object")[known], return_index=True)
    true = rows.numbers("true_2d")[known][first]
    return Drawn(
        " ".join(_box(points) for points in true),
        " ".join(_box(points) for points in rows.numbers("predicted_2d")[scored]),
    )


def _box(points: npt.NDArray[np.float64]) -> str:
    corners = np.clip(points.reshape(9, 2)[1:], -1e5, 1e5)
    lines = [f"M{_at(corners[a])}L{_at(corners[b])}" for a, b in EDGES]
    crossed = (_FACE[0], _FACE[2]), (_FACE[1], _FACE[3])
    return "".join([*lines, *(f"M{_at(corners[a])}L{_at(corners[b])}" for a, b in crossed)])


def _at(point: npt.NDArray[np.float64]) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"
