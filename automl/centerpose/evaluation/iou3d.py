"""Exact overlap of oriented boxes, many pairs at a time.

The intersection of two boxes is bounded by the parts of each box's faces that lie inside the
other box. By the divergence theorem its volume is the sum, over these parts, of the cones from one
common point. In a box's own frame the box is the cube [-1, 1]^3, so that clipping a face by it is
clipping a polygon by six axis-aligned planes, the same ones for every pair; and a sheared box, as
a noisy annotation may give, needs no other treatment than an upright one.

Faces that coincide need a rule, which must not hang on rounding. Where two faces look the same way
their common part counts once: it is left to the first box, whose faces are clipped by a second box
grown by ``_MARGIN``, while faces of the second are clipped by a first box shrunk by it. Where they
look at each other the boxes only touch and neither face counts: both boxes are shrunk. Whatever
the distance of two almost equal planes, one rule then takes a part exactly where the other leaves
it. The margin costs about 1e-9 of the volume.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from automl.data.geometry import CORNER_SIGNS, Array

__all__ = ["Boxes", "box_iou", "fit_boxes", "rotated_about_up", "symmetric_iou"]

_MARGIN = 1e-9
_CHUNK = 2048  # pairs at once: bounds the memory of the padded polygons at some tens of MiB

# Corners of each face, counter-clockwise seen from outside, as rows of CORNER_SIGNS.
_FACES = np.array(
    [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
)


@dataclass(frozen=True, slots=True)
class Boxes:
    """N boxes, each the affine image of the cube [-1, 1]^3.

    Attributes:
        center: (N, 3) centres, in any one unit.
        half: (N, 3, 3); column j is half the edge along the object's axis j, same unit.
    """

    center: Array
    half: Array

    def __len__(self) -> int:
        return len(self.center)

    def take(self, index: npt.NDArray[np.intp]) -> "Boxes":
        """The boxes at ``index``, repeated as often as it names them."""
        return Boxes(self.center[index], self.half[index])

    def volume(self) -> Array:
        """(N,) volumes."""
        with np.errstate(invalid="ignore"):
            return np.asarray(8.0 * np.abs(np.linalg.det(self.half)))


def fit_boxes(keypoints: npt.ArrayLike) -> Boxes:
    """The boxes that fit sets of nine keypoints best.

    The affine least-squares fit onto an upright box with the mean edge lengths of the points has
    a closed form, in which the lengths cancel: the columns of the corner signs are orthogonal.

    Args:
        keypoints: (N, 9, 3) centre and corners, in the order of ``box_keypoints``.
    """
    points = np.asarray(keypoints, dtype=np.float64).reshape(-1, 9, 3)
    half = np.einsum("cj,nci->nij", CORNER_SIGNS, points[:, 1:]) / 8.0
    return Boxes(points.mean(axis=1), half)


def box_iou(first: Boxes, second: Boxes) -> Array:
    """Intersection over union of pairs of boxes, row by row.

    Args:
        first: N boxes.
        second: N boxes, in the frame and unit of ``first``.

    Returns:
        (N,) values in [0, 1]; 0 where a box is flat, empty or not finite.
    """
    union = np.zeros(len(first))
    volumes = first.volume(), second.volume()
    usable = (volumes[0] > 0.0) & (volumes[1] > 0.0) & np.isfinite(volumes[0] + volumes[1])
    usable &= np.isfinite(first.center + second.center).all(axis=1)
    rows = np.flatnonzero(usable)
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        common = _intersection(first.take(chunk), second.take(chunk))
        union[chunk] = common / (volumes[0][chunk] + volumes[1][chunk] - common)
    return np.asarray(np.clip(np.nan_to_num(union), 0.0, 1.0))


def rotated_about_up(boxes: Boxes, angle: float) -> Boxes:
    """The boxes turned about their own up edges, through their centres.

    Args:
        boxes: N boxes; the up edge of a box is its second.
        angle: Radians, counter-clockwise seen from above.
    """
    up = boxes.half[:, :, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        axis = up / np.linalg.norm(up, axis=1, keepdims=True)
    along = axis[:, :, None] * np.einsum("ni,nij->nj", axis, boxes.half)[:, None, :]
    across = np.cross(axis[:, None, :], boxes.half.transpose(0, 2, 1)).transpose(0, 2, 1)
    turned = boxes.half * np.cos(angle) + across * np.sin(angle) + along * (1.0 - np.cos(angle))
    return Boxes(boxes.center, turned)


def symmetric_iou(predicted: Boxes, truth: Boxes, steps: int) -> Array:
    """The best ``box_iou`` over turns of the prediction about its up edge.

    Args:
        predicted: N boxes.
        truth: N boxes.
        steps: Turns tried, evenly from 0 to 2 pi with *both* ends, so that ``steps`` gives
            ``steps - 1`` different ones; 1 for an object without symmetry.
    """
    best = box_iou(predicted, truth)
    for angle in np.linspace(0.0, 2.0 * np.pi, steps)[1:-1]:
        np.maximum(best, box_iou(rotated_about_up(predicted, float(angle)), truth), out=best)
    return best


def _intersection(first: Boxes, second: Boxes) -> Array:
    """(N,) volumes common to pairs of solid, finite boxes.

    Each box's faces are clipped in the other's frame; all cones have their tip in the centre of
    the first box. A frame's volumes are those of the world divided by its determinant.
    """
    scale_first, scale_second = np.linalg.det(first.half), np.linalg.det(second.half)
    # A mirrored box turns its faces inside out, which this sign undoes.
    sign = np.sign(scale_first * scale_second)
    # One length for both boxes: measured in each box's own frame, the two rules would disagree.
    margin = _MARGIN * np.minimum(np.abs(scale_first), np.abs(scale_second)) ** (1.0 / 3.0)
    offset = second.center - first.center
    here = np.zeros_like(offset)

    inverse: Array = np.asarray(np.linalg.inv(first.half), dtype=np.float64)
    faces = _faces(np.einsum("nij,ncj->nci", inverse, _corners(offset, second.half)))
    inwards = -_lengths_in(inverse, margin)[:, None, None, :]
    limits = np.broadcast_to(1.0 + inwards, (len(first), 2, 6, 3))
    volume = _cones(faces, limits, here) * np.abs(scale_first)

    inverse = np.asarray(np.linalg.inv(second.half), dtype=np.float64)
    faces = _faces(np.einsum("nij,ncj->nci", inverse, _corners(-offset, first.half)))
    normals = np.cross(faces[:, :, 1] - faces[:, :, 0], faces[:, :, 3] - faces[:, :, 0])
    alike = np.sign(normals * sign[:, None, None]) * _lengths_in(inverse, margin)[:, None, :]
    limits = 1.0 + np.stack([alike, -alike], axis=1)
    tip = np.einsum("nij,nj->ni", inverse, -offset)
    volume += _cones(faces, limits, tip) * np.abs(scale_second)
    return np.asarray(np.maximum(sign * volume, 0.0))


def _lengths_in(inverse: Array, length: Array) -> Array:
    """(N, 3): a length of the world across the faces of each axis, in a box's own frame."""
    return np.asarray(length[:, None] * np.linalg.norm(inverse, axis=2))


def _corners(center: Array, half: Array) -> Array:
    """(N, 8, 3) corners of boxes."""
    return np.asarray(center[:, None, :] + np.einsum("nij,cj->nci", half, CORNER_SIGNS))


def _faces(corners: Array) -> Array:
    """(N, 6, 4, 3) faces of boxes from their (N, 8, 3) corners."""
    return np.asarray(corners[:, _FACES])


def _cones(faces: Array, limits: Array, apex: Array) -> Array:
    """Signed volumes between an apex and the parts of faces that lie inside a cube.

    Args:
        faces: (N, 6, 4, 3) faces of boxes.
        limits: (N, 2, 6, 3) distance from the origin, per face, of the cube's upper and lower
            planes across each axis: all of them nearly 1.
        apex: (N, 3) tip of the cones.

    Returns:
        (N,) sums over the faces.
    """
    polygons = faces.reshape(-1, 4, 3)
    for axis in range(3):
        for end, side in enumerate((1.0, -1.0)):
            polygons = _clip(polygons, axis, side, limits[:, end, :, axis].reshape(-1))
    points = polygons.reshape(len(faces), 6, -1, 3) - apex[:, None, None, :]
    turns = np.cross(points, np.roll(points, -1, axis=2)).sum(axis=2)
    return np.asarray(np.einsum("nfi,nfi->n", points[:, :, 0], turns) / 6.0)


def _clip(polygons: Array, axis: int, side: float, limit: Array) -> Array:
    """The convex polygons' parts where ``side * x[axis] <= limit``.

    Args:
        polygons: (M, V, 3); repeated vertices are allowed and pad the shorter polygons.
        axis: Coordinate that the plane fixes.
        side: 1.0 to keep what lies below the limit, -1.0 what lies above minus the limit.
        limit: (M,) distance of each polygon's plane from the origin.

    Returns:
        (M, V + 1, 3); a polygon with nothing left collapses onto the origin.
    """
    ends = np.roll(polygons, -1, axis=1)
    beyond = side * polygons[:, :, axis] - limit[:, None]
    beyond_end = np.roll(beyond, -1, axis=1)
    inside = beyond <= 0.0
    crosses = inside != (beyond_end <= 0.0)
    step = np.where(crosses, beyond, 0.0) / np.where(crosses, beyond - beyond_end, 1.0)
    crossings = polygons + step[:, :, None] * (ends - polygons)
    count, size = polygons.shape[:2]
    candidates = np.stack([polygons, crossings], axis=2).reshape(count, 2 * size, 3)
    kept = np.stack([inside, crosses], axis=2).reshape(count, 2 * size)
    order = np.argsort(~kept, axis=1, kind="stable")
    number = kept.sum(axis=1, keepdims=True)
    slots = np.minimum(np.arange(size + 1), np.maximum(number - 1, 0))
    chosen = np.take_along_axis(order, slots, axis=1)
    clipped = np.take_along_axis(candidates, chosen[:, :, None], axis=1)
    return np.where(number[:, :, None] > 0, clipped, 0.0)
