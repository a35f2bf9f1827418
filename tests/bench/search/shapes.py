"""How a training gets to its score: curves of an objective and of a training loss."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Course", "Progress", "course"]

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Course:
    """What kind of course the trainings of a family take.

    Attributes:
        n_epochs: Epochs of a whole training.
        flat: Share of a good training in which the objective is 0; a poor one stays flat longer.
        milestones: Shares of the training after which the rate falls and the objective jumps.
        slow_winners: How much slower good settings start than poor ones; above 0 curves cross.
        loss_noise: How far the training loss of settings strays from what their score says, at the
            beginning; half as far at the end.
        wobble: Noise from epoch to epoch, as a share of the value; smaller after a milestone.
    """

    n_epochs: int = 27
    flat: float = 0.2
    milestones: tuple[float, ...] = (0.75,)
    slow_winners: float = 0.0
    loss_noise: float = 0.08
    wobble: float = 0.08


@dataclass(frozen=True, slots=True)
class Progress:
    """One training.

    Attributes:
        objective: By epoch, at least 0.
        loss: Training loss by epoch.
    """

    objective: Values
    loss: Values


def course(kind: Course, final: float, quality: float, scale: float, seed: int) -> Progress:
    """The course of one training.

    Args:
        kind: Of its family.
        final: The objective that it ends at, its noise included.
        quality: Its score without noise over the best there is, 0 to 1.
        scale: What its settings multiply the training loss by.
        seed: Of the noise that belongs to these settings.
    """
    rng = np.random.default_rng(seed)
    at = np.arange(1, kind.n_epochs + 1) / kind.n_epochs
    speed = float(np.exp(0.3 * rng.standard_normal() + kind.slow_winners * (0.5 - quality)))
    learnt = (1.0 - np.exp(-3.0 * speed * at)) / (1.0 - np.exp(-3.0 * speed))
    start = min(0.9, kind.flat * (2.2 - 1.6 * quality) / speed**0.5)
    rise = np.clip((at - start) / (1.0 - start), 0.0, 1.0)
    settled = _settled(kind, at)
    noise = kind.wobble * (1.0 - 0.9 * settled) * rng.standard_normal(kind.n_epochs)
    objective = np.maximum(0.0, final * learnt * rise**0.7 * (0.3 + 0.7 * settled) * (1.0 + noise))
    stray = kind.loss_noise * rng.standard_normal() * (1.0 - 0.5 * at)
    depth = 0.75 * np.clip(quality + stray, 0.02, 1.2)
    jitter = 1.0 + 0.01 * rng.standard_normal(kind.n_epochs)
    loss = 20.0 * scale * (1.0 - depth * learnt * (0.85 + 0.15 * settled)) * jitter
    return Progress(objective, loss)


def _settled(kind: Course, at: Values) -> Values:
    """0 before the first milestone, 1 at the end."""
    if not kind.milestones:
        return np.ones_like(at)
    steps = [
        np.where(at > where, 1.0 - np.exp(-12.0 * np.maximum(0.0, at - where)), 0.0)
        for where in kind.milestones
    ]
    total: Values = np.mean(steps, axis=0)
    share: Values = total / total[-1]
    return share
