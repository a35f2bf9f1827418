"""Splits in the Objectron layout, as small as can be, for tests of whole studies."""

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from automl.data.geometry import Intrinsics, box_keypoints, project, projection_of

__all__ = ["CATEGORY", "write_split"]

CATEGORY = "cereal_box"
_WIDTH, _HEIGHT = 6, 8
_SCALE = (0.2, 0.3, 0.1)
_LOCATION = (0.0, 0.0, -1.0)


def write_split(folder: Path, images: int) -> Path:
    """Writes ``images`` frames of 6 x 8 pixels with one box each; returns ``folder``.

    No two frames of one folder are equal, nor those of folders of different names.
    """
    sequence = folder / "batch-1"
    sequence.mkdir(parents=True)
    text = json.dumps(_annotation())
    for number in range(images):
        mark = zlib.crc32(f"{folder.name} {number}".encode())
        (sequence / f"{number:05d}.png").write_bytes(_picture(mark))
        (sequence / f"{number:05d}.json").write_text(text)
    return folder


def _picture(mark: int) -> bytes:
    """A black PNG with ``mark`` in the first four pixels of its last row."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checked = kind + body
        return struct.pack(">I", len(body)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 0, 0, 0, 0)
    last = mark.to_bytes(4) + bytes(_WIDTH - 4)
    rows = (b"\0" + bytes(_WIDTH)) * (_HEIGHT - 1) + b"\0" + last
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _annotation() -> dict[str, Any]:
    """One box, a metre in front of the camera and standing on a plane."""
    camera = Intrinsics(6.0, 6.0, _WIDTH / 2, _HEIGHT / 2)
    projection = projection_of(camera, (_WIDTH, _HEIGHT))
    keypoints = box_keypoints(_SCALE) + np.array(_LOCATION)
    return {
        "camera_data": {
            "width": _WIDTH,
            "height": _HEIGHT,
            "intrinsics": {"fx": camera.fx, "fy": camera.fy, "cx": camera.cx, "cy": camera.cy},
            "camera_projection_matrix": projection.tolist(),
            "camera_view_matrix": np.eye(4).tolist(),
        },
        "AR_data": {"plane_center": [0.15, 0.0, -1.0], "plane_normal": [-1.0, 0.0, 0.0]},
        "objects": [
            {
                "class": CATEGORY,
                "name": f"{CATEGORY}_0",
                "provenance": "test",
                "projected_cuboid": project(keypoints, projection, _WIDTH, _HEIGHT).tolist(),
                "keypoints_3d": keypoints.tolist(),
                "scale": list(_SCALE),
                "location": list(_LOCATION),
                "quaternion_xyzw": [0.0, 0.0, 0.0, 1.0],
                "visibility": 1.0,
            }
        ],
    }
