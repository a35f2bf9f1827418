import numpy as np
import pytest
import torch

from automl.centerpose.evaluation.decode import decode, to_pixels
from automl.centerpose.evaluation.detections import Detections
from automl.centerpose.evaluation.suppress import detect

SIDE = 16


def empty_maps(batch: int = 1, side: int = SIDE) -> dict[str, torch.Tensor]:
    channels = {"hm": 1, "hps": 16, "wh": 2, "reg": 2, "scale": 3, "hm_hp": 8, "hp_offset": 2}
    maps = {name: torch.zeros(batch, count, side, side) for name, count in channels.items()}
    maps["hm"] -= 6.0
    return maps


def detections(boxes: list[list[float]], scores: list[float]) -> Detections:
    """Of one image."""
    count = len(scores)
    return Detections(
        scores=torch.tensor([scores], dtype=torch.float64),
        boxes=torch.tensor(boxes, dtype=torch.float64).view(1, count, 4),
        centers=torch.zeros(1, count, 2, dtype=torch.float64),
        points=torch.arange(count * 16.0, dtype=torch.float64).view(1, count, 8, 2),
        scale=torch.ones(1, count, 3, dtype=torch.float64),
    )


def images_of(found: Detections) -> list[Detections]:
    """The detections of each image of a batch."""
    return [found.take(torch.tensor(i)) for i in range(len(found))]


def left_by(found: Detections, threshold: float) -> Detections:
    return detect(found, threshold).detections


def test_everything_is_read_at_the_peak() -> None:
    maps = empty_maps()
    row, column = 5, 9
    maps["hm"][0, 0, row, column] = 2.0
    maps["reg"][0, :, row, column] = torch.tensor([0.25, 0.75])
    maps["wh"][0, :, row, column] = torch.tensor([4.0, 6.0])
    maps["scale"][0, :, row, column] = torch.tensor([0.5, 1.0, 2.0])
    maps["hps"][0, :, row, column] = torch.arange(16.0)
    found = images_of(decode(maps, 3))[0]
    assert found.scores[0] == pytest.approx(1.0 / (1.0 + np.exp(-2.0)))
    np.testing.assert_allclose(found.centers[0], [9.25, 5.75])
    np.testing.assert_allclose(found.boxes[0], [7.25, 2.75, 11.25, 8.75])
    np.testing.assert_allclose(found.scale[0], [0.5, 1.0, 2.0])
    # Corners start from the whole cell, without the offset head.
    cell = np.array([column, row])
    np.testing.assert_allclose(found.points[0], np.arange(16.0).reshape(8, 2) + cell)


def test_only_local_maxima_are_found_best_first() -> None:
    maps = empty_maps()
    maps["hm"][0, 0, 4:7, 4:7] = 1.0
    maps["hm"][0, 0, 5, 5] = 3.0
    maps["hm"][0, 0, 10, 12] = 4.0
    found = images_of(decode(maps, 100))[0]
    assert len(found) == 100
    strong = found.scores > 0.5
    np.testing.assert_allclose(found.centers[strong], [[12.0, 10.0], [5.0, 5.0]])


def test_a_peak_on_the_border_counts() -> None:
    maps = empty_maps()
    maps["hm"][0, 0, 0, SIDE - 1] = 3.0
    np.testing.assert_allclose(images_of(decode(maps, 1))[0].centers[0], [SIDE - 1, 0])


def test_images_of_a_batch_are_independent() -> None:
    maps = empty_maps(batch=3)
    for image in range(3):
        maps["hm"][image, 0, image + 2, 7] = 3.0
    found = images_of(decode(maps, 5))
    np.testing.assert_allclose([one.centers[0] for one in found], [[7, 2], [7, 3], [7, 4]])


def test_saturated_neighbours_stay_apart() -> None:
    """Two logits whose sigmoids are the same number are still one peak and its neighbour."""
    maps = empty_maps()
    maps["hm"][0, 0, 5, 5] = 40.0
    maps["hm"][0, 0, 5, 6] = 41.0
    found = images_of(decode(maps, 2))[0]
    assert (found.scores > 0.5).sum() == 1
    np.testing.assert_allclose(found.centers[0], [6.0, 5.0])


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_any_floating_type_will_do(kind: torch.dtype) -> None:
    maps = empty_maps()
    maps["hm"][0, 0, 3, 4] = 2.0
    found = images_of(decode({name: values.to(kind) for name, values in maps.items()}, 1))[0]
    assert found.points.dtype == torch.float64
    np.testing.assert_allclose(found.centers[0], [4.0, 3.0])


def test_broken_maps_give_nothing_to_solve() -> None:
    maps = empty_maps()
    maps["hm"][:] = torch.nan
    assert len(left_by(decode(maps, 10), 0.3)) == 0
    maps = empty_maps()
    maps["hm"][0, 0, 3, 4] = 2.0
    maps["hps"][0, 5, 3, 4] = torch.inf
    assert len(left_by(decode(maps, 10), 0.3)) == 0


def test_a_missing_head_is_named() -> None:
    maps = empty_maps()
    del maps["scale"]
    with pytest.raises(ValueError, match="scale"):
        decode(maps, 1)


def test_cells_become_pixels_of_the_stored_image() -> None:
    found = detections([[0.0, 0.0, 64.0, 128.0]], [0.9])
    pixels = to_pixels(found, torch.tensor([[300.0, 400.0]]), torch.tensor([800.0]), 128)
    np.testing.assert_allclose(pixels.boxes[0, 0], [-100.0, 0.0, 300.0, 800.0])
    np.testing.assert_allclose(pixels.points[0, 0, 0], [-100.0, 6.25])
    np.testing.assert_allclose(pixels.centers[0, 0], [-100.0, 0.0])


def test_a_score_at_the_threshold_is_not_kept() -> None:
    boxes = [[0.0, 0.0, 9.0, 9.0], [100.0, 0.0, 109.0, 9.0]]
    assert left_by(detections(boxes, [0.3, 0.31]), 0.3).scores.tolist() == [0.31]


def test_soft_nms_lowers_a_neighbour_by_the_gaussian_of_its_overlap() -> None:
    # Widths count both borders: 10 by 10 pixels each, 5 by 10 in common, 150 together.
    boxes = [[0.0, 0.0, 9.0, 9.0], [5.0, 0.0, 14.0, 9.0], [50.0, 50.0, 60.0, 60.0]]
    left = left_by(detections(boxes, [0.9, 0.8, 0.85]), 0.3)
    lowered = 0.8 * np.exp(-((1.0 / 3.0) ** 2) / 0.5)
    np.testing.assert_allclose(left.scores, [0.9, 0.85, lowered])
    np.testing.assert_allclose(left.boxes, np.array(boxes)[[0, 2, 1]])
    np.testing.assert_allclose(left.points[:, 0, 0], [0.0, 32.0, 16.0])


def test_soft_nms_drops_a_copy_and_what_it_would_have_lowered_survives() -> None:
    boxes = [[0.0, 0.0, 9.0, 9.0], [0.0, 0.0, 9.0, 9.0], [0.0, 6.0, 9.0, 15.0]]
    left = left_by(detections(boxes, [0.9, 0.8, 0.7]), 0.3)
    # The copy keeps 0.8 * exp(-2) < 0.3, so it no longer lowers the third.
    overlap = 40.0 / 160.0
    np.testing.assert_allclose(left.scores, [0.9, 0.7 * np.exp(-(overlap**2) / 0.5)])


def test_soft_nms_of_nothing_is_nothing() -> None:
    assert len(left_by(detections([], []), 0.3)) == 0


def test_soft_nms_does_not_change_its_input() -> None:
    boxes = [[0.0, 0.0, 9.0, 9.0], [1.0, 0.0, 10.0, 9.0]]
    found = detections(boxes, [0.9, 0.8])
    left_by(found, 0.1)
    assert found.scores.tolist() == [[0.9, 0.8]]
