"""Views cut from a flat store of images of several sizes, against OpenCV and the slow way."""

import cv2
import numpy as np
import pytest
import torch

from automl.centerpose.batches.augment import Views, draw_epoch
from automl.centerpose.batches.colour import chain, draw_noise
from automl.centerpose.batches.crops import Crops
from automl.centerpose.batches.images import PAD, DeviceImages
from automl.centerpose.batches.warp import crop_views, crop_with_opencv, recolour, show_views
from automl.centerpose.config.dataset import Dataset
from tests.unit.centerpose.batches.slow_data import SlowNoise, SlowView, slow_colour, slow_cut

SIZES = np.array([[60, 80], [33, 17], [1, 5], [64, 64]])


@pytest.fixture
def images() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.integers(0, 256, (h, w, 3), dtype=np.uint8) for w, h in SIZES]


def stored(images: list[np.ndarray]) -> DeviceImages:
    store = DeviceImages(SIZES, torch.device("cpu"))
    store.flat.fill_(255)  # what lies beyond an image must not be seen
    for index, image in enumerate(images):
        store.put(index, torch.from_numpy(image).view(-1, 3))
    return store


def cut(images: list[np.ndarray], views: Views, side: int) -> np.ndarray:
    store, maps = stored(images), views.to_square(side)
    cuts = Crops(
        torch.from_numpy(store.starts),
        torch.from_numpy(SIZES),
        torch.from_numpy(maps.zoom),
        torch.from_numpy(maps.shift),
    )
    return crop_views(store.flat, cuts, side).numpy()


@pytest.mark.parametrize("seed", range(5))
def test_views_are_bilinear_with_black_around(images: list[np.ndarray], seed: int) -> None:
    views = draw_epoch(seed, 0, SIZES, Dataset()).views
    found = cut(images, views, 32)
    for i, image in enumerate(images):
        x, y = views.center[i].tolist()
        view = SlowView(x, y, views.size[i], views.flipped[i], SIZES[i, 0])
        np.testing.assert_allclose(found[i], slow_cut(image, view, 32), atol=2e-3)


def test_views_are_those_of_opencv_within_its_rounding(images: list[np.ndarray]) -> None:
    smooth = [cv2.GaussianBlur(image, (0, 0), 2.0) for image in images]
    views = draw_epoch(3, 0, SIZES, Dataset()).views
    found, maps = cut(smooth, views, 48), views.to_square(48)
    for i, image in enumerate(smooth):
        wanted = cv2.warpAffine(image, maps.matrix(i), (48, 48))
        # OpenCV rounds positions to 1/32 pixel; only at the border is a pixel's step large.
        assert np.abs(found[i] - wanted).mean() < 1.0
        assert np.abs(found[i] - wanted).max() <= 0.5 + 2 * 255 / 64


def test_a_view_of_a_pixel_each_is_the_image(images: list[np.ndarray]) -> None:
    views = Views.whole(SIZES)
    same = Views(np.full((4, 2), 32.0), np.full(4, 64.0), views.flipped, views.width)
    np.testing.assert_array_equal(cut(images, same, 64)[3], images[3])


def test_images_that_are_far_away_are_black(images: list[np.ndarray]) -> None:
    views = Views(np.full((4, 2), 1e6), np.full(4, 9.0), np.zeros(4, bool), SIZES[:, 0])
    assert not cut(images, views, 16).any()


def test_colours_are_those_of_the_slow_chain() -> None:
    rng, settings = np.random.default_rng(2), Dataset()
    noise = draw_noise(rng.random((4, 4)), rng.standard_normal((4, 3)), settings)
    colours = chain(settings, noise)
    views = rng.uniform(0, 255, (4, 8, 8, 3)).astype(np.float32)
    parts = (colours.matrix, colours.offset, colours.contrast)
    found = recolour(torch.from_numpy(views), *(torch.from_numpy(x).float() for x in parts))
    for i in range(4):
        slow = SlowNoise(noise.order[i].tolist(), noise.factors[i], noise.lighting[i])
        np.testing.assert_allclose(found[i], slow_colour(views[i], slow, settings), atol=1e-4)


def test_opencv_makes_the_same_input(images: list[np.ndarray]) -> None:
    rng, settings = np.random.default_rng(2), Dataset()
    noise = draw_noise(rng.random((4, 4)), rng.standard_normal((4, 3)), settings)
    maps, colours = Views.whole(SIZES).to_square(64), chain(settings, noise)
    image = images[3]
    batch = np.full((2, 64, 64, 3), np.nan, np.float32)
    found = batch[1]
    crop_with_opencv(image, maps.matrix(3), colours, 3, found)  # a view of a pixel each
    assert np.isnan(batch[0]).all()
    slow = SlowNoise(noise.order[3].tolist(), noise.factors[3], noise.lighting[3])
    np.testing.assert_allclose(found, slow_colour(image, slow, settings), atol=1e-4)


def test_a_store_knows_what_it_holds() -> None:
    store = DeviceImages(SIZES, torch.device("cpu"))
    assert store.missing([3, 1]) == [3, 1]
    store.put(1, torch.full((33 * 17, 3), 7, dtype=torch.uint8))
    assert store.missing([3, 1]) == [3]
    assert store.starts[0] == PAD
    assert int((store.flat == 7).all(1).sum()) == 33 * 17


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("side", [48, 64])
def test_a_gpu_shows_the_same_views_in_the_same_colours(
    images: list[np.ndarray], side: int
) -> None:
    store, maps = stored(images), draw_epoch(4, 0, SIZES, Dataset()).views.to_square(side)
    parts = (store.starts, SIZES, maps.zoom, maps.shift)
    crops = Crops(*(torch.from_numpy(part) for part in parts))
    rng = np.random.default_rng(5)
    shapes = (len(SIZES), 3, 3), (len(SIZES), 3), (len(SIZES), 3)
    one, two, three = (torch.from_numpy(rng.normal(size=shape)).float() for shape in shapes)
    wanted = recolour(crop_views(store.flat, crops, side), one, two, three)
    there = Crops(*(torch.from_numpy(part).cuda() for part in parts))
    found = show_views(store.flat.cuda(), there, (one.cuda(), two.cuda(), three.cuda()), side)
    torch.testing.assert_close(found.cpu(), wanted, rtol=1e-4, atol=1e-2)
