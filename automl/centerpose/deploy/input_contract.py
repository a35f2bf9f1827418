"""What an exported network expects and gives, as a file that lies beside it.

Whoever runs an ONNX file elsewhere has to prepare images as the training did: what is cut, how it
is scaled, in which order the colours stand. None of that is in the graph. The file says all of it
in numbers and formulas, so that a program needs no part of this package.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from automl.centerpose.config.experiment import Experiment
from automl.centerpose.deploy.graph import ABSENT, INPUT, OUTPUTS
from automl.centerpose.evaluation.suppress import SIGMA
from automl.data.geometry import CORNER_SIGNS, GL_FROM_CV
from automl.files import write_json

__all__ = ["contract_beside", "input_contract", "write_contract"]

SCHEMA: Final = "automl.onnx-input/1"
_SUFFIX: Final = ".input.json"
_MEANINGS: Mapping[str, str] = {
    "bboxes": "left, top, right, bottom of the 2D box, cells",
    "scores": "in [0, 1], best first",
    "kps": "corners drawn to peaks of their heatmaps, cells; poses are not made of them",
    "clses": "always 0",
    "obj_scale": "size along x, y (up) and z, relative to y unless training used metres",
    "kps_displacement_mean": "the 8 corners as x, y pairs, cells; poses are made of these",
    "kps_heatmap_mean": f"always {ABSENT:g}",
}


def contract_beside(onnx_file: Path) -> Path:
    """Where the contract of an exported network lies: ``net.input.json`` beside ``net.onnx``."""
    return onnx_file.with_suffix(_SUFFIX)


def write_contract(onnx_file: Path, spec: Experiment) -> Path:
    """Writes the contract beside an exported network, whole or not at all; returns the file."""
    path = contract_beside(onnx_file)
    write_json(path, {"onnx": onnx_file.name, **input_contract(spec)})
    return path


def input_contract(spec: Experiment) -> dict[str, Any]:
    """How images become the input of a network exported with a spec, and its output poses."""
    return {
        "schema": SCHEMA,
        "geometry": _geometry(spec),
        "colour": _colour(spec),
        "tensor": _tensor(spec),
        "outputs": _outputs(spec),
        "detections": _detections(spec),
        "pose": _pose(spec),
    }


def _geometry(spec: Experiment) -> dict[str, Any]:
    return {
        "kind": "letterbox",
        "side_px": spec.dataset.input_res,
        "scale": "side_px / max(width, height), the same for both axes",
        "shift": "side_px / 2 - scale * (width / 2, height / 2)",
        "image_to_input": "u = scale * x + shift_x, v = scale * y + shift_y",
        "pixel_positions": "whole numbers lie in the middle of pixels; the first is 0",
        "interpolation": "bilinear, without smoothing before an image is made smaller",
        "outside_the_image": [0, 0, 0],
        "same_as": "cv2.warpAffine(image, [[scale, 0, shift_x], [0, scale, shift_y]], "
        "(side_px, side_px))",
        "image_orientation": "upright: an EXIF orientation is followed first",
    }


def _colour(spec: Experiment) -> dict[str, Any]:
    data = spec.dataset
    return {
        "channel_order": "BGR",
        "divide_by": 255,
        "mean": list(data.mean),
        "std": list(data.std),
        "formula": "(value / divide_by - mean[channel]) / std[channel], after the letterbox: "
        "black around the image is normalised too",
    }


def _tensor(spec: Experiment) -> dict[str, Any]:
    side, batch = spec.dataset.input_res, spec.export.batch_size
    return {
        "name": INPUT,
        "layout": "NCHW",
        "dtype": "float32",
        "shape": ["batch" if batch < 1 else batch, 3, side, side],
    }


def _outputs(spec: Experiment) -> dict[str, Any]:
    count = min(spec.export.num_select, spec.dataset.output_res**2)
    return {
        name: {"shape": ["batch", count, last], "meaning": _MEANINGS[name]}
        for name, last in OUTPUTS.items()
    }


def _detections(spec: Experiment) -> dict[str, Any]:
    data = spec.dataset
    return {
        "cells": data.output_res,
        "cells_to_pixels": "x = cell_x * max(width, height) / cells + width / 2 - "
        "max(width, height) / 2; y likewise with height / 2",
        "score_threshold": spec.inference.visualization_threshold,
        "suppression": "soft-NMS: the best detection is taken, the scores of the others are "
        "multiplied by exp(-iou^2 / sigma), those below score_threshold are dropped, and so on; "
        "widths and heights of boxes in pixels count one more",
        "sigma": SIGMA,
    }


def _pose(spec: Experiment) -> dict[str, Any]:
    return {
        "method": "perspective-n-point on the 8 corners, Levenberg-Marquardt from a direct "
        "linear start",
        "same_as": "cv2.solvePnP(corners, points, camera, None, flags=cv2.SOLVEPNP_ITERATIVE)",
        "corner_signs": CORNER_SIGNS.astype(int).tolist(),
        "corners": "corner_signs * obj_scale / 2, in the object's frame, y up",
        "camera": "[[fx, 0, cx], [0, fy, cy], [0, 0, 1]] in pixels of the stored image; no lens "
        "distortion",
        "camera_frame": "OpenCV: x right, y down, z forward",
        "annotations_from_opencv": GL_FROM_CV.astype(int).tolist(),
        "unit": "metres" if spec.dataset.use_absolute_scale else "the object's height is 1",
    }
