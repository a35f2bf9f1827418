"""The labels of a split, looked through for what is probably wrong."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from automl.data.layout import Frame
from automl.data.objectron import Annotation, read_annotation
from automl.data.suspects.boxes import check_boxes
from automl.data.suspects.finding import Finding
from automl.data.suspects.units import ObjectMeasure, check_units

__all__ = ["find_label_faults"]


def find_label_faults(frames: Sequence[Frame]) -> list[Finding]:
    """What is probably wrong with the labels of a split that training can read.

    Args:
        frames: Its images with their annotations.

    Raises:
        FixData: An annotation cannot be read.
    """
    found: list[Finding] = []
    measures: list[ObjectMeasure] = []
    for frame in frames:
        sheet = read_annotation(frame.annotation)
        found += check_boxes(frame.annotation, sheet)
        measures += _measures(frame.annotation, sheet)
    told = {(each.path, each.number) for each in found}
    return [
        *found,
        *(each for each in check_units(measures) if (each.path, each.number) not in told),
    ]


def _measures(path: Path, sheet: Annotation) -> list[ObjectMeasure]:
    return [
        ObjectMeasure(
            path,
            number,
            item.category,
            float(np.linalg.norm(item.scale)),
            float(np.linalg.norm(item.location)),
        )
        for number, item in enumerate(sheet.objects)
    ]
