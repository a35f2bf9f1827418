"""Views and colours, against plain step-by-step computations."""

import cv2
import numpy as np
import pytest

from automl.centerpose.augment import (
    ColourNoise,
    View,
    draw_colour,
    draw_view,
    normalising,
    whole_view,
)
from automl.centerpose.config.dataset import Dataset


def test_the_whole_view_puts_the_image_in_the_middle_of_the_square() -> None:
    affine = whole_view(600, 800).to_square(512)
    np.testing.assert_allclose(affine @ [300, 400, 1], [256, 256])
    np.testing.assert_allclose(affine @ [300, 0, 1], [256, 0])
    np.testing.assert_allclose(affine @ [0, 400, 1], [256 - 300 * 0.64, 256])


def test_views_come_from_the_declared_sets() -> None:
    rng = np.random.default_rng(0)
    views = [draw_view(rng, 600, 800, Dataset()) for _ in range(600)]
    scales = {round(view.size / 800, 3) for view in views}
    assert scales == {0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3}
    assert 0.4 < np.mean([view.flipped for view in views]) < 0.6
    x = [599 - v.center[0] if v.flipped else v.center[0] for v in views]
    assert 128 <= min(x) < 140
    assert 460 < max(x) < 472
    y = [view.center[1] for view in views]
    assert 128 <= min(y) < 140
    assert 660 < max(y) < 672


def test_no_random_crop_leaves_only_the_mirror() -> None:
    rng = np.random.default_rng(0)
    views = [draw_view(rng, 600, 800, Dataset(not_rand_crop=True)) for _ in range(50)]
    assert {view.size for view in views} == {800.0}
    assert {tuple(view.center) for view in views} == {(300.0, 400.0), (299.0, 400.0)}


def test_a_narrow_image_still_has_a_view() -> None:
    view = draw_view(np.random.default_rng(1), 1, 900, Dataset(flip=0.0))
    assert 0 <= view.center[0] <= 1


def test_flipping_is_mirroring_first() -> None:
    image = np.random.default_rng(4).integers(0, 256, (80, 60, 3), dtype=np.uint8)
    straight = View(np.array([20.0, 30.0]), 50.0, flipped=False, width=60)
    flipped = View(np.array([20.0, 30.0]), 50.0, flipped=True, width=60)
    mirrored = np.ascontiguousarray(image[:, ::-1])
    wanted = cv2.warpAffine(mirrored, straight.to_square(64), (64, 64))
    found = cv2.warpAffine(image, flipped.to_square(64), (64, 64))
    assert np.abs(wanted.astype(int) - found).mean() < 1.0


def slow_colour(image: np.ndarray, noise: ColourNoise, settings: Dataset) -> np.ndarray:
    x = image / 255.0
    gray = x @ np.array([0.114, 0.587, 0.299])
    mean = gray.mean()
    for kind in noise.order:
        factor = noise.factors[kind]
        x = x * factor
        if kind == 1:
            x = x + mean * (1 - factor)
        if kind == 2:
            x = x + gray[..., None] * (1 - factor)
    x = x + noise.lighting
    return np.asarray((x - np.array(settings.mean)) / np.array(settings.std))


@pytest.mark.parametrize("seed", range(6))
def test_one_matrix_stands_for_the_whole_colour_chain(seed: int) -> None:
    rng = np.random.default_rng(seed)
    settings = Dataset()
    image = rng.integers(0, 256, (7, 5, 3), dtype=np.uint8)
    noise = draw_colour(rng, settings)
    matrix = normalising(settings, noise, image.reshape(-1, 3).mean(0))
    found = image @ matrix[:, :3].T.astype(np.float64) + matrix[:, 3]
    np.testing.assert_allclose(found, slow_colour(image, noise, settings), atol=1e-4)


def test_without_noise_colours_are_only_normalised() -> None:
    settings = Dataset()
    matrix = normalising(settings, None, (0, 0, 0))
    white = matrix @ np.array([255.0, 255.0, 255.0, 1.0])
    np.testing.assert_allclose(white, (1 - np.array(settings.mean)) / settings.std, rtol=1e-5)
