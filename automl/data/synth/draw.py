"""Drawing one frame: backdrop, shadows, bodies from far to near, and the sensor's noise.

Labels are in the pixels that OpenCV draws in: x = 3 is the centre of the fourth column.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from automl.data.geometry import Array
from automl.data.opencv import cv2
from automl.data.synth.backdrop import Backdrop
from automl.data.synth.bodies import FACES, Body, Camera, LabelledBox, Prism
from automl.data.synth.look import Look
from automl.data.synth.request import IMAGE_SIZE, Difficulty
from automl.data.synth.scene import Scene
from automl.data.synth.textures import Image, face_textures

__all__ = ["Artist"]

_AMBIENT: Final = 0.58
"""Share of its colour that a face turned away from the light keeps."""
_SHADOW: Final = 0.55
"""Darkest share of the ground's colour within a shadow."""
_SUBPIXEL_BITS: Final = 4
_NOISE_SPARE: Final = 64
"""Rows and columns by which the field of noise exceeds an image: each frame takes another part."""


class Artist:
    """Draws the frames of one data set.

    Args:
        rng: Draws the field of noise; whoever draws the same data set seeds it alike.
        hard: How hard the images are.
    """

    def __init__(self, rng: np.random.Generator, hard: Difficulty) -> None:
        self._textures = [face_textures(index) for index in range(hard.texture_sets)]
        width, height = IMAGE_SIZE
        shape = (height + _NOISE_SPARE, width + _NOISE_SPARE, 3)
        field = rng.standard_normal(shape, dtype=np.float32) * hard.noise
        self._noise = field.round().astype(np.int16)

    def draw(
        self, rng: np.random.Generator, scene: Scene, look: Look, backdrop: Backdrop
    ) -> Image:
        """(800, 600, 3): the image of a scene, blue, green, red."""
        camera = scene.camera
        image = backdrop.paint(rng, camera)
        bodies: list[Body] = [*scene.boxes, *scene.clutter]
        for body in bodies:
            _draw_shadow(image, camera, body, look.to_light)
        for body in sorted(bodies, key=lambda body: -body.nearness(camera)):
            if isinstance(body, LabelledBox):
                self._draw_box(image, camera, body, look)
            elif isinstance(body, Prism):
                _draw_prism(image, camera, body, look)
        return self._noisy(rng, image)

    def _draw_box(self, image: Image, camera: Camera, box: LabelledBox, look: Look) -> None:
        pixels = camera.pixels(box.vertices)
        for face in box.visible_faces(camera):
            texture = self._textures[box.texture_set][face]
            lit = cv2.convertScaleAbs(texture, alpha=_light(box.normal(face), look))
            corners = pixels[list(FACES[face])]
            _draw_face(image, lit, corners)
            edge = (lit[0, 0] * 0.6).tolist()
            cv2.polylines(image, [_fixed(corners)], True, edge, 1, cv2.LINE_AA, _SUBPIXEL_BITS)

    def _noisy(self, rng: np.random.Generator, image: Image) -> Image:
        top, left = rng.integers(0, _NOISE_SPARE, 2)
        height, width = image.shape[:2]
        field = self._noise[top : top + height, left : left + width]
        noisy: Image = cv2.add(image, field, dtype=cv2.CV_8U)
        return noisy


def _draw_face(image: Image, texture: Image, corners: Array) -> None:
    """Draws a texture onto the quadrangle of its four corners, which may leave the image."""
    height, width = image.shape[:2]
    low = np.clip(np.floor(corners.min(axis=0)) - 1, 0, (width, height)).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)) + 2, 0, (width, height)).astype(int)
    columns, rows = (high - low).tolist()
    if columns <= 0 or rows <= 0:
        return
    tall, wide = texture.shape[:2]
    printed = np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], dtype=np.float32) - 0.5
    inside = corners - low
    placed = cv2.getPerspectiveTransform(printed, inside.astype(np.float32))
    drawn = cv2.warpPerspective(texture, placed, (columns, rows), borderMode=cv2.BORDER_REPLICATE)
    mask = np.zeros((rows, columns), dtype=np.uint8)
    cv2.fillConvexPoly(mask, _fixed(inside), 255, cv2.LINE_8, _SUBPIXEL_BITS)
    cv2.copyTo(drawn, mask, image[low[1] : high[1], low[0] : high[0]])


def _draw_prism(image: Image, camera: Camera, prism: Prism, look: Look) -> None:
    pixels = camera.pixels(prism.vertices)
    middle = prism.vertices.mean(axis=0)
    for face in prism.faces():
        centre = prism.vertices[face].mean(axis=0)
        outward = (centre - middle) / np.linalg.norm(centre - middle)
        if (camera.position - centre) @ outward <= 0:
            continue
        colour = np.clip(prism.colour * _light(outward, look), 0, 255).tolist()
        cv2.fillConvexPoly(image, _fixed(pixels[face]), colour, cv2.LINE_AA, _SUBPIXEL_BITS)


def _draw_shadow(image: Image, camera: Camera, body: Body, to_light: Array) -> None:
    """Darkens the ground where the body keeps the light off it."""
    fall = body.vertices[:, 1:2] / to_light[1] * to_light
    on_ground = body.vertices - fall
    if camera.depths(on_ground).min() < 0.05:
        return
    outline = cv2.convexHull(camera.pixels(on_ground).astype(np.float32))[:, 0]
    height, width = image.shape[:2]
    low = np.clip(outline.min(axis=0) - 12, 0, (width, height)).astype(int)
    high = np.clip(outline.max(axis=0) + 12, 0, (width, height)).astype(int)
    columns, rows = (high - low).tolist()
    if columns <= 0 or rows <= 0:
        return
    shade = np.zeros((rows // 2 + 1, columns // 2 + 1), dtype=np.uint8)
    cv2.fillConvexPoly(shade, _fixed((outline - low) / 2), 255, cv2.LINE_AA, _SUBPIXEL_BITS)
    soft = cv2.resize(cv2.blur(shade, (7, 7)), (columns, rows))
    part = image[low[1] : high[1], low[0] : high[0]]
    kept = cv2.merge([255 - cv2.convertScaleAbs(soft, alpha=1 - _SHADOW)] * 3)
    cv2.multiply(part, kept, part, scale=1 / 255)


def _light(normal: Array, look: Look) -> float:
    """The factor on a face's colour."""
    direct = max(0.0, float(normal @ look.to_light))
    return look.brightness * (_AMBIENT + (1 - _AMBIENT) * direct)


def _fixed(points: Array) -> npt.NDArray[np.int32]:
    """(N, 2) int32: points in the fixed-point numbers that OpenCV draws with."""
    fixed: npt.NDArray[np.int32] = (points * (1 << _SUBPIXEL_BITS)).round().astype(np.int32)
    return fixed
