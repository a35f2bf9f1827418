"""``poses.parquet``: what an evaluation found, one row a detection.

An object that no detection was compared with has a row of its own, without a score, so that the
file alone says what was missed. Points and translations are metres in OpenCV's camera frame (x to
the right of the image, y down it, z away from the camera); angles are degrees.
"""

import io
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from automl.errors import FixInput
from automl.files import write_bytes
from automl.inside import read_file
from automl.poses.table import POSES_NAME, PoseTable

__all__ = ["COLUMNS", "read_poses", "write_poses"]

_FORMAT: Final = b"automl.poses/1"
_NUMBER, _WHOLE, _FLAG, _TEXT = pa.float64(), pa.int32(), pa.bool_(), pa.string()


def _points(n: int) -> pa.DataType:
    return pa.list_(pa.float32(), n)


#: Column to its type. Errors are NaN in the row of an object that was missed.
COLUMNS: Final = MappingProxyType(
    {
        "image": _TEXT,  # relative to the folder of the split
        "index": _WHOLE,  # the image's number in the split
        "width": _WHOLE,  # of the image, pixels
        "height": _WHOLE,
        "camera": _points(4),  # fx, fy, cx, cy, pixels
        "object": _WHOLE,  # in its image, from 0; -1: the nearest one is hardly visible
        "score": _NUMBER,  # NaN: no detection was compared with this object
        "iou_3d": _NUMBER,
        "add_m": _NUMBER,
        "add_s_m": _NUMBER,
        "mssd_m": _NUMBER,
        "mspd_px": _NUMBER,
        "error_2d": _NUMBER,  # mean distance of the corners, in image sides
        "corner_errors_px": _points(8),
        "azimuth_error_deg": _NUMBER,
        "polar_error_deg": _NUMBER,
        "rotation_error_deg": _NUMBER,
        "rotation_x_deg": _NUMBER,  # the rotation vector in the object's own frame, y up
        "rotation_y_deg": _NUMBER,
        "rotation_z_deg": _NUMBER,
        "translation_x_m": _NUMBER,  # predicted minus true
        "translation_y_m": _NUMBER,
        "translation_z_m": _NUMBER,
        "distance_m": _NUMBER,  # of the object from here on, as annotated
        "azimuth_deg": _NUMBER,
        "elevation_deg": _NUMBER,
        "visibility": _NUMBER,
        "truncation": _NUMBER,  # share of its projection that lies outside the image
        "diameter_m": _NUMBER,
        "box_px": _NUMBER,  # longer side of its 2D box
        "symmetric": _FLAG,  # whether turns about its up axis were allowed
        "predicted_2d": _points(18),  # centre and corners, x and y in turn
        "true_2d": _points(18),
        "predicted_3d": _points(27),
        "true_3d": _points(27),
    }
)


def write_poses(folder: Path, table: PoseTable) -> Path:
    """Writes the file of an evaluation, whole or not at all.

    Raises:
        KeyError: A column is missing.
    """
    arrays = [_to_arrow(table[name], kind) for name, kind in COLUMNS.items()]
    schema = pa.schema(list(COLUMNS.items()), metadata={b"format": _FORMAT})
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), buffer, compression="zstd")
    write_bytes(folder / POSES_NAME, buffer.getvalue())
    return folder / POSES_NAME


def _to_arrow(values: npt.NDArray[np.generic], kind: pa.DataType) -> pa.Array:
    if values.ndim == 1:
        return pa.array(values.tolist() if kind == _TEXT else values, type=kind)
    flat = pa.array(values.astype(np.float32).ravel(), type=pa.float32())
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])


def read_poses(folder: Path) -> PoseTable | None:
    """The file of an evaluation; None where it left none.

    Raises:
        FixInput: The file is not one of these, or is damaged.
    """
    path = folder / POSES_NAME
    if not path.is_file():
        return None
    try:
        with read_file(path) as file:
            table = pq.read_table(io.BytesIO(file.read()))
        return PoseTable({name: _from_arrow(table, name, COLUMNS[name]) for name in COLUMNS})
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise FixInput(
            "the poses of an evaluation must be the file that it wrote",
            got=f"{type(error).__name__}: {error}",
            where=str(path),
            fix="delete the evaluation's folder and evaluate again",
        ) from error


def _from_arrow(table: pa.Table, name: str, kind: pa.DataType) -> npt.NDArray[np.generic]:
    column = table.column(name).combine_chunks()
    if not column.type.equals(kind):
        raise ValueError(f"{name} must be {kind}, but is {column.type}")
    if column.null_count:
        raise ValueError(f"{name} must have no null")
    if pa.types.is_fixed_size_list(kind):
        flat = column.flatten().to_numpy(zero_copy_only=False)
        return np.asarray(flat.reshape(len(column), kind.list_size))
    return np.asarray(column.to_numpy(zero_copy_only=False))
