"""One frame of any source, written in the training layout."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from automl.data.annotations import check_annotation
from automl.data.convert.choice import Counts, WantedObjects
from automl.data.convert.frames import BrokenFrame, FrameRef, Pixels, SourceBox, SourceFrame
from automl.data.geometry import GL_FROM_CV, Array, pose_matrix
from automl.data.imagefile import image_file
from automl.data.opencv import cv2, decoded
from automl.data.written import annotation_values, object_values

__all__ = ["FrameWriter"]

_KEPT: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp"})
_SYMMETRIC: Final[Mapping[int | None, str]] = {1: "False", 4: "True"}
"""Turns to the layout's word: it knows none and four; any other number is a setting."""


@dataclass(frozen=True, slots=True)
class FrameWriter:
    """Writes frames below one folder.

    Attributes:
        wanted: Which objects are kept.
        provenance: What the annotations say of where they come from.
        copies: Whether image files are copied even where a hard link would do.
    """

    wanted: WantedObjects
    provenance: str
    copies: bool = False

    def write(self, folder: Path, ref: FrameRef, frame: SourceFrame, counts: Counts) -> int:
        """Writes a frame if it shows an object that is kept; gives the number of objects.

        Args:
            folder: Of the split.
            ref: What the frame is called.
            frame: The frame.
            counts: What became of all objects so far.

        Raises:
            BrokenFrame: The image has another size than its labels, its name is taken, or training
                could not read what would be written.
            BrokenImage: The image cannot be read, or has an orientation.
            FixInput: One category is asked for, and the source has several kinds of objects.
            OSError: The files cannot be written.
        """
        image, size = _image_and_size(frame)
        if frame.size is not None and frame.size != size:
            rule = f"the image must have the size that its labels say, {_by(frame.size)}"
            raise BrokenFrame(rule, _by(size))
        stem = folder / ref.sequence / ref.name
        annotation = stem.parent / f"{stem.name}.json"
        if annotation.exists():
            raise BrokenFrame("each frame must have a name of its own", f"{annotation.name} twice")
        boxes = counts.select(self.wanted, frame, size)
        if not boxes:
            return 0
        stem.parent.mkdir(parents=True, exist_ok=True)
        _write_checked(annotation, self._values(frame, size, boxes))
        self._write_image(stem, image)
        counts.add(boxes)
        return len(boxes)

    def _values(
        self, frame: SourceFrame, size: tuple[int, int], boxes: list[tuple[str, SourceBox]]
    ) -> dict[str, Any]:
        view = np.eye(4) if frame.view is None else frame.view
        ground = _ground_of([box for _, box in boxes]) if frame.ground is None else frame.ground
        seen = frame.intrinsics, size
        turned = pose_matrix(GL_FROM_CV, np.zeros(3)) @ view
        values = annotation_values(frame.intrinsics, size, turned, ground @ GL_FROM_CV)
        for number, (category, box) in enumerate(boxes):
            words = {"class": category, "name": f"{category}_{number}"}
            words["provenance"] = self.provenance
            rotation, location = GL_FROM_CV @ box.rotation, GL_FROM_CV @ box.centre
            item = object_values(words, rotation, location, box.size, seen)
            if box.visibility is not None:
                item["visibility"] = box.visibility
            if box.turns in _SYMMETRIC:
                item["symmetric"] = _SYMMETRIC[box.turns]
            values["objects"].append(item)
        return values

    def _write_image(self, stem: Path, image: Path | Pixels) -> None:
        if not isinstance(image, Path):
            encoded, content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])
            if not encoded:
                raise OSError("OpenCV encodes no JPEG of a frame")
            (stem.parent / f"{stem.name}.jpg").write_bytes(content.tobytes())
            return
        suffix = image.suffix.lower()
        if suffix not in _KEPT:
            encoded, content = cv2.imencode(".png", decoded(image))
            (stem.parent / f"{stem.name}.png").write_bytes(content.tobytes())
            return
        _link(image, stem.parent / f"{stem.name}{suffix}", copies=self.copies)


def _write_checked(path: Path, values: dict[str, Any]) -> None:
    """Writes an annotation, and takes it back where training could not read it.

    Raises:
        BrokenFrame: It could not.
    """
    try:
        path.write_text(json.dumps(values, allow_nan=False))
    except ValueError:
        raise BrokenFrame("labels must be finite numbers", "a box that has no pixels") from None
    problems = check_annotation(path).problems
    if problems:
        path.unlink()
        raise BrokenFrame(problems[0].rule, problems[0].got)


def _image_and_size(frame: SourceFrame) -> tuple[Path | Pixels, tuple[int, int]]:
    """The image, and its width and height."""
    if not isinstance(frame.image, Path):
        return frame.image, (frame.image.shape[1], frame.image.shape[0])
    if frame.image.suffix.lower() in _KEPT:
        file = image_file(frame.image)
        file.require_upright()
        return frame.image, (file.width, file.height)
    pixels = decoded(frame.image)
    if pixels is None:
        raise BrokenFrame("an image must be one that OpenCV reads", frame.image.name)
    return frame.image, (pixels.shape[1], pixels.shape[0])


def _ground_of(boxes: list[SourceBox]) -> Array:
    """The ground (2, 3) where nobody says: the plane below the box that is seen best."""
    best = max(
        boxes, key=lambda box: (1.0 if box.visibility is None else box.visibility, -box.centre[2])
    )
    up = best.rotation[:, 1]
    return np.stack([best.centre - up * best.size[1] / 2, up])


def _link(image: Path, target: Path, *, copies: bool) -> None:
    """A hard link, or a copy where that is asked for or no link can be."""
    if not copies:
        try:
            os.link(image.resolve(), target)
        except OSError:
            pass
        else:
            return
    shutil.copyfile(image, target)


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"
