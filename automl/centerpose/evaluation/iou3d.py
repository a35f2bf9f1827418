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

import torch
from torch import Tensor

from automl.centerpose.evaluation.boxes import Boxes, corners_of, rotated_about_up

__all__ = ["box_iou", "symmetric_iou"]

_MARGIN = 1e-9
_CHUNK = 4096  # pairs at once: bounds the memory of the padded polygons at some hundred MiB

# Corners of each face, counter-clockwise seen from outside, as rows of CORNER_SIGNS.
_FACES = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))


def box_iou(first: Boxes, second: Boxes) -> Tensor:
    """Intersection over union of pairs of boxes, row by row.

    Args:
        first: N boxes.
        second: N boxes, in the frame and unit of ``first``.

    Returns:
        (N,) values in [0, 1]; 0 where a box is flat, empty or not finite.
    """
    volume = first.volume(), second.volume()
    usable = (volume[0] > 0.0) & (volume[1] > 0.0) & (volume[0] + volume[1]).isfinite()
    usable &= (first.center + second.center).isfinite().all(dim=1)
    # Boxes whose circumscribed spheres lie apart do not meet: most pairs of a crowded image.
    apart = (first.center - second.center).norm(dim=1)
    rows = (usable & (apart <= first.radius() + second.radius())).nonzero()[:, 0]
    values = torch.zeros_like(volume[0])
    for chunk in rows.split(_CHUNK):
        common = _intersection(first.take(chunk), second.take(chunk))
        values[chunk] = common / (volume[0][chunk] + volume[1][chunk] - common)
    return values.nan_to_num().clamp(0.0, 1.0)


def symmetric_iou(predicted: Boxes, truth: Boxes, steps: int) -> Tensor:
    """The best ``box_iou`` over turns of the prediction about its up edge, (N,).

    Args:
        predicted: N boxes.
        truth: N boxes.
        steps: Turns tried, evenly from 0 to 2 pi with *both* ends, so that ``steps`` gives
            ``steps - 1`` different ones; 1 for an object without symmetry.
    """
    angles = torch.linspace(0.0, 2.0 * torch.pi, steps, dtype=torch.float64)[1:-1].tolist()
    turned = [predicted, *(rotated_about_up(predicted, angle) for angle in angles)]
    values = box_iou(Boxes.joined(turned), Boxes.joined([truth] * len(turned)))
    return values.view(len(turned), len(truth)).amax(dim=0)


def _intersection(first: Boxes, second: Boxes) -> Tensor:
    """(N,) volumes common to pairs of solid, finite boxes.

    Each box's faces are clipped in the other's frame; all cones have their tip in the centre of
    the first box. A frame's volumes are those of the world divided by its determinant.
    """
    scale_first, scale_second = torch.linalg.det(first.half), torch.linalg.det(second.half)
    # A mirrored box turns its faces inside out, which this sign undoes.
    sign = (scale_first * scale_second).sign()
    # One length for both boxes: measured in each box's own frame, the two rules would disagree.
    margin = _MARGIN * torch.minimum(scale_first.abs(), scale_second.abs()) ** (1.0 / 3.0)
    offset = second.center - first.center

    inverse = torch.linalg.inv_ex(first.half).inverse
    faces = _faces_in(inverse, Boxes(offset, second.half))
    inwards = -_lengths_in(inverse, margin)[:, None, None]
    limits = (1.0 + inwards).expand(-1, 2, 6, -1)
    volume = _cones(faces, limits, torch.zeros_like(offset)) * scale_first.abs()

    inverse = torch.linalg.inv_ex(second.half).inverse
    faces = _faces_in(inverse, Boxes(-offset, first.half))
    sides = faces[:, :, [1, 3]] - faces[:, :, :1]
    normals = torch.linalg.cross(sides[:, :, 0], sides[:, :, 1])
    alike = (normals * sign[:, None, None]).sign() * _lengths_in(inverse, margin)[:, None]
    limits = 1.0 + torch.stack([alike, -alike], dim=1)
    tip = (inverse @ -offset[:, :, None])[:, :, 0]
    volume = volume + _cones(faces, limits, tip) * scale_second.abs()
    common: Tensor = (sign * volume).clamp(min=0.0)
    return common


def _lengths_in(inverse: Tensor, length: Tensor) -> Tensor:
    """(N, 3): a length of the world across the faces of each axis, in a box's own frame."""
    lengths: Tensor = length[:, None] * inverse.norm(dim=2)
    return lengths


def _faces_in(inverse: Tensor, boxes: Boxes) -> Tensor:
    """(N, 6, 4, 3) faces of boxes in the frames that matrices (N, 3, 3) lead to."""
    corners = corners_of(boxes) @ inverse.transpose(1, 2)
    index = torch.tensor(_FACES, device=corners.device)
    return corners[:, index]


def _cones(faces: Tensor, limits: Tensor, apex: Tensor) -> Tensor:
    """Signed volumes between an apex and the parts of faces that lie inside a cube.

    Args:
        faces: (N, 6, 4, 3) faces of boxes.
        limits: (N, 2, 6, 3) distance from the origin, per face, of the cube's upper and lower
            planes across each axis: all of them nearly 1.
        apex: (N, 3) tip of the cones.

    Returns:
        (N,) sums over the faces.
    """
    polygons = faces.flatten(0, 1)
    for axis in range(3):
        for end, side in enumerate((1.0, -1.0)):
            polygons = _clip(polygons, axis, side, limits[:, end, :, axis].flatten())
    points = polygons.view(len(faces), 6, polygons.shape[1], 3) - apex[:, None, None]
    turns = torch.linalg.cross(points, points.roll(-1, dims=2)).sum(dim=2)
    total: Tensor = (points[:, :, 0] * turns).sum(dim=(1, 2))
    return total / 6.0


def _clip(polygons: Tensor, axis: int, side: float, limit: Tensor) -> Tensor:
    """The convex polygons' parts where ``side * x[axis] <= limit``.

    Args:
        polygons: (M, V, 3); repeated vertices are allowed and pad the shorter polygons.
        axis: Coordinate that the plane fixes.
        side: 1.0 to keep what lies below the limit, -1.0 what lies above minus the limit.
        limit: (M,) distance of each polygon's plane from the origin.

    Returns:
        (M, V + 1, 3); a polygon with nothing left collapses onto the origin.
    """
    count, size = polygons.shape[:2]
    beyond = side * polygons[:, :, axis] - limit[:, None]
    beyond_end = beyond.roll(-1, dims=1)
    inside = beyond <= 0.0
    crosses = inside != (beyond_end <= 0.0)
    step = torch.where(crosses, beyond / torch.where(crosses, beyond - beyond_end, 1.0), 0.0)
    crossings = torch.lerp(polygons, polygons.roll(-1, dims=1), step[:, :, None])
    # Each edge may leave its first end, then its crossing: each moves to the next free place.
    candidates = torch.stack([polygons, crossings], dim=2).flatten(1, 2)
    kept = torch.stack([inside, crosses], dim=2).flatten(1, 2)
    place = kept.cumsum(dim=1)
    number = place[:, -1:]
    place = torch.where(kept, place - 1, size + 1)  # what is dropped goes to a place of its own
    chosen = torch.zeros(count, size + 2, dtype=torch.long, device=polygons.device)
    chosen = chosen.scatter(1, place, torch.arange(2 * size, device=place.device).expand_as(place))
    slots = torch.minimum(torch.arange(size + 1, device=place.device), (number - 1).clamp(min=0))
    index = chosen.gather(1, slots)[:, :, None].expand(-1, -1, 3)
    return torch.where(number[:, :, None] > 0, candidates.gather(1, index), 0.0)
