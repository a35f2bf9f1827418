"""The data path one number at a time, from the description of the format: slow, and only that."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from automl.centerpose.config.dataset import Dataset
from automl.data.geometry import box_keypoints, rotation_about_y, rotation_of
from automl.data.objectron import Annotation, PoseObject

__all__ = ["SlowView", "slow_colour", "slow_cut", "slow_draw", "slow_noise", "slow_targets"]

Floats = npt.NDArray[np.float64]
ROWS = {"chair": 4, "bottle": 12}


@dataclass(frozen=True)
class SlowView:
    """A square around (x, y) of the image, which is mirrored first if ``flipped``."""

    x: float
    y: float
    size: float
    flipped: bool
    width: int

    def place(self, point: Floats, side: int) -> Floats:
        """Where a pixel of the stored image lies in a square of ``side``."""
        x, y = point
        if self.flipped:
            x = self.width - 1 - x
        zoom = side / self.size
        return np.array([(x - self.x) * zoom + side / 2, (y - self.y) * zoom + side / 2])

    def source(self, column: int, row: int, side: int) -> tuple[float, float]:
        """The pixel of the stored image that lies at a place of the square."""
        zoom = side / self.size
        x, y = (column - side / 2) / zoom + self.x, (row - side / 2) / zoom + self.y
        return (self.width - 1 - x if self.flipped else x), y


def slow_draw(rng: np.random.Generator, width: int, height: int, settings: Dataset) -> SlowView:
    """A random view, by the rules of the format."""
    x, y, size = width / 2, height / 2, float(max(width, height))
    if not settings.not_rand_crop:
        size *= [0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3][rng.integers(8)]
        x, y = _centre(rng, width), _centre(rng, height)
    flipped = bool(rng.random() < settings.flip)
    return SlowView(width - 1 - x if flipped else x, y, size, flipped, width)


def _centre(rng: np.random.Generator, extent: int) -> int:
    border = 128
    while extent - border <= border and border > 1:
        border //= 2
    return int(rng.integers(border, max(border + 1, extent - border)))


def slow_cut(image: npt.NDArray[np.uint8], view: SlowView, side: int) -> Floats:
    """(side, side, 3): bilinear, with black around the image."""
    height, width, _ = image.shape
    padded = np.zeros((height + 2, width + 2, 3))
    padded[1:-1, 1:-1] = image
    cut = np.zeros((side, side, 3))
    for row in range(side):
        for column in range(side):
            x, y = view.source(column, row, side)
            if -1 < x < width and -1 < y < height:
                i, j = math.floor(y), math.floor(x)
                b, a = y - i, x - j
                near = padded[i + 1 : i + 3, j + 1 : j + 3]
                upper = (1 - a) * near[0, 0] + a * near[0, 1]
                lower = (1 - a) * near[1, 0] + a * near[1, 1]
                cut[row, column] = (1 - b) * upper + b * lower
    return cut


@dataclass(frozen=True)
class SlowNoise:
    order: list[int]
    factors: Floats
    lighting: Floats


def slow_noise(rng: np.random.Generator, settings: Dataset) -> SlowNoise:
    """Random colours, by the rules of the format."""
    strength = rng.normal(0, 0.1, 3)
    lighting = np.array(settings.eig_vec) @ (strength * np.array(settings.eig_val))
    return SlowNoise(rng.permutation(3).tolist(), rng.uniform(0.6, 1.4, 3), lighting)


def slow_colour(cut: npt.NDArray[Any], noise: SlowNoise | None, settings: Dataset) -> Floats:
    """(side, side, 3): the network's input from pixels of 0 to 255, step by step."""
    x = cut / 255.0
    if noise is not None:
        gray = x @ np.array([0.114, 0.587, 0.299])
        other: list[Any] = [0.0, gray.mean(), gray[..., None]]
        for kind in noise.order:
            x = noise.factors[kind] * x + (1 - noise.factors[kind]) * other[kind]
        x = x + noise.lighting
    return np.asarray((x - np.array(settings.mean)) / np.array(settings.std))


def slow_targets(scene: Annotation, view: SlowView, settings: Dataset) -> dict[str, Any]:
    """All target maps of one view of an image, object by object and cell by cell."""
    rows = ROWS.get(settings.category, settings.num_symmetry)
    n, cells = settings.max_objs, settings.output_res
    maps: dict[str, Any] = {
        "hm": np.zeros((rows, 1, cells, cells), np.float32),
        "hm_hp": np.zeros((rows, 8, cells, cells), np.float32),
        "ind": np.zeros((rows, n), np.int64),
        "reg": np.zeros((rows, n, 2), np.float32),
        "wh": np.zeros((rows, n, 2), np.float32),
        "scale": np.zeros((rows, n, 3), np.float32),
        "reg_mask": np.zeros((rows, n), np.uint8),
        "hps": np.zeros((rows, n, 16), np.float32),
        "hps_mask": np.zeros((rows, n, 16), np.uint8),
        "hp_ind": np.zeros((rows, 8 * n), np.int64),
        "hp_offset": np.zeros((rows, 8 * n, 2), np.float32),
        "hp_mask": np.zeros((rows, 8 * n), np.uint8),
    }
    for k, item in enumerate(scene.objects[:n]):
        own = rows if item.symmetric is None else min(rows, 4 if item.symmetric else 1)
        for row in range(own):
            points = _pixels(scene, item, row, own)
            _draw(maps, (row, k), (points, _scale(item, settings)), scene, view, settings)
    return maps


def _pixels(scene: Annotation, item: PoseObject, row: int, rows: int) -> Floats:
    """(9, 2) pixels of an object after ``row`` of ``rows`` equal turns about its own y axis."""
    if rows == 1:
        return item.projected_cuboid
    turn = rotation_of(item.quaternion_xyzw) @ rotation_about_y(2 * math.pi * row / rows)
    pixels = np.zeros((9, 2))
    for j, corner in enumerate(box_keypoints(item.scale)):
        clip = scene.projection @ np.append(turn @ corner + item.location, 1.0)
        pixels[j, 0] = (clip[1] / clip[3] + 1) / 2 * scene.width
        pixels[j, 1] = (clip[0] / clip[3] + 1) / 2 * scene.height
    return pixels


def _scale(item: PoseObject, settings: Dataset) -> Floats:
    size = np.abs(item.scale)
    return size if settings.use_absolute_scale else size / size[1]


def _draw(
    maps: dict[str, Any],
    place: tuple[int, int],
    item: tuple[Floats, Floats],
    scene: Annotation,
    view: SlowView,
    settings: Dataset,
) -> None:
    (row, k), (points, scale) = place, item
    cells = settings.output_res
    seen = [0 <= x < scene.width and 0 <= y < scene.height for x, y in points]
    if not seen[0] and sum(2 if each else 1 for each in seen[1:]) <= 12:
        return
    placed = [view.place(point, cells) for point in points]
    names = list(range(9))
    if view.flipped:
        for one, other in settings.flip_idx:
            names[one], names[other] = other, one
    placed, seen = [placed[name] for name in names], [seen[name] for name in names]
    corners = np.array(placed[1:])
    low, high = corners.min(0).clip(0, cells - 1), corners.max(0).clip(0, cells - 1)
    width, height = high - low
    centre = placed[0] if settings.center_3d else (low + high) / 2
    if width <= 0 or height <= 0 or not _within(centre, cells):
        return
    cell = centre.astype(int)
    radius = _radius(math.ceil(height), math.ceil(width))
    _raise(maps["hm"][row, 0], cell, radius)
    maps["ind"][row, k] = cell[1] * cells + cell[0]
    maps["reg"][row, k] = centre - cell
    maps["wh"][row, k] = width, height
    maps["scale"][row, k] = scale
    maps["reg_mask"][row, k] = 1
    for j, corner in enumerate(corners):
        maps["hps"][row, k, 2 * j : 2 * j + 2] = corner - cell
        if seen[1 + j] and _within(corner, cells):
            maps["hps_mask"][row, k, 2 * j : 2 * j + 2] = 1
            own = corner.astype(int)
            _raise(maps["hm_hp"][row, j], own, radius)
            maps["hp_ind"][row, 8 * k + j] = own[1] * cells + own[0]
            maps["hp_offset"][row, 8 * k + j] = corner - own
            maps["hp_mask"][row, 8 * k + j] = 1


def _within(point: Floats, cells: int) -> bool:
    return bool(0 <= point[0] < cells and 0 <= point[1] < cells)


def _radius(h: int, w: int) -> int:
    o = 0.7
    b: float = h + w
    c = h * w * (1 - o) / (1 + o)
    first = (b + math.sqrt(b * b - 4 * c)) / 2
    b, c = 2 * (h + w), (1 - o) * h * w
    second = (b + math.sqrt(b * b - 16 * c)) / 2
    b, c = -2 * o * (h + w), (o - 1) * h * w
    third = (b + math.sqrt(b * b - 16 * o * c)) / 2
    return max(0, int(min(first, second, third)))


def _raise(heatmap: npt.NDArray[np.float32], cell: npt.NDArray[np.int64], radius: int) -> None:
    cells, sigma = len(heatmap), (2 * radius + 1) / 6
    for y in range(max(0, cell[1] - radius), min(cells, cell[1] + radius + 1)):
        for x in range(max(0, cell[0] - radius), min(cells, cell[0] + radius + 1)):
            square = (x - cell[0]) ** 2 + (y - cell[1]) ** 2
            heatmap[y, x] = max(heatmap[y, x], math.exp(-square / (2 * sigma * sigma)))
