"""Colours, against the plain step-by-step computation."""

import numpy as np
import pytest

from automl.centerpose.batches.colour import chain, draw_noise, plain
from automl.centerpose.config.dataset import Dataset
from tests.unit.centerpose.batches.slow_data import SlowNoise, slow_colour

SETTINGS = Dataset()


@pytest.mark.parametrize("seed", range(3))
def test_one_matrix_stands_for_the_whole_colour_chain(seed: int) -> None:
    rng = np.random.default_rng(seed)
    noise = draw_noise(rng.random((8, 4)), rng.standard_normal((8, 3)), SETTINGS)
    colours = chain(SETTINGS, noise)
    assert len({tuple(order) for order in noise.order.tolist()}) > 2
    for row in range(8):
        image = rng.integers(0, 256, (7, 5, 3), dtype=np.uint8)
        matrix = colours.affine(row, image.reshape(-1, 3).mean(0)).astype(np.float64)
        found = image @ matrix[:, :3].T + matrix[:, 3]
        slow = SlowNoise(noise.order[row].tolist(), noise.factors[row], noise.lighting[row])
        np.testing.assert_allclose(found, slow_colour(image, slow, SETTINGS), atol=1e-4)


def test_without_noise_colours_are_only_normalised() -> None:
    white = plain(SETTINGS, 1).affine(0, (9.0, 9.0, 9.0)) @ np.array([255.0, 255.0, 255.0, 1.0])
    wanted = (1 - np.array(SETTINGS.mean)) / SETTINGS.std
    np.testing.assert_allclose(white, wanted, rtol=1e-5)
    assert not plain(SETTINGS, 3).contrast.any()


def test_the_noise_follows_its_law() -> None:
    rng = np.random.default_rng(0)
    noise = draw_noise(rng.random((6000, 4)), rng.standard_normal((6000, 3)), SETTINGS)
    orders, counts = np.unique(noise.order, axis=0, return_counts=True)
    assert len(orders) == 6
    assert (abs(counts - 1000) < 5 * np.sqrt(1000)).all()
    assert 0.6 <= noise.factors.min() < 0.601
    assert 1.399 < noise.factors.max() <= 1.4
    spread = np.array(SETTINGS.eig_vec) * 0.1 * SETTINGS.eig_val  # (3, 3)
    np.testing.assert_allclose(
        np.cov(noise.lighting.T), spread @ spread.T, atol=3e-2 * (spread**2).sum()
    )
