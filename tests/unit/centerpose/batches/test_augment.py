"""Views of a whole epoch: their law, and where they put pixels."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.centerpose.batches.augment import Views, draw_epoch, draw_views
from automl.centerpose.config.dataset import Dataset
from tests.unit.centerpose.batches.slow_data import SlowView, slow_draw

SIZES = np.tile([600, 800], (600, 1))


def test_the_whole_view_puts_the_image_in_the_middle_of_the_square() -> None:
    affine = Views.whole(np.array([[600, 800]])).to_square(512).matrix(0)
    np.testing.assert_allclose(affine @ [300, 400, 1], [256, 256])
    np.testing.assert_allclose(affine @ [300, 0, 1], [256, 0])
    np.testing.assert_allclose(affine @ [0, 400, 1], [256 - 300 * 0.64, 256])


def test_views_come_from_the_declared_sets() -> None:
    views = draw_epoch(0, 0, SIZES, Dataset()).views
    assert set((views.size / 800).round(3)) == {0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3}
    assert 0.4 < views.flipped.mean() < 0.6
    x = np.where(views.flipped, 599 - views.center[:, 0], views.center[:, 0])
    assert 128 <= x.min() < 140
    assert 460 < x.max() < 472
    assert 128 <= views.center[:, 1].min() < 140
    assert 660 < views.center[:, 1].max() < 672
    assert not (views.center % 1).any()


def test_no_random_crop_leaves_only_the_mirror() -> None:
    views = draw_epoch(0, 0, SIZES, Dataset(not_rand_crop=True)).views
    assert set(views.size) == {800.0}
    assert set(map(tuple, views.center.tolist())) == {(300.0, 400.0), (299.0, 400.0)}


@given(st.integers(1, 1500), st.integers(1, 1500), st.integers(0, 2**32))
def test_any_size_has_the_views_of_the_slow_rule(width: int, height: int, seed: int) -> None:
    """The extreme random numbers give the extreme centres that the slow rule can give."""
    settings = Dataset(flip=0.0)
    ends = np.array([[0.0, 0.0, 0.0, 0.5], [1 - 1e-12, 1 - 1e-12, 1 - 1e-12, 0.5]])
    views = draw_views(ends, np.tile([width, height], (2, 1)), settings)
    slow = slow_draw(np.random.default_rng(seed), width, height, settings)
    assert views.center[0, 0] <= slow.x <= views.center[1, 0]
    assert views.center[0, 1] <= slow.y <= views.center[1, 1]
    assert views.size[0] <= slow.size <= views.size[1]
    assert views.center[0].min() >= 0
    assert (views.center[1] <= np.maximum(1, [width - 1, height - 1])).all()


def test_an_images_view_depends_on_no_other_image() -> None:
    many, few = draw_epoch(3, 1, SIZES, Dataset()), draw_epoch(3, 1, SIZES[:7], Dataset())
    np.testing.assert_array_equal(many.views.center[:7], few.views.center)
    np.testing.assert_array_equal(many.colours.matrix[:7], few.colours.matrix)
    np.testing.assert_array_equal(many.colours.offset[:7], few.colours.offset)


def test_colours_have_no_part_in_the_views() -> None:
    plain = draw_epoch(3, 1, SIZES, Dataset(no_color_aug=True))
    np.testing.assert_array_equal(
        plain.views.center, draw_epoch(3, 1, SIZES, Dataset()).views.center
    )
    assert len(np.unique(plain.colours.matrix, axis=0)) == 1


@pytest.mark.parametrize("flipped", [False, True])
def test_maps_are_those_of_a_mirror_and_a_zoom(flipped: bool) -> None:
    views = Views(np.array([[20.0, 30.0]]), np.array([50.0]), np.array([flipped]), np.array([60]))
    matrix = views.to_square(64).matrix(0)
    slow = SlowView(20.0, 30.0, 50.0, flipped, 60)
    for point in ([0.0, 0.0], [59.0, 11.5], [30.25, 80.0]):
        np.testing.assert_allclose(matrix @ [*point, 1.0], slow.place(np.array(point), 64))


def test_flipping_is_mirroring_first() -> None:
    image = np.random.default_rng(4).integers(0, 256, (80, 60, 3), dtype=np.uint8)
    both = np.array([False, True])
    views = Views(np.full((2, 2), (20.0, 30.0)), np.full(2, 50.0), both, np.full(2, 60))
    maps = views.to_square(64)
    mirrored = np.ascontiguousarray(image[:, ::-1])
    wanted = cv2.warpAffine(mirrored, maps.matrix(0), (64, 64))
    found = cv2.warpAffine(image, maps.matrix(1), (64, 64))
    assert np.abs(wanted.astype(int) - found).mean() < 1.0
