"""Poses with the least squared error in the image, by Levenberg-Marquardt, many at a time.

Each problem keeps its own damping and its own end. The schedule is that of OpenCV's iterative
solver: the damping starts at 1e-3 of the diagonal, falls tenfold with a step that does not raise
the error and rises tenfold with one that does; it ends after twenty accepted steps, or with one
that changes the pose by less than 1.2e-7 of it.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from automl.centerpose.evaluation.pnp_start import Correspondences
from automl.centerpose.evaluation.rotations import left_jacobian, rotation_of

__all__ = ["refine"]

_STEPS: Final = 20
_TRIALS: Final = 60  # of which a problem may waste some on steps that it takes back
_LOOK_EVERY: Final = 4  # trials between two looks at whether all have ended: each look waits
_CHANGE: Final = 1.1920929e-07
_FIRST, _LEAST, _MOST = -3, -16, 16  # powers of ten of the damping


@dataclass(slots=True)
class _State:
    """N searches.

    Attributes:
        pose: (N, 6) rotation vector and translation, the last accepted.
        error: (N,) its summed squared error, pixels squared.
        normal: (N, 6, 6) product of the derivatives with themselves.
        slope: (N, 6) product of the derivatives with the errors.
        damping: (N,) power of ten.
        steps: (N,) accepted steps.
        ended: (N,) whether the search has ended.
    """

    pose: Tensor
    error: Tensor
    normal: Tensor
    slope: Tensor
    damping: Tensor
    steps: Tensor
    ended: Tensor

    def take(self, rows: Tensor) -> "_State":
        """Some of the searches."""
        return _State(
            self.pose[rows],
            self.error[rows],
            self.normal[rows],
            self.slope[rows],
            self.damping[rows],
            self.steps[rows],
            self.ended[rows],
        )


def refine(pairs: Correspondences, turn: Tensor, translation: Tensor) -> tuple[Tensor, Tensor]:
    """The poses at the error's minimum next to a start.

    Args:
        pairs: N pairs.
        turn: (N, 3) rotation vectors to start from.
        translation: (N, 3) translations to start from.

    Returns:
        (N, 3) rotation vectors and (N, 3) translations.
    """
    pose = torch.cat([turn, translation], dim=1)
    rows = torch.arange(len(pose), device=pose.device)
    state = _begun(pairs, pose)
    for trial in range(_TRIALS):
        if trial % _LOOK_EVERY == 0:
            going = (~state.ended).nonzero()[:, 0]
            if len(going) <= len(rows) // 2:
                # Most end early: the few that are slow do not keep all the others busy.
                pose = pose.index_copy(0, rows, state.pose)
                rows, state, pairs = rows[going], state.take(going), pairs.take(going)
            if not len(rows):
                break
        _advance(state, pairs)
    pose = pose.index_copy(0, rows, state.pose)
    return pose[:, :3], pose[:, 3:]


def _begun(pairs: Correspondences, pose: Tensor) -> _State:
    error, normal, slope = _linearised(pairs, pose)
    count = torch.zeros(len(pose), dtype=torch.long, device=pose.device)
    damping = torch.full_like(error, _FIRST)
    return _State(pose, error, normal, slope, damping, count, ~pose.isfinite().all(dim=1))


def _advance(state: _State, pairs: Correspondences) -> None:
    """One trial step of every search that has not ended."""
    diagonal = torch.diag_embed(state.normal.diagonal(dim1=1, dim2=2))
    damped = state.normal + diagonal * (10.0**state.damping)[:, None, None]
    change = torch.linalg.solve_ex(damped, state.slope).result
    change = torch.where(change.isfinite().all(dim=1, keepdim=True), change, 0.0)
    pose = state.pose - change
    error, normal, slope = _linearised(pairs, pose)
    worse = (error > state.error) & (state.damping < _MOST)
    accepted = ~state.ended & ~worse
    still = change.norm(dim=1) < _CHANGE * state.pose.norm(dim=1)
    damping = torch.where(worse, state.damping + 1, (state.damping - 1).clamp(min=_LEAST))
    state.damping = torch.where(state.ended, state.damping, damping)
    state.steps = state.steps + accepted
    state.pose = torch.where(accepted[:, None], pose, state.pose)
    state.error = torch.where(accepted, error, state.error)
    state.normal = torch.where(accepted[:, None, None], normal, state.normal)
    state.slope = torch.where(accepted[:, None], slope, state.slope)
    state.ended = state.ended | (accepted & (still | (state.steps >= _STEPS)))


def _linearised(pairs: Correspondences, pose: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Summed squared errors (N,) of poses, and the normal equations (N, 6, 6) and (N, 6)."""
    turned = pairs.solid @ rotation_of(pose[:, :3]).transpose(1, 2)  # (N, P, 3)
    x, y, depth = (turned + pose[:, None, 3:]).unbind(2)
    inverse = torch.where(depth != 0.0, 1.0 / depth, 1.0)
    place = torch.stack([x * inverse, y * inverse], dim=2)  # (N, P, 2)
    scale = (pairs.focal[:, None] * pairs.weight[:, :, None]).transpose(1, 2)  # (N, 2, P)
    errors = (place - pairs.plane).transpose(1, 2) * scale
    # Derivatives by the point: (inverse, 0, -u) and (0, inverse, -v), times the focal lengths.
    nothing = torch.zeros_like(inverse)
    by_u = torch.stack([inverse, nothing, -place[:, :, 0] * inverse], dim=2)
    by_v = torch.stack([nothing, inverse, -place[:, :, 1] * inverse], dim=2)
    by_point = torch.stack([by_u, by_v], dim=1) * scale[..., None]  # (N, 2, P, 3)
    by_turn = torch.linalg.cross(turned[:, None].expand_as(by_point), by_point)
    by_turn = by_turn @ left_jacobian(pose[:, :3])[:, None]
    rates = torch.cat([by_turn, by_point], dim=3).flatten(1, 2)  # (N, 2P, 6)
    slope = (rates * errors.flatten(1)[:, :, None]).sum(dim=1)
    return errors.square().sum(dim=(1, 2)), rates.transpose(1, 2) @ rates, slope
