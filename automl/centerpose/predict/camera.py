"""The camera of an image without annotations: from the spec, else from a file beside the image."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from automl.centerpose.config.inference import Inference
from automl.data.geometry import Array, Intrinsics
from automl.data.objectron import Frame
from automl.errors import FixData, FixInput
from automl.jsontext import read_json

__all__ = ["cameras_of"]

_KEYS = "inference.focal_length_x, focal_length_y, principle_point_x and principle_point_y"
_FIX = (
    f"set {_KEYS} in pixels of the stored images, put a JSON file with camera_data.intrinsics "
    "beside each image, or set inference.use_pnp=false for corners without poses"
)


def cameras_of(block: Inference, frames: Sequence[Frame]) -> list[Array]:
    """The camera matrices (3, 3) of images, in pixels of the stored images.

    The spec's camera stands for every image where it has focal lengths. With those of 0, as they
    are packaged, each image's own comes from the ``camera_data`` of the JSON file beside it.

    Raises:
        FixInput: Neither names a usable camera; said before anything is predicted.
    """
    given = _given(block)
    if given is not None:
        return [given] * len(frames)
    without = [frame for frame in frames if not frame.annotation.is_file()]
    if without:
        raise FixInput(
            "each image must have a camera for its poses",
            got=f"focal lengths of 0 in the spec and {len(without)} of {len(frames)} images "
            "without a JSON file beside them",
            where=str(without[0].image),
            fix=_FIX,
        )
    return [_beside(frame.annotation) for frame in frames]


def _given(block: Inference) -> Array | None:
    """The spec's camera, or None where it has no focal lengths."""
    focal = (block.focal_length_x, block.focal_length_y)
    middle = (block.principle_point_x, block.principle_point_y)
    if not any(focal):
        return None
    values = (*focal, *middle, block.skew)
    if min(focal) <= 0.0 or not any(middle) or not np.isfinite(values).all():
        raise FixInput(
            f"the camera must have all of {_KEYS}",
            got=f"{focal[0]:g}, {focal[1]:g}, {middle[0]:g} and {middle[1]:g}",
            fix="the optical axis usually meets the image near its middle",
        )
    matrix = Intrinsics(*focal, *middle).matrix()
    matrix[0, 1] = block.skew
    return matrix


def _beside(path: Path) -> Array:
    try:
        content: Any = read_json(path)
        values = content["camera_data"]["intrinsics"]
        fx, fy, cx, cy = (float(values[name]) for name in ("fx", "fy", "cx", "cy"))
    except (ValueError, KeyError, TypeError) as error:
        raise FixData(
            "a JSON file beside an image must hold camera_data.intrinsics with fx, fy, cx, cy",
            got=f"{type(error).__name__}: {error}",
            where=str(path),
            fix=_FIX,
        ) from error
    if not np.isfinite([fx, fy, cx, cy]).all() or min(fx, fy) <= 0.0:
        raise FixData(
            "camera_data.intrinsics must be finite, and its focal lengths above 0",
            got=f"fx {fx:g}, fy {fy:g}, cx {cx:g}, cy {cy:g}",
            where=str(path),
        )
    return Intrinsics(fx, fy, cx, cy).matrix()
