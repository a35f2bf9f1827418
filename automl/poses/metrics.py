"""The field's metrics of poses, each a statistic over the images of one evaluation.

Sources:

* Everingham et al., "The PASCAL Visual Object Classes Challenge", IJCV 2010: average precision.
* Ahmadyan et al., "Objectron", CVPR 2021: average precision of 3D IoU and of azimuth.
* Hinterstoisser et al., "Model based training, detection and pose estimation", ACCV 2012: ADD,
  the mean distance of equal points; ADD-S (there ADI), of each point to the nearest one.
* Xiang et al., "PoseCNN", RSS 2018: the area under the curve of accuracy over the threshold.
* Hodan et al., "BOP Challenge 2020", ECCV Workshops 2020: MSSD, MSPD, their thresholds and
  average recall.
* Yang and Ramanan, "Articulated human detection with flexible mixtures of parts", TPAMI 2013: PCK.

There is no mesh of an object, so points are those of its box: centre and corners for ADD, as in
Objectron's evaluation, and the corners for MSSD, MSPD and PCK. An object that was not found has an
error above every threshold.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from automl.poses.absolute import distance_error, location_error
from automl.poses.known_size import KnownSize
from automl.poses.sample import Sample, Statistic

__all__ = ["DIAMETER_SHARE", "METRICS", "PCK_SHARE", "Metric", "iou_curve", "metrics_by"]

_Numbers = npt.NDArray[np.float64]

DIAMETER_SHARE: Final = 0.1
"""Of an object's diameter: the last threshold of ADD and ADD-S."""
PCK_SHARE: Final = 0.1
"""Of the longer side of an object's 2D box: how far off a keypoint may be."""
_SWEEP: Final = np.linspace(0.0, 1.0, 21)
_BOP_SHARES: Final = np.linspace(0.05, 0.5, 10)
_BOP_PIXELS: Final = np.linspace(5.0, 50.0, 10)
_BOP_WIDTH: Final = 640.0  # pixel thresholds are those of an image of this width


@dataclass(frozen=True, slots=True)
class Metric:
    """One number about an evaluation.

    Attributes:
        name: Key in results.
        title: What a report calls it.
        statistic: What is computed of an evaluation.
        said: What it is, in a few words.
        larger_is_better: Which way is better.
        reported_as: What trainers report it as, after ``val_`` or ``test_``; empty if they do not.
    """

    name: str
    title: str
    statistic: Callable[[Sample], Statistic]
    said: str
    larger_is_better: bool = True
    reported_as: str = ""


def iou_curve(sample: Sample) -> list[tuple[float, Statistic]]:
    """Average precision of 3D IoU at 21 thresholds from 0 to 1."""
    overlaps = sample.detections.numbers("iou_3d")
    return [(float(t), sample.precision(overlaps >= t - 1e-12)) for t in _SWEEP]


def _ap_iou(threshold: float) -> Callable[[Sample], Statistic]:
    return lambda sample: sample.precision(sample.detections.numbers("iou_3d") >= threshold)


def _ap_azimuth(limit_deg: float) -> Callable[[Sample], Statistic]:
    return lambda sample: sample.precision(
        sample.detections.numbers("azimuth_error_deg") <= limit_deg
    )


def _area_below(column: str) -> Callable[[Sample], Statistic]:
    """The area under accuracy over thresholds from 0 to a share of the diameter, of 1.

    An object of error e adds ``1 - e / limit`` to it, and nothing where e exceeds the limit.
    """

    def statistic(sample: Sample) -> Statistic:
        limit = DIAMETER_SHARE * sample.targets.numbers("diameter_m")
        left = 1.0 - sample.targets.numbers(column) / limit
        return sample.over_targets(np.maximum(left, 0.0))

    return statistic


def _recall(errors: _Numbers, limits: _Numbers) -> _Numbers:
    """(M,) share of the (M, T) thresholds that each error lies below, as in BOP's toolkit."""
    return np.asarray((errors[:, None] < limits).mean(axis=1))


def _mssd(sample: Sample) -> Statistic:
    limits = sample.targets.numbers("diameter_m")[:, None] * _BOP_SHARES
    return sample.over_targets(_recall(sample.targets.numbers("mssd_m"), limits))


def _mspd(sample: Sample) -> Statistic:
    limits = sample.targets.numbers("width")[:, None] / _BOP_WIDTH * _BOP_PIXELS
    return sample.over_targets(_recall(sample.targets.numbers("mspd_px"), limits))


def _pck(sample: Sample) -> Statistic:
    limit = PCK_SHARE * sample.targets.numbers("box_px")
    near = sample.targets.numbers("corner_errors_px") <= limit[:, None]
    return sample.over_targets(near.mean(axis=1))


def _mpe(sample: Sample) -> Statistic:
    return sample.over_found(sample.detections.numbers("error_2d"))


def _in_metres(known: KnownSize | None) -> tuple[Metric, ...]:
    """How far off poses are once a length is known: what somebody who grasps wants to know."""
    said = "height" if known is None or known.edges is None else "size"
    return (
        Metric(
            "distance_known", f"Distance error, {said} known", distance_error(known),
            "share of the distance", larger_is_better=False,
        ),
        Metric(
            "location_known_m", f"Metres off, {said} known", location_error(known),
            "mean, of the centre", larger_is_better=False,
        ),
    )  # fmt: skip


METRICS: Final = (
    Metric("ap_iou_25", "AP at 3D IoU 0.25", _ap_iou(0.25), "boxes that overlap by a quarter"),
    Metric("ap_iou_50", "AP at 3D IoU 0.50", _ap_iou(0.5), "by half: 3DIoU", reported_as="3DIoU"),
    Metric("ap_iou_75", "AP at 3D IoU 0.75", _ap_iou(0.75), "by three quarters"),
    *(
        Metric(f"ap_azimuth_{t}", f"AP at azimuth {t}°", _ap_azimuth(float(t)), "side seen")
        for t in (5, 10, 15, 30)
    ),
    Metric("add_auc", "ADD, AUC to 10 % of diameter", _area_below("add_m"), "point to point"),
    Metric(
        "add_s_auc", "ADD-S, AUC to 10 % of diameter", _area_below("add_s_m"), "to the nearest"
    ),
    Metric("mssd_ar", "MSSD, average recall", _mssd, "farthest corner, metres (BOP)"),
    Metric("mspd_ar", "MSPD, average recall", _mspd, "farthest corner, pixels (BOP)"),
    Metric("pck_10", "PCK at 10 % of the 2D box", _pck, "keypoints near enough"),
    Metric("mpe_2d", "2D MPE, image sides", _mpe, "mean error of corners: 2DMPE", False, "2DMPE"),
    *_in_metres(None),
)
"""What is reported of every evaluation, in that order."""


def metrics_by(known: KnownSize | None) -> tuple[Metric, ...]:
    """The same metrics, those in metres by what is taken to be known of the object's size.

    Args:
        known: That; None for each object's own height, as annotated.
    """
    by_name = {metric.name: metric for metric in (*METRICS, *_in_metres(known))}
    return tuple(by_name.values())
