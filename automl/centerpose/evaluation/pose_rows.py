"""The rows of ``poses.parquet``, collected while a split is scored."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from automl.centerpose.evaluation import measures, pose_errors
from automl.centerpose.evaluation.boxes import fit_boxes
from automl.centerpose.evaluation.detections import Poses
from automl.centerpose.evaluation.iou3d import symmetric_iou
from automl.centerpose.evaluation.matching import assign
from automl.centerpose.evaluation.settings import EvaluationSettings
from automl.centerpose.evaluation.truths import Truths
from automl.data.geometry import Array
from automl.data.objectron import Annotation
from automl.poses.parquet import COLUMNS
from automl.poses.table import PoseTable

__all__ = ["PoseRows", "ScoredImages"]

#: Columns that say how a detection differs from its object; unknown where there is none.
_ERRORS = (
    *("score", "iou_3d", "add_m", "add_s_m", "mssd_m", "mspd_px", "error_2d"),
    *("corner_errors_px", "azimuth_error_deg", "polar_error_deg", "rotation_error_deg"),
    *("rotation_x_deg", "rotation_y_deg", "rotation_z_deg"),
    *("translation_x_m", "translation_y_m", "translation_z_m"),
    *("predicted_2d", "predicted_3d"),
)
_WIDTHS = {"corner_errors_px": 8, "predicted_2d": 18, "predicted_3d": 27}

Rows = dict[str, npt.NDArray[np.generic]]


@dataclass(frozen=True, slots=True, eq=False)
class ScoredImages:
    """Images that were scored, and what was found on them.

    Attributes:
        poses: N detections with a pose.
        image: (N,) row in ``truths`` of each one's image, ascending.
        truths: The objects of the images.
        indices: Number in its split of each image.
        annotations: What is known of each image.
    """

    poses: Poses
    image: Tensor
    truths: Truths
    indices: Sequence[int]
    annotations: Sequence[Annotation]


class PoseRows:
    """Collects a row for each detection and for each object that none was compared with.

    Args:
        settings: As the split is scored.
        names: Name of each image of the split, by its number.
    """

    def __init__(self, settings: EvaluationSettings, names: Sequence[str]) -> None:
        self._settings = settings
        self._names = names
        self._parts: list[Rows] = []

    def add(self, scored: ScoredImages) -> None:
        """Adds what was found on some images; waits for the device."""
        nearest, visible = assign(scored.poses, scored.image, scored.truths)
        facts = _object_facts(scored.truths, symmetric=self._settings.num_symmetry > 1)
        most = scored.truths.present.shape[1]
        places = (scored.image * most + nearest).cpu().numpy()
        numbers = torch.where(visible, nearest, -1).cpu().numpy()
        found = {name: values[places] for name, values in facts.items()}
        found |= _errors(scored, nearest, self._settings)
        self._keep(scored, scored.image.cpu().numpy(), numbers, found)
        missed = scored.truths.present.cpu().numpy().ravel().copy()
        missed[places[numbers >= 0]] = False
        left = np.flatnonzero(missed)
        lost: Rows = {name: values[left] for name, values in facts.items()}
        lost |= {name: np.full((len(left), *_shape(name)), np.nan) for name in _ERRORS}
        self._keep(scored, left // most, left % most, lost)

    def _keep(
        self,
        scored: ScoredImages,
        image: npt.NDArray[np.int64],
        numbers: npt.NDArray[np.int64],
        rows: Rows,
    ) -> None:
        """Adds the columns that an image gives to all its rows."""
        index = np.array(scored.indices, dtype=np.int32)[image]
        sheets = [scored.annotations[k] for k in image]
        cameras = [(a.fx, a.fy, a.cx, a.cy) for a in sheets]
        self._parts.append(
            {
                "image": np.array([self._names[k] for k in index], dtype=object),
                "index": index,
                "width": np.array([a.width for a in sheets], dtype=np.int32),
                "height": np.array([a.height for a in sheets], dtype=np.int32),
                "camera": np.array(cameras, dtype=np.float64).reshape(-1, 4),
                "object": numbers.astype(np.int32),
                **rows,
            }
        )

    def table(self) -> PoseTable:
        """Everything added so far: images in the order of the split, best detections first."""
        parts = self._parts or [_nothing()]
        joined = {name: np.concatenate([part[name] for part in parts]) for name in COLUMNS}
        score = np.nan_to_num(joined["score"].astype(np.float64), nan=-1.0)
        return PoseTable(joined).take(np.lexsort((joined["object"], -score, joined["index"])))


def _shape(name: str) -> tuple[int, ...]:
    return (_WIDTHS[name],) if name in _WIDTHS else ()


def _nothing() -> Rows:
    widths = {**_WIDTHS, "camera": 4, "true_2d": 18, "true_3d": 27}
    return {name: np.zeros((0, widths[name]) if name in widths else 0) for name in COLUMNS}


def _object_facts(truths: Truths, *, symmetric: bool) -> Rows:
    """What is known of every object of B images, padded to M each: (B * M, ...) columns."""
    points = truths.keypoints_3d.flatten(0, 1).cpu()
    pixels = truths.projected.flatten(0, 1).cpu().numpy()
    views = measures.viewpoints(points).numpy()
    size = np.repeat(truths.size.cpu().numpy(), truths.present.shape[1], axis=0)
    sides = pixels[:, 1:].max(axis=1) - pixels[:, 1:].min(axis=1)
    corners = zip(pixels[:, 1:], size, strict=True)
    return {
        "distance_m": points[:, 0].norm(dim=1).numpy(),
        "azimuth_deg": views[:, 0],
        "elevation_deg": views[:, 1],
        "visibility": truths.visibility.flatten().cpu().numpy(),
        "truncation": np.array([pose_errors.truncation(*pair) for pair in corners]),
        "diameter_m": truths.scale.flatten(0, 1).norm(dim=1).cpu().numpy(),
        "box_px": sides.max(axis=1),
        "symmetric": np.full(len(points), symmetric),
        "true_2d": _flat(pixels),
        "true_3d": _flat(pose_errors.in_opencv(points.numpy())),
    }


def _errors(scored: ScoredImages, nearest: Tensor, settings: EvaluationSettings) -> Rows:
    """How each of N detections differs from the object nearest to it: (N, ...) columns."""
    poses, image, truths = scored.poses, scored.image, scored.truths
    points, steps = poses.keypoints_3d, settings.num_symmetry
    if not settings.absolute_scale:
        points = measures.on_ground(points, truths.plane_center[image], truths.plane_normal[image])
    true = truths.keypoints_3d[image, nearest]
    pairs = pose_errors.Pairs(
        points, poses.projected, true, truths.projection[image], truths.size[image], steps
    )
    corners, mspd, error_2d = pose_errors.corner_errors(pairs)
    add, add_s = measures.point_errors(points, true)
    azimuth, polar = measures.viewpoint_errors(points, true, steps)
    turn = pose_errors.rotation_errors(pairs)
    shift = pose_errors.in_opencv((points - true)[:, 0].cpu().numpy())
    values = {
        "score": poses.scores,
        "iou_3d": symmetric_iou(fit_boxes(points), fit_boxes(true), steps),
        "add_m": add,
        "add_s_m": add_s,
        "mssd_m": pose_errors.symmetric_distance(pairs),
        "mspd_px": mspd,
        "error_2d": error_2d,
        "corner_errors_px": corners,
        "azimuth_error_deg": azimuth,
        "polar_error_deg": polar,
        "rotation_error_deg": turn.norm(dim=1),
        **{f"rotation_{axis}_deg": turn[:, k] for k, axis in enumerate("xyz")},
    }
    return {
        **{name: value.cpu().numpy() for name, value in values.items()},
        **{f"translation_{axis}_m": shift[:, k] for k, axis in enumerate("xyz")},
        "predicted_2d": _flat(poses.projected.cpu().numpy()),
        "predicted_3d": _flat(pose_errors.in_opencv(points.cpu().numpy())),
    }


def _flat(points: Array) -> Array:
    return points.reshape(len(points), points.shape[1] * points.shape[2])
