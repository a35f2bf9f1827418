"""Small data sets in the Objectron layout, written without OpenCV."""

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.data.geometry import Intrinsics, box_keypoints, project, projection_of

WriteFrame = Callable[..., Path]


def png_of(width: int, height: int, shade: int = 0) -> bytes:
    """A grey PNG, made by hand."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checked = kind + body
        return struct.pack(">I", len(body)) + checked + struct.pack(">I", zlib.crc32(checked))

    rows = (b"\0" + bytes([shade]) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def annotation_of(category: str = "cereal_box", width: int = 6, height: int = 8) -> dict[str, Any]:
    """A consistent annotation with one object a metre in front of the camera."""
    camera = Intrinsics(6.0, 6.0, width / 2, height / 2)
    projection = projection_of(camera, (width, height))
    keypoints = box_keypoints((0.2, 0.3, 0.1)) + np.array([0.0, 0.0, -1.0])
    return {
        "camera_data": {
            "width": width,
            "height": height,
            "intrinsics": {"fx": camera.fx, "fy": camera.fy, "cx": camera.cx, "cy": camera.cy},
            "camera_projection_matrix": projection.tolist(),
            "camera_view_matrix": np.eye(4).tolist(),
        },
        "AR_data": {"plane_center": [0.15, 0.0, -1.0], "plane_normal": [-1.0, 0.0, 0.0]},
        "objects": [
            {
                "class": category,
                "name": f"{category}_0",
                "provenance": "test",
                "projected_cuboid": project(keypoints, projection, width, height).tolist(),
                "keypoints_3d": keypoints.tolist(),
                "scale": [0.2, 0.3, 0.1],
                "location": [0.0, 0.0, -1.0],
                "quaternion_xyzw": [0.0, 0.0, 0.0, 1.0],
                "visibility": 1.0,
            }
        ],
    }


@pytest.fixture
def annotation() -> dict[str, Any]:
    """One annotation, free to be broken by a test."""
    return annotation_of()


@pytest.fixture
def split(tmp_path: Path) -> Path:
    """The folder of a split; empty."""
    folder = tmp_path / "train"
    folder.mkdir()
    return folder


@pytest.fixture
def write_frame(split: Path) -> WriteFrame:
    """Writes one frame into the split and returns its image."""

    def write(
        name: str = "a/00000",
        values: object = None,
        suffix: str = ".png",
        content: bytes | None = None,
        root: Path | None = None,
    ) -> Path:
        image = ((root or split) / name).with_suffix(suffix)
        image.parent.mkdir(parents=True, exist_ok=True)
        image.write_bytes(png_of(6, 8) if content is None else content)
        text = json.dumps(annotation_of() if values is None else values)
        image.with_suffix(".json").write_text(text)
        return image

    return write
