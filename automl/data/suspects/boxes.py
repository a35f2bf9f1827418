"""Boxes that disagree with their keypoints, and what explains it.

A file says each object three times: as pixels, as keypoints in space, and as a size with a pose.
Where they differ, the mistakes that are usually behind it are tried one after the other; the one
that makes all of them agree is named.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from automl.data.geometry import Array, box_keypoints, project, rotation_of
from automl.data.objectron import Annotation, PoseObject
from automl.data.suspects.corners import ORDERS, CornerOrder, handedness
from automl.data.suspects.finding import Certainty, Finding, FindingKind

__all__ = ["TOLERANCE_PX", "check_boxes"]

TOLERANCE_PX: Final = 2.0
"""Real labels of Objectron are whole pixels and up to 1.7 px off, which is no fault."""
_SURE_PX: Final = 10.0
_TOLERANCE: Final = 0.02  # of the box's diagonal, for keypoints in space
_UNITS: Final = (
    (0.01, "100 times too large (centimetres?)"),
    (0.001, "1000 times too large (millimetres?)"),
    (100.0, "100 times too small"),
    (1000.0, "1000 times too small"),
)
_ROWS: Final = np.array([order.rows for order in ORDERS])  # (47, 9)
_EDGES: Final = ((0, 2, 1), (1, 0, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1))
_REORDER: Final = "write the corners in the order of this layout: z changes fastest, x slowest"


@dataclass(frozen=True, slots=True, eq=False)
class _Subject:
    """One object, and the camera that sees it.

    Attributes:
        item: The object.
        sheet: What is known of its image.
    """

    item: PoseObject
    sheet: Annotation

    def pixels(self, points: Array) -> Array:
        """(9, 2) pixels of points in the camera's frame; NaN where one lies behind the camera."""
        sheet = self.sheet
        with np.errstate(divide="ignore", invalid="ignore"):
            found = project(points, sheet.projection, sheet.width, sheet.height)
        found[points[:, 2] >= 0.0] = np.nan
        return found

    def off(self, points: Array) -> float:
        """The largest distance in pixels between points and the labelled pixels."""
        return _largest(self.pixels(points) - self.item.projected_cuboid)

    def apart(self, points: Array) -> float:
        """The largest distance between points and keypoints_3d, in diagonals of the keypoints."""
        true = self.item.keypoints_3d
        return _largest(points - true) / (float(np.linalg.norm(true[8] - true[1])) or 1.0)


def check_boxes(path: Path, sheet: Annotation) -> Iterator[Finding]:
    """What disagrees within one annotation file.

    Args:
        path: The file.
        sheet: What it says.
    """
    for number, item in enumerate(sheet.objects):
        subject = _Subject(item, sheet)
        found = _behind(subject) or _disagreement(subject)
        if found is None and handedness(item.keypoints_3d) < 0.0:
            what = "the cuboid is mirrored: its corners make a left-handed frame"
            found = _Said(what, _REORDER, kind=FindingKind.ORDER)
        if found is not None:
            yield Finding(
                found.kind, path, found.what, found.certainty, found.fix, found.weight, number
            )


@dataclass(frozen=True, slots=True)
class _Said:
    what: str
    fix: str
    certainty: Certainty = Certainty.SURE
    kind: FindingKind = FindingKind.BOX
    weight: float = 0.0


def _behind(subject: _Subject) -> _Said | None:
    if subject.item.keypoints_3d[0, 2] < 0.0:
        return None
    return _Said(
        "its centre lies behind the camera (z of keypoints_3d is not below 0)",
        "give points in the OpenGL camera frame: z towards the viewer",
    )


def _disagreement(subject: _Subject) -> _Said | None:
    """The largest disagreement of one object with its most likely cause; None within 2 px."""
    item = subject.item
    rotation = rotation_of(item.quaternion_xyzw)
    box = _posed(item.scale, rotation, item.location)
    by_box, by_points, apart = subject.off(box), subject.off(item.keypoints_3d), subject.apart(box)
    worst = max(by_box, by_points)
    if worst <= TOLERANCE_PX and apart <= _TOLERANCE:
        return None
    said = f"{worst:.1f} px" if worst > TOLERANCE_PX else f"{apart:.2g} diagonals"
    for cause, fix, kind in _causes(subject, rotation, box):
        what = f"{cause}; as they stand, box and keypoints are {said} apart"
        return _Said(what, fix, kind=kind, weight=worst)
    sure = worst > _SURE_PX or worst <= TOLERANCE_PX
    which = "the box (scale, pose) lies" if by_box >= by_points else "keypoints_3d lie"
    return _Said(
        f"{which} {said} from the labelled keypoints",
        "make the label anew, or take the frame out",
        Certainty.SURE if sure else Certainty.LIKELY,
        weight=worst,
    )


_Cause = tuple[str, str, FindingKind]


def _causes(subject: _Subject, rotation: Array, box: Array) -> Iterator[_Cause]:
    yield from _of_units(subject, rotation)
    pixels, labelled = subject.pixels(box), subject.item.projected_cuboid
    if _fits(pixels, labelled):
        return  # only keypoints_3d are wrong, and not by a factor
    yield from _of_order(pixels, labelled)
    yield from _of_image(pixels, labelled, subject.sheet.width)
    yield from _of_convention(subject, rotation)


def _of_order(pixels: Array, labelled: Array) -> Iterator[_Cause]:
    """Corners in another order."""
    order = _order_that_fits(pixels, labelled)
    if order is not None:
        way = "mirrored" if order.mirrored else "in another order"
        yield f"the corners are {way} ({order.words})", _REORDER, FindingKind.ORDER


def _order_that_fits(pixels: Array, labelled: Array) -> CornerOrder | None:
    """The plainest order in which labelled keypoints are the pixels of a box."""
    lengths = np.linalg.norm(labelled[_ROWS] - pixels, axis=2)
    fits = np.nan_to_num(lengths).max(axis=1) <= TOLERANCE_PX
    return ORDERS[int(fits.argmax())] if fits.any() else None


def _of_image(pixels: Array, labelled: Array, width: int) -> Iterator[_Cause]:
    """Keypoints of another picture than the one that the camera made."""
    for edge in (width, width - 1):
        flipped = labelled * [-1, 1] + [edge, 0]
        if _fits(pixels, flipped) or _order_that_fits(pixels, flipped) is not None:
            fix = "flip neither image nor keypoints, or the pose with them"
            yield "the keypoints are those of the image flipped", fix, FindingKind.ORDER
    if _fits(pixels, labelled[:, ::-1]):
        yield "x and y of the keypoints are swapped", "write x before y", FindingKind.BOX
    known = np.isfinite(pixels).all(axis=1)
    ratio = float((labelled[known] * pixels[known]).sum() / max((pixels[known] ** 2).sum(), 1.0))
    if ratio > 0.0 and _fits(pixels, labelled / ratio):
        fix = "give pixels of the stored image"
        yield f"the keypoints are of an image {ratio:.3g} times as large", fix, FindingKind.BOX


def _of_units(subject: _Subject, rotation: Array) -> Iterator[_Cause]:
    """A length in another unit than the others."""
    item = subject.item
    for factor, words in _UNITS:
        for name, size, way in (
            ("scale is", factor, 1.0),
            ("location is", 1.0, factor),
            ("scale and location are", factor, factor),
        ):
            box = _posed(size * item.scale, rotation, way * item.location)
            if subject.off(box) <= TOLERANCE_PX and subject.apart(box) <= _TOLERANCE:
                yield f"{name} {words}", "give metres", FindingKind.UNITS
        box = _posed(item.scale, rotation, item.location)
        if subject.off(box) <= TOLERANCE_PX and subject.apart(box / factor) <= _TOLERANCE / factor:
            yield f"keypoints_3d are {words}", "give metres", FindingKind.UNITS


def _of_convention(subject: _Subject, rotation: Array) -> Iterator[_Cause]:
    """A size or a turn that was written in another convention."""
    item = subject.item
    tried = [
        (item.scale[list(edges)], rotation, "the edges of scale are in another order",
         "give the edges along x, y (up) and z")
        for edges in _EDGES
    ]  # fmt: skip
    first = rotation_of(np.roll(item.quaternion_xyzw, -1))
    tried += [
        (item.scale, first, "the quaternion has w first", "write x, y, z, w"),
        (item.scale, rotation.T, "the rotation is the inverse one",
         "give the rotation from the object's frame to the camera's"),
    ]  # fmt: skip
    for scale, turn, what, fix in tried:
        if subject.off(_posed(scale, turn, item.location)) <= TOLERANCE_PX:
            yield what, fix, FindingKind.BOX


def _posed(scale: Array, rotation: Array, location: Array) -> Array:
    """(9, 3) keypoints of a box in the camera's frame."""
    return box_keypoints(np.abs(scale)) @ rotation.T + location


def _fits(pixels: Array, labelled: Array) -> bool:
    return _largest(pixels - labelled) <= TOLERANCE_PX


def _largest(differences: Array) -> float:
    """The longest of the rows that are known; 0 where none is."""
    lengths = np.linalg.norm(differences, axis=1)
    known = lengths[np.isfinite(lengths)]
    return float(known.max()) if len(known) else 0.0
