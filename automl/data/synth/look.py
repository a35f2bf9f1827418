"""What the frames of one sequence share: camera, box, colours, background and light."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from automl.data.geometry import Array, Intrinsics
from automl.data.synth.request import IMAGE_SIZE, Span, SynthRequest
from automl.data.synth.shapes import size_of

__all__ = ["Look", "colour", "draw_look", "uniform"]

_FOCAL_PX: Final = Span(640, 685)
"""Focal lengths of phones, at the size of the stored image."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What the frames of one sequence share.

    Attributes:
        intrinsics: Of the camera.
        scale: (3,) edge lengths of the boxes in metres.
        texture_set: Colour scheme of the first box.
        background: Kind of ground and backdrop.
        palette: (6, 3) colours of ground and backdrop: blue, green, red in 0 to 255.
        to_light: (3,) unit vector towards the light, in the world.
        brightness: Factor on all light.
    """

    intrinsics: Intrinsics
    scale: Array
    texture_set: int
    background: str
    palette: Array
    to_light: Array
    brightness: float


def draw_look(rng: np.random.Generator, request: SynthRequest) -> Look:
    """The look of one sequence."""
    hard = request.difficulty
    width, height = IMAGE_SIZE
    focal = uniform(rng, _FOCAL_PX)
    centre = rng.uniform(-6, 6, 2)
    intrinsics = Intrinsics(focal, focal, width / 2 + centre[0], height / 2 + centre[1])
    change = 1 + hard.size_variation * rng.uniform(-1, 1, 3)
    azimuth, elevation = rng.uniform(0, 2 * np.pi), rng.uniform(0.6, 1.3)
    flat = np.cos(elevation)
    return Look(
        intrinsics=intrinsics,
        scale=np.array(size_of(request.category)) * change,
        texture_set=int(rng.integers(hard.texture_sets)),
        background=hard.backgrounds[int(rng.integers(len(hard.backgrounds)))],
        palette=_palette(rng),
        to_light=np.array([flat * np.sin(azimuth), np.sin(elevation), flat * np.cos(azimuth)]),
        brightness=uniform(rng, hard.light),
    )


def _palette(rng: np.random.Generator) -> Array:
    """(6, 3): three muted colours of the ground, then three of the backdrop."""
    ground = colour(rng, Span(0.0, 0.35), Span(70, 215))
    backdrop = colour(rng, Span(0.0, 0.35), Span(70, 215))
    shifts = rng.uniform(-22, 22, (6, 1)) + rng.uniform(-8, 8, (6, 3))
    palette: Array = np.clip(np.stack([ground] * 3 + [backdrop] * 3) + shifts, 0, 255)
    return palette


def colour(rng: np.random.Generator, saturation: Span, value: Span) -> Array:
    """(3,): blue, green, red in 0 to 255, of a random hue."""
    hue = rng.uniform(0, 3) + np.arange(3)
    wave = np.clip(np.abs((hue % 3) - 1.5) * 2 - 0.5, 0, 1)
    strength = uniform(rng, saturation)
    mixed: Array = uniform(rng, value) * (1 - strength * wave)
    return mixed


def uniform(rng: np.random.Generator, span: Span) -> float:
    """A number of the interval, all alike."""
    return float(rng.uniform(span.low, span.high))
