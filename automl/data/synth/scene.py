"""Drawing scenes at random: where the camera, the boxes and the clutter of one frame stand.

Looks and scenes are drawn from a generator that the caller seeds, so the order of the draws is
part of the format: change it, and the renderer's look has another number.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from automl.data.geometry import Array, rotation_about_y
from automl.data.synth.bodies import Body, Camera, LabelledBox, Prism
from automl.data.synth.look import Look, colour, uniform
from automl.data.synth.request import IMAGE_SIZE, Difficulty, Span
from automl.data.synth.visibility import visibilities
from automl.errors import FixInput

__all__ = ["Scene", "draw_scene"]

_TRIES: Final = 200
_LEAST_VISIBLE: Final = 0.3
_MOST_HIDDEN: Final = 0.96
"""Share of an object that is seen at most when something shall stand before it."""
_MARGIN_PX: Final = 6


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One frame.

    Attributes:
        camera: Where it is seen from.
        boxes: The labelled objects.
        visible: Share of each that can be seen, in [0, 1].
        clutter: Bodies without a label.
    """

    camera: Camera
    boxes: tuple[LabelledBox, ...]
    visible: tuple[float, ...]
    clutter: tuple[Prism, ...]


def draw_scene(rng: np.random.Generator, look: Look, hard: Difficulty) -> Scene:
    """One frame of a sequence.

    Raises:
        FixInput: The difficulty leaves no place where the first object can be seen.
    """
    cut = bool(rng.random() < hard.truncation)
    hidden = bool(rng.random() < hard.occlusion)
    for attempt in range(_TRIES):
        if attempt == _TRIES // 2:
            cut = hidden = False
        scene = _Composer(rng, look, hard).compose(cut=cut, hidden=hidden)
        if scene is not None:
            return scene
    raise FixInput(
        "a difficulty must leave room for an object that can be seen",
        got=f"none in {_TRIES} tries",
        fix="let the camera stand further away, or the object nearer to the middle",
    )


class _Composer:
    """Draws the parts of one scene; the first object stands at the world's origin."""

    def __init__(self, rng: np.random.Generator, look: Look, hard: Difficulty) -> None:
        self.rng = rng
        self.look = look
        self.hard = hard
        self.diagonal = float(np.linalg.norm(look.scale))
        self.heading = float(rng.uniform(0, 2 * np.pi))

    def compose(self, *, cut: bool, hidden: bool) -> Scene | None:
        """A scene, or None if the first object would not be seen as asked."""
        first = self._box((0.0, 0.0), self.look.texture_set)
        camera = self._camera(first, cut=cut)
        if _is_whole(camera, first) == cut or not _is_centred(camera, first):
            return None
        boxes = [first, *self._further_boxes(first, camera)]
        clutter = list(self._clutter(boxes, camera, hidden=hidden))
        visible = visibilities(camera, boxes, clutter)
        if visible[0] < _LEAST_VISIBLE or (hidden and visible[0] > _MOST_HIDDEN):
            return None
        return Scene(camera, tuple(boxes), visible, tuple(clutter))

    def _camera(self, first: LabelledBox, *, cut: bool) -> Camera:
        elevation = np.radians(uniform(self.rng, self.hard.elevation_deg))
        distance = uniform(self.rng, self.hard.distance) * self.diagonal
        direction = self._outward(0.0) * np.cos(elevation) + (0, np.sin(elevation), 0)
        roll = np.radians(uniform(self.rng, self.hard.roll_deg))
        rotation = _turn_to(self._aim(cut=cut)) @ _roll(roll) @ _look_along(-direction)
        position = first.middle + distance * direction
        return Camera(self.look.intrinsics, IMAGE_SIZE, rotation, position)

    def _aim(self, *, cut: bool) -> Array:
        """(3,): the ray, in the OpenCV camera frame, on which the first object's centre lies."""
        off = self.hard.off_centre * self.rng.uniform(-1, 1, 2)
        if cut:
            axis = int(self.rng.integers(2))
            off[axis] = self.rng.choice([-1, 1]) * self.rng.uniform(0.6, 0.98)
        camera = self.look.intrinsics
        pixel = (1 + off) * IMAGE_SIZE / 2
        return np.array(
            [(pixel[0] - camera.cx) / camera.fx, (pixel[1] - camera.cy) / camera.fy, 1]
        )

    def _box(self, place: tuple[float, float], texture_set: int) -> LabelledBox:
        yaw = self.heading + np.radians(uniform(self.rng, self.hard.yaw_deg))
        return LabelledBox(self.look.scale, place, float(yaw), texture_set)

    def _further_boxes(self, first: LabelledBox, camera: Camera) -> Iterator[LabelledBox]:
        wanted = _whole_number(self.rng, self.hard.objects) - 1
        placed: list[LabelledBox] = [first]
        for _ in range(12 * wanted):
            if len(placed) > wanted:
                return
            angle, far = self.rng.uniform(0, 2 * np.pi), self.rng.uniform(0.5, 2.2)
            texture_set = int(self.rng.integers(self.hard.texture_sets))
            box = self._box(self._place(angle, far), texture_set)
            cut = bool(self.rng.random() < self.hard.truncation)
            seen = _is_centred(camera, box) and (cut or _is_whole(camera, box))
            if seen and all(box.clears(other) for other in placed):
                placed.append(box)
                yield box

    def _clutter(
        self, boxes: list[LabelledBox], camera: Camera, *, hidden: bool
    ) -> Iterator[Prism]:
        placed: list[Body] = list(boxes)
        wanted = [False] * _whole_number(self.rng, self.hard.clutter) + [True] * hidden
        for before in wanted:
            for _ in range(6):
                prism = self._occluder(boxes[0]) if before else self._bystander()
                far_enough = camera.depths(prism.vertices).min() > 0.3 * self.diagonal
                if far_enough and all(prism.clears(other) for other in placed):
                    placed.append(prism)
                    yield prism
                    break

    def _bystander(self) -> Prism:
        """A body on the far side of the first object, where it can hide nothing but others."""
        angle = np.pi + self.rng.uniform(-1.4, 1.4)
        place = self._place(angle, self.rng.uniform(0.5, 3.0))
        return self._prism(place, self.rng.uniform(0.08, 0.3), self.rng.uniform(0.15, 0.9))

    def _occluder(self, first: LabelledBox) -> Prism:
        """A body on the camera's side of the first object, in front of a part of it."""
        radius = self.rng.uniform(0.08, 0.2)
        gap = first.radius / self.diagonal + radius + self.rng.uniform(0.02, 0.15)
        place = self._place(self.rng.uniform(-0.5, 0.5), gap)
        return self._prism(place, radius, self.rng.uniform(0.35, 0.8))

    def _prism(self, place: tuple[float, float], radius: float, height: float) -> Prism:
        sides = int(self.rng.choice([3, 4, 4, 6, 16, 16]))
        paint = colour(self.rng, Span(0.1, 0.9), Span(60, 240))
        return Prism(place, radius * self.diagonal, height * self.diagonal, sides, paint)

    def _place(self, angle: float, far: float) -> tuple[float, float]:
        """A place on the ground, x and z; at angle 0 it lies towards the camera."""
        x, _, z = far * self.diagonal * self._outward(angle)
        return float(x), float(z)

    def _outward(self, angle: float) -> Array:
        """(3,): the level unit vector at an angle from the direction towards the camera."""
        turned: Array = rotation_about_y(self.heading + angle)[:, 2]
        return turned


def _is_whole(camera: Camera, box: LabelledBox) -> bool:
    """Whether every corner lies inside the image, off its border."""
    pixels = camera.pixels(box.vertices)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    return bool((low >= _MARGIN_PX).all() and (high <= np.array(IMAGE_SIZE) - _MARGIN_PX).all())


def _is_centred(camera: Camera, box: LabelledBox) -> bool:
    """Whether the box stands before the camera and its centre lies inside the image."""
    if camera.depths(box.vertices).min() < 0.3 * float(np.linalg.norm(box.scale)):
        return False
    centre = camera.pixels(box.middle[None])[0]
    return bool((centre > 0).all() and (centre < IMAGE_SIZE).all())


def _look_along(direction: Array) -> Array:
    """(3, 3): from the world to the OpenCV frame of a level camera that looks along a vector."""
    right = np.cross(direction, (0.0, 1.0, 0.0))
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(direction, right), direction])


def _roll(angle: float) -> Array:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def _turn_to(ray: Array) -> Array:
    """(3, 3): a rotation that takes the z axis to a ray, first about x, then about y."""
    x, y, z = ray / np.linalg.norm(ray)
    pitch = -np.arcsin(y)
    cos, sin = np.cos(pitch), np.sin(pitch)
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, cos, -sin], [0.0, sin, cos]])
    turn: Array = rotation_about_y(float(np.arctan2(x, z))) @ about_x
    return turn


def _whole_number(rng: np.random.Generator, span: Span) -> int:
    return int(rng.integers(int(span.low), int(span.high) + 1))
