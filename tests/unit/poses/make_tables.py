"""Tables of poses that a test can reckon with."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from automl.poses.parquet import COLUMNS
from automl.poses.table import PoseTable

CORNERS = np.array(
    [[0, 0, 0], *([x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1))], dtype=float
)


def table_of(rows: Sequence[dict[str, Any]]) -> PoseTable:
    """A table of rows that say what matters; everything else is a value that harms nothing."""
    return PoseTable({name: _column(name, rows) for name in COLUMNS})


def _column(name: str, rows: Sequence[dict[str, Any]]) -> npt.NDArray[np.generic]:
    kind = COLUMNS[name]
    values = [row.get(name, _usual(name, row)) for row in rows]
    if kind == pa.string():
        return np.array(values, dtype=object)
    if pa.types.is_fixed_size_list(kind):
        return np.array(values, dtype=float).reshape(len(rows), kind.list_size)
    return np.array(values, dtype=kind.to_pandas_dtype())


def _usual(name: str, row: dict[str, Any]) -> Any:
    fixed: dict[str, Any] = {
        "image": f"chair/{row.get('index', 0):04d}.jpg",
        "width": 600,
        "height": 800,
        "camera": [640.0, 640.0, 300.0, 400.0],
        "visibility": 1.0,
        "truncation": 0.0,
        "distance_m": 1.0,
        "azimuth_deg": 0.0,
        "elevation_deg": 30.0,
        "diameter_m": 0.3,
        "box_px": 200.0,
        "symmetric": False,
        "true_2d": (CORNERS[:, :2] * 60 + [300, 400]).ravel(),
        "true_3d": (CORNERS * 0.1 + [0, 0, 1]).ravel(),
        "predicted_2d": (CORNERS[:, :2] * 60 + [310, 400]).ravel(),
        "predicted_3d": (CORNERS * 0.1 + [0.02, 0, 1]).ravel(),
        "index": 0,
        "object": 0,
    }
    if name in fixed:
        is_missed = np.isnan(row.get("score", 0.9)) and name.startswith("predicted")
        return np.full_like(fixed[name], np.nan) if is_missed else fixed[name]
    if name == "score":
        return 0.9
    missed = np.isnan(row.get("score", 0.9))
    value = np.nan if missed else 0.0
    return [value] * 8 if name == "corner_errors_px" else value


def random_table(seed: int, n_images: int = 40) -> PoseTable:
    """Images with none to three detections of one or two objects, errors of any size."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for index in range(n_images):
        for number in range(int(rng.integers(1, 3))):
            facts = {
                "index": index,
                "object": number,
                "visibility": float(rng.choice([0.05, 0.6, 1.0], p=[0.1, 0.3, 0.6])),
                "distance_m": float(rng.uniform(0.5, 2.0)),
                "azimuth_deg": float(rng.uniform(-180, 180)),
                "truncation": float(rng.choice([0.0, 0.3])),
            }
            n = int(rng.integers(0, 3)) if facts["visibility"] > 0.1 else 0
            rows += [{**facts, **_errors(rng)} for _ in range(n)]
            if not n:
                rows.append({**facts, "score": np.nan})
    return table_of(rows)


def _errors(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "score": float(np.round(rng.uniform(0.3, 1.0), 1)),  # ties
        "iou_3d": float(rng.uniform(0.0, 1.0)),
        "add_m": float(rng.exponential(0.02)),
        "add_s_m": float(rng.exponential(0.01)),
        "mssd_m": float(rng.exponential(0.05)),
        "mspd_px": float(rng.exponential(15.0)),
        "error_2d": float(rng.exponential(0.02)),
        "corner_errors_px": rng.exponential(15.0, size=8).tolist(),
        "azimuth_error_deg": float(rng.exponential(12.0)),
    }
