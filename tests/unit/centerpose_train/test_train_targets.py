"""Target maps: positions that come back, symmetry, what is left out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from automl.centerpose.augment import View, whole_view
from automl.centerpose.config.dataset import Dataset
from automl.centerpose.targets import draw_targets, gaussian_radius, objects_of, symmetry_rows
from automl.data.objectron import Annotation, list_frames, read_annotation


@pytest.fixture
def annotation(small_data: Path) -> Annotation:
    return read_annotation(list_frames(small_data / "train")[0].annotation)


def view_of(annotation: Annotation) -> View:
    return whole_view(annotation.width, annotation.height)


def test_centre_and_corners_come_back_to_a_fraction_of_a_pixel(annotation: Annotation) -> None:
    settings = Dataset()
    grid = view_of(annotation).to_square(settings.output_res)
    maps = draw_targets(objects_of(annotation, settings), grid, False, settings)
    wanted = annotation.objects[0].projected_cuboid[1:] @ grid[:, :2].T + grid[:, 2]
    cell = np.array(divmod(int(maps["ind"][0, 0].item()), 128))[::-1]
    np.testing.assert_allclose(maps["hps"][0, 0].reshape(8, 2) + cell, wanted, atol=1e-4)
    middle = (wanted.min(0) + wanted.max(0)) / 2
    np.testing.assert_allclose(maps["reg"][0, 0] + cell, middle, atol=1e-4)
    np.testing.assert_allclose(maps["wh"][0, 0], np.ptp(wanted, axis=0), atol=1e-4)
    corner = maps["hp_ind"][0, :8]
    found = np.stack([corner % 128, corner // 128], axis=1) + maps["hp_offset"][0, :8]
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_peaks_are_exactly_one_at_their_cells_and_nowhere_else(annotation: Annotation) -> None:
    settings = Dataset()
    grid = view_of(annotation).to_square(settings.output_res)
    maps = draw_targets(objects_of(annotation, settings), grid, False, settings)
    assert np.flatnonzero(maps["hm"][0, 0] == 1.0).tolist() == [maps["ind"][0, 0]]
    for j in range(8):
        assert np.flatnonzero(maps["hm_hp"][0, j] == 1.0).tolist() == [maps["hp_ind"][0, j]]
    assert maps["reg_mask"].sum() == 1


def test_sizes_are_relative_to_the_height_unless_absolute(annotation: Annotation) -> None:
    size = np.abs(annotation.objects[0].scale)
    np.testing.assert_allclose(objects_of(annotation, Dataset()).scale[0], size / size[1])
    absolute = objects_of(annotation, Dataset(use_absolute_scale=True))
    np.testing.assert_allclose(absolute.scale[0], size)


def test_center_3d_takes_the_projected_centre(annotation: Annotation) -> None:
    settings = Dataset(center_3d=True)
    grid = view_of(annotation).to_square(settings.output_res)
    maps = draw_targets(objects_of(annotation, settings), grid, False, settings)
    wanted = annotation.objects[0].projected_cuboid[0] @ grid[:, :2].T + grid[:, 2]
    cell = np.array(divmod(int(maps["ind"][0, 0].item()), 128))[::-1]
    np.testing.assert_allclose(maps["reg"][0, 0] + cell, wanted, atol=1e-4)


def test_a_mirrored_view_mirrors_the_maps_and_swaps_the_corners(annotation: Annotation) -> None:
    settings = Dataset()
    straight = view_of(annotation)
    center = np.array([annotation.width - 1 - straight.center[0], straight.center[1]])
    mirrored = View(center, straight.size, flipped=True, width=annotation.width)
    objects = objects_of(annotation, settings)
    one = draw_targets(objects, straight.to_square(128), False, settings)
    two = draw_targets(objects, mirrored.to_square(128), True, settings)
    for a, b in settings.flip_idx:
        x1 = one["hp_ind"][0, a - 1] % 128 + one["hp_offset"][0, a - 1, 0]
        x2 = two["hp_ind"][0, b - 1] % 128 + two["hp_offset"][0, b - 1, 0]
        # The mirror maps x to width - 1 - x before the centre is moved to the middle.
        assert x1 + x2 == pytest.approx(128.0, abs=1e-3)
        y1 = one["hp_ind"][0, a - 1] // 128 + one["hp_offset"][0, a - 1, 1]
        y2 = two["hp_ind"][0, b - 1] // 128 + two["hp_offset"][0, b - 1, 1]
        assert y1 == pytest.approx(y2, abs=1e-3)


def test_categories_and_objects_have_their_own_symmetry(annotation: Annotation) -> None:
    assert symmetry_rows(Dataset(category="chair", num_symmetry=7)) == 4
    assert symmetry_rows(Dataset(category="bottle")) == 12
    assert symmetry_rows(Dataset(category="shoe", num_symmetry=3)) == 3
    plain = replace(annotation.objects[0], symmetric=False)
    turning = replace(annotation.objects[0], symmetric=True)
    both = replace(annotation, objects=(plain, turning))
    objects = objects_of(both, Dataset(category="bottle"))
    assert objects.present.sum(axis=0).tolist() == [1, 4]


def test_half_a_turn_moves_each_corner_to_the_one_across(annotation: Annotation) -> None:
    objects = objects_of(annotation, Dataset(category="book", num_symmetry=2))
    # Half a turn about y negates x and z; corners are numbered by the signs of x, y, z.
    across = [5, 4, 7, 6, 1, 0, 3, 2]
    straight, turned = objects.points[0, 0, 1:], objects.points[1, 0, 1:]
    np.testing.assert_allclose(turned, straight[across], atol=0.05)
    np.testing.assert_allclose(straight, annotation.objects[0].projected_cuboid[1:], atol=0.05)


def test_objects_that_are_mostly_outside_are_not_learnt(annotation: Annotation) -> None:
    item = annotation.objects[0]
    far = replace(item, projected_cuboid=item.projected_cuboid + 900.0)
    objects = objects_of(replace(annotation, objects=(far, item)), Dataset())
    assert objects.present.tolist() == [[False, True]]


def test_objects_beyond_the_most_are_left_out(annotation: Annotation) -> None:
    many = replace(annotation, objects=annotation.objects * 3)
    assert objects_of(many, Dataset(max_objs=2)).present.shape == (1, 2)


def test_an_object_outside_the_view_leaves_empty_maps(annotation: Annotation) -> None:
    settings = Dataset()
    away = View(np.array([-5000.0, -5000.0]), 800.0, flipped=False, width=600)
    maps = draw_targets(objects_of(annotation, settings), away.to_square(128), False, settings)
    assert all(not value.any() for value in maps.values())


@pytest.mark.parametrize(
    ("height", "width", "radius"), [(40, 40, 10), (40, 20, 7), (20, 40, 7), (3, 5, 1), (1, 1, 0)]
)
def test_the_radius_follows_the_containers_rule(height: int, width: int, radius: int) -> None:
    assert gaussian_radius(height, width) == radius
