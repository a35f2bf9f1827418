"""The annotated objects of many images as tensors of one shape."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from automl.centerpose.evaluation.detections import GroundTruth
from automl.data.geometry import Array

__all__ = ["Truths"]


@dataclass(frozen=True, slots=True, eq=False)
class Truths:
    """The objects of B images, padded to the M of the image that has most.

    Attributes:
        size: (B, 2) image width and height, pixels.
        projection: (B, 4, 4) GL projection matrices.
        plane_center: (B, 3) a point of the ground plane.
        plane_normal: (B, 3) its normal.
        projected: (B, M, 9, 2) pixels of centre and corners.
        keypoints_3d: (B, M, 9, 3) centre and corners, metres.
        scale: (B, M, 3) size along x, y (up) and z, metres.
        visibility: (B, M) visible share of the object, 0 to 1.
        present: (B, M) whether there is such an object.
        n_objects: How many each image has.
    """

    size: Tensor
    projection: Tensor
    plane_center: Tensor
    plane_normal: Tensor
    projected: Tensor
    keypoints_3d: Tensor
    scale: Tensor
    visibility: Tensor
    present: Tensor
    n_objects: tuple[int, ...]

    @classmethod
    def of(cls, images: Sequence[GroundTruth], device: torch.device) -> "Truths":
        """The objects of images, at least one, on a device."""
        counts = np.array([len(truth) for truth in images])
        present = np.arange(max(1, counts.max())) < counts[:, None]

        def stacked(rows: Sequence[Array]) -> Tensor:
            return torch.as_tensor(np.stack(rows), device=device)

        def padded(parts: Sequence[Array]) -> Tensor:
            flat = np.concatenate(parts)
            values = np.zeros((*present.shape, *flat.shape[1:]))
            values[present] = flat
            return torch.as_tensor(values, device=device)

        return cls(
            size=stacked([truth.size for truth in images]),
            projection=stacked([truth.projection for truth in images]),
            plane_center=stacked([truth.plane_center for truth in images]),
            plane_normal=stacked([truth.plane_normal for truth in images]),
            projected=padded([truth.projected for truth in images]),
            keypoints_3d=padded([truth.keypoints_3d for truth in images]),
            scale=padded([truth.scale for truth in images]),
            visibility=padded([truth.visibility for truth in images]),
            present=torch.as_tensor(present, device=device),
            n_objects=tuple(counts.tolist()),
        )
