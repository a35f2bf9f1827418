"""Target maps: positions that come back, symmetry, what is left out, and the slow computation."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from automl.centerpose.batches.augment import Views, draw_epoch
from automl.centerpose.batches.objects import Objects, objects_of, symmetry_rows
from automl.centerpose.batches.targets import draw_targets, gaussian_radius
from automl.centerpose.config.dataset import Dataset
from automl.data.objectron import Annotation, list_frames, read_annotation
from automl.data.synth.make import synthesise
from automl.data.synth.request import MODERATE, SynthRequest
from tests.unit.centerpose.batches.slow_data import SlowView, slow_targets

Maps = dict[str, npt.NDArray[Any]]


@pytest.fixture
def annotation(small_data: Path) -> Annotation:
    return read_annotation(list_frames(small_data / "train")[0].annotation)


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> list[Annotation]:
    """Images of one to three objects, some cut off."""
    request = SynthRequest(train=0, val=12, seed=5, difficulty=MODERATE)
    folder = synthesise(request, tmp_path_factory.mktemp("crowded") / "data").folder
    return [read_annotation(frame.annotation) for frame in list_frames(folder / "val")]


def sizes_of(scenes: Sequence[Annotation]) -> npt.NDArray[np.int64]:
    return np.array([(scene.width, scene.height) for scene in scenes])


def draw(
    scenes: Sequence[Annotation], settings: Dataset, views: Views | None = None
) -> list[Maps]:
    """The maps of each scene, whole unless views are given."""
    views = views or Views.whole(sizes_of(scenes))
    objects = objects_of(scenes, settings)
    maps = draw_targets(objects, views.to_square(settings.output_res), views.flipped, settings)
    return [{name: value[i].numpy() for name, value in maps.items()} for i in range(len(scenes))]


def in_cells(annotation: Annotation, settings: Dataset) -> npt.NDArray[np.float64]:
    """(9, 2) the first object's points in the whole view."""
    grid = Views.whole(sizes_of([annotation])).to_square(settings.output_res)
    cells = annotation.objects[0].projected_cuboid * grid.zoom[0] + grid.shift[0]
    return np.asarray(cells)


@pytest.mark.parametrize(
    "settings",
    [
        Dataset(),
        Dataset(output_res=32, center_3d=True, use_absolute_scale=True, max_objs=2),
        Dataset(output_res=64, category="chair", flip=1.0),
        Dataset(output_res=32, num_symmetry=3, not_rand_crop=True, category="shoe"),
    ],
    ids=["default", "projected centres", "chair", "three turns"],
)
def test_a_batch_has_the_maps_of_the_slow_computation(
    crowded: list[Annotation], settings: Dataset
) -> None:
    views = draw_epoch(5, 0, sizes_of(crowded), settings).views
    for i, (scene, found) in enumerate(zip(crowded, draw(crowded, settings, views), strict=True)):
        x, y = views.center[i].tolist()
        view = SlowView(x, y, views.size[i], bool(views.flipped[i]), scene.width)
        wanted = slow_targets(scene, view, settings)
        assert set(found) == set(wanted)
        for name, value in wanted.items():
            assert found[name].dtype == value.dtype, name
            np.testing.assert_allclose(found[name], value, atol=2e-5, err_msg=name)
        for name in ("hm", "hm_hp"):
            np.testing.assert_array_equal(found[name] == 1.0, wanted[name] == 1.0)


def test_an_image_has_the_same_maps_in_any_batch(crowded: list[Annotation]) -> None:
    settings = Dataset(output_res=32)
    together = draw(crowded, settings)
    for scene, maps in zip(crowded, together, strict=True):
        (alone,) = draw([scene], settings)
        for name, value in maps.items():
            np.testing.assert_array_equal(alone[name], value)


def test_centre_and_corners_come_back_to_a_fraction_of_a_pixel(annotation: Annotation) -> None:
    (maps,) = draw([annotation], Dataset())
    wanted = in_cells(annotation, Dataset())[1:]
    cell = np.array(divmod(int(maps["ind"][0, 0].item()), 128))[::-1]
    np.testing.assert_allclose(maps["hps"][0, 0].reshape(8, 2) + cell, wanted, atol=1e-4)
    middle = (wanted.min(0) + wanted.max(0)) / 2
    np.testing.assert_allclose(maps["reg"][0, 0] + cell, middle, atol=1e-4)
    np.testing.assert_allclose(maps["wh"][0, 0], np.ptp(wanted, axis=0), atol=1e-4)
    corner = maps["hp_ind"][0, :8]
    found = np.stack([corner % 128, corner // 128], axis=1) + maps["hp_offset"][0, :8]
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_peaks_are_exactly_one_at_their_cells_and_nowhere_else(annotation: Annotation) -> None:
    (maps,) = draw([annotation], Dataset())
    assert np.flatnonzero(maps["hm"][0, 0] == 1.0).tolist() == [maps["ind"][0, 0]]
    for j in range(8):
        assert np.flatnonzero(maps["hm_hp"][0, j] == 1.0).tolist() == [maps["hp_ind"][0, j]]
    assert maps["reg_mask"].sum() == 1


def test_sizes_are_relative_to_the_height_unless_absolute(annotation: Annotation) -> None:
    size = np.abs(annotation.objects[0].scale)
    relative = objects_of([annotation], Dataset())
    np.testing.assert_allclose(relative.scale[0, 0], size / size[1])
    absolute = objects_of([annotation], Dataset(use_absolute_scale=True))
    np.testing.assert_allclose(absolute.scale[0, 0], size)


def test_center_3d_takes_the_projected_centre(annotation: Annotation) -> None:
    settings = Dataset(center_3d=True)
    (maps,) = draw([annotation], settings)
    cell = np.array(divmod(int(maps["ind"][0, 0].item()), 128))[::-1]
    np.testing.assert_allclose(
        maps["reg"][0, 0] + cell, in_cells(annotation, settings)[0], atol=1e-4
    )


def test_a_mirrored_view_mirrors_the_maps_and_swaps_the_corners(annotation: Annotation) -> None:
    settings = Dataset()
    straight = Views.whole(sizes_of([annotation]))
    center = np.column_stack([annotation.width - 1 - straight.center[:, 0], straight.center[:, 1]])
    mirrored = Views(center, straight.size, np.array([True]), straight.width)
    (one,), (two,) = draw([annotation], settings), draw([annotation], settings, mirrored)
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
    objects = objects_of([both], Dataset(category="bottle"))
    assert objects.present[0].sum(axis=0).tolist() == [1, 4]


def test_half_a_turn_moves_each_corner_to_the_one_across(annotation: Annotation) -> None:
    points = objects_of([annotation], Dataset(category="book", num_symmetry=2)).points[0]
    # Half a turn about y negates x and z; corners are numbered by the signs of x, y, z.
    across = [5, 4, 7, 6, 1, 0, 3, 2]
    straight, turned = points[0, 0, 1:], points[1, 0, 1:]
    np.testing.assert_allclose(turned, straight[across], atol=0.05)
    np.testing.assert_allclose(straight, annotation.objects[0].projected_cuboid[1:], atol=0.05)


def test_objects_that_are_mostly_outside_are_not_learnt(annotation: Annotation) -> None:
    item = annotation.objects[0]
    far = replace(item, projected_cuboid=item.projected_cuboid + 900.0)
    objects = objects_of([replace(annotation, objects=(far, item))], Dataset())
    assert objects.present.tolist() == [[[False, True]]]


def test_objects_beyond_the_most_are_left_out(annotation: Annotation) -> None:
    many = replace(annotation, objects=annotation.objects * 3)
    assert objects_of([many], Dataset(max_objs=2)).present.shape == (1, 1, 2)


def test_images_without_objects_and_objects_outside_leave_empty_maps(
    annotation: Annotation,
) -> None:
    nobody = replace(annotation, objects=())
    away = Views(
        np.array([[-5000.0, -5000.0]]), np.array([800.0]), np.array([False]), np.array([600])
    )
    for maps in (*draw([nobody], Dataset()), *draw([annotation], Dataset(), away)):
        assert not any(value.any() for value in maps.values())


def test_some_rows_of_the_objects_are_those_images(crowded: list[Annotation]) -> None:
    objects = objects_of(crowded, Dataset())
    some: Objects = objects[np.array([3, 1])]
    np.testing.assert_array_equal(some.points[1], objects.points[1])
    np.testing.assert_array_equal(some.present[0], objects.present[3])


def test_the_radius_follows_the_containers_rule() -> None:
    sizes = np.array([[40.0, 40.0], [20.0, 40.0], [39.2, 20.0], [5.0, 2.1], [1.0, 0.4]])
    assert gaussian_radius(sizes).tolist() == [10, 7, 7, 1, 0]
