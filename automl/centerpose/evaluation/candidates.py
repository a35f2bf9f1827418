"""How near a network's best candidate comes to each object, whatever score it has.

Average precision is 0 until detections pass both a score threshold and half an overlap: for the
first third of a training it says nothing. What is measured here moves from the first epoch on. A
candidate is any peak that was decoded; each object is compared with the one whose corners lie
nearest to its own in the image. No pose is solved: the overlap in 3D of these candidates says
less, and later (``studies/reference/curves``).
"""

import torch
from torch import Tensor

from automl.centerpose.evaluation import measures
from automl.centerpose.evaluation.detections import Detections
from automl.centerpose.evaluation.truths import Truths
from automl.data.geometry import Array

__all__ = ["candidate_accuracy", "candidate_errors"]


def candidate_errors(detections: Detections, truths: Truths, steps: int) -> Tensor:
    """How far the corners of the nearest candidate are from each object's.

    The error is the mean over the eight corners of the distance between predicted and projected
    pixels, in units of the diagonal of the object's own 2D box; the least of the turns that
    symmetry allows. Nothing here waits for the device.

    Args:
        detections: (B, K) candidates in pixels; one with a score of 0 is none.
        truths: The objects of the B images.
        steps: Turns about the up axis under which an object looks the same.

    Returns:
        (B, M) errors of the objects that are present; infinity where there is no candidate.
    """
    n, most = truths.present.shape
    projection, size = (
        each.repeat_interleave(most, dim=0) for each in (truths.projection, truths.size)
    )
    points = truths.keypoints_3d.flatten(0, 1)
    turned = measures.turned_projections(points, projection, size, steps)
    turned = turned[:, :, 1:].view(steps, n, most, 8, 2)
    diagonal = (turned[0].amax(dim=2) - turned[0].amin(dim=2)).norm(dim=2)
    candidate = detections.scores > 0.0
    errors = []
    for item in range(most):  # one after the other, for the sake of memory
        least = torch.full_like(diagonal[:, item], torch.inf)
        for corners in turned[:, :, item]:
            apart = (detections.points - corners[:, None]).norm(dim=3).mean(dim=2)  # (B, K)
            apart = torch.where(candidate & apart.isfinite(), apart, torch.inf)
            least = torch.minimum(least, apart.amin(dim=1))
        errors.append(least / diagonal[:, item])
    return torch.stack(errors, dim=1).nan_to_num(nan=torch.inf, posinf=torch.inf)


def candidate_accuracy(detections: Detections, truths: Truths, steps: int) -> list[Array]:
    """1 minus the error of ``candidate_errors``, at least 0; waits for the device.

    Args:
        detections: (B, K) candidates in pixels.
        truths: The objects of the B images.
        steps: Turns about the up axis under which an object looks the same.

    Returns:
        For each image an (M,) array over its objects.
    """
    table = (1.0 - candidate_errors(detections, truths, steps)).clamp(min=0.0).cpu().numpy()
    return [row[:n] for row, n in zip(table, truths.n_objects, strict=True)]
