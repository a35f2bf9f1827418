"""The camera and the bodies of a scene.

The world is in metres, y up, the ground at y = 0. Every body is convex and stands on the ground
inside a circle that no other body's circle touches, which is what makes it enough to draw them in
the order of :meth:`Body.nearness`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from automl.data.geometry import (
    GL_FROM_CV,
    Array,
    Intrinsics,
    apply,
    box_keypoints,
    pose_matrix,
    project,
    projection_of,
    rotation_about_y,
)

__all__ = ["FACES", "Body", "Camera", "LabelledBox", "Prism"]

FACES: Final[dict[str, tuple[int, int, int, int]]] = {
    "front": (3, 7, 5, 1),
    "back": (6, 2, 0, 4),
    "right": (6, 7, 5, 4),
    "left": (2, 3, 1, 0),
    "top": (2, 6, 7, 3),
}
"""Corner indices from 0 of each face, in the order of its texture's corners: upper left, upper
right, lower right, lower left. The front is +z and right is +x; a bottom is never seen. Both sides
run from back to front, so that the box is its own mirror image about the plane x = 0."""


@dataclass(frozen=True, eq=False)
class Camera:
    """A pinhole camera in the world.

    Attributes:
        intrinsics: In pixels.
        size: Width and height of the image in pixels.
        rotation: (3, 3) from the world to the OpenCV camera frame.
        position: (3,) in the world.
    """

    intrinsics: Intrinsics
    size: tuple[int, int]
    rotation: Array
    position: Array

    @cached_property
    def view(self) -> Array:
        """(4, 4): world to OpenGL camera."""
        rotation: Array = GL_FROM_CV @ self.rotation
        return pose_matrix(rotation, -rotation @ self.position)

    @cached_property
    def projection(self) -> Array:
        """(4, 4): the OpenGL projection matrix."""
        return projection_of(self.intrinsics, self.size)

    def pixels(self, points: Array) -> Array:
        """(N, 2): pixels of (N, 3) points of the world that lie before the camera."""
        return project(apply(self.view, points), self.projection, *self.size)

    def depths(self, points: Array) -> Array:
        """(N,): distances along the line of sight; negative behind the camera."""
        depths: Array = (points - self.position) @ self.rotation[2]
        return depths


class Body:
    """A convex body that stands on the ground.

    Attributes:
        vertices: (N, 3) in the world.
        centre: (3,) of its circle on the ground.
        radius: Of that circle, in metres.
    """

    def __init__(self, vertices: Array, centre: Array, radius: float) -> None:
        self.vertices = vertices
        self.centre = centre
        self.radius = radius

    def clears(self, other: "Body") -> bool:
        """Whether the two circles on the ground stay apart."""
        gap = np.hypot(*(self.centre - other.centre)[[0, 2]])
        return bool(gap > 1.02 * (self.radius + other.radius))

    def nearness(self, camera: Camera) -> float:
        """A number that grows with distance; of two bodies the larger one never hides the other.

        It is the power of the camera's foot with respect to the body's circle. Two circles that
        stay apart are separated by their radical line, and each side of it has the lower power
        for its own circle.
        """
        offset = (camera.position - self.centre)[[0, 2]]
        return float(offset @ offset - self.radius**2)


class LabelledBox(Body):
    """A textured box.

    Attributes:
        scale: (3,) edge lengths in metres.
        rotation: (3, 3) from the box to the world.
        texture_set: Index of its colour scheme.
    """

    def __init__(
        self, scale: Array, place: tuple[float, float], yaw_rad: float, texture_set: int
    ) -> None:
        self.scale = scale
        self.rotation = rotation_about_y(yaw_rad)
        self.texture_set = texture_set
        self.middle = np.array([place[0], scale[1] / 2, place[1]])
        super().__init__(
            vertices=box_keypoints(scale)[1:] @ self.rotation.T + self.middle,
            centre=self.middle * (1, 0, 1),
            radius=float(np.hypot(scale[0], scale[2]) / 2),
        )

    def visible_faces(self, camera: Camera) -> list[str]:
        """Names of the faces whose outer side the camera sees."""
        seen = []
        for name, corners in FACES.items():
            face = self.vertices[list(corners)].mean(axis=0)
            if (camera.position - face) @ self.normal(name) > 0:
                seen.append(name)
        return seen

    def normal(self, face: str) -> Array:
        """(3,): the outward unit normal of a face, in the world."""
        outward = self.vertices[list(FACES[face])].mean(axis=0) - self.middle
        unit: Array = outward / np.linalg.norm(outward)
        return unit


class Prism(Body):
    """An upright prism with a regular base, of one colour: clutter that nobody labels.

    Attributes:
        sides: Number of corners of the base; sixteen look round.
        colour: (3,) blue, green, red in 0 to 255.
    """

    def __init__(
        self, place: tuple[float, float], radius: float, height: float, sides: int, colour: Array
    ) -> None:
        self.sides = sides
        self.colour = colour
        angles = 2 * np.pi * (np.arange(sides) / sides + radius)
        ring = np.stack(
            [place[0] + radius * np.sin(angles), 0 * angles, place[1] + radius * np.cos(angles)],
            axis=1,
        )
        super().__init__(
            vertices=np.concatenate([ring, ring + np.array([0.0, height, 0.0])]),
            centre=np.array([place[0], 0.0, place[1]]),
            radius=radius,
        )

    def faces(self) -> list[list[int]]:
        """Vertex indices of each upright face, then of the top."""
        n = self.sides
        around = [[i, (i + 1) % n, (i + 1) % n + n, i + n] for i in range(n)]
        return [*around, list(range(n, 2 * n))]
