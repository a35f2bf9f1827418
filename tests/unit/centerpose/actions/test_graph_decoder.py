"""The decoder inside the graph against the one that scores, and against loops."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from automl.centerpose.deploy.graph import ABSENT, OUTPUTS, DecodingNetwork
from automl.centerpose.evaluation.decode import decode
from automl.centerpose.models.heads import HEADS

SIDE, K, B = 12, 20, 3


class _Fixed(nn.Module):
    def __init__(self, maps: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.maps = dict(maps)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return self.maps


@pytest.fixture
def maps() -> dict[str, Tensor]:
    """Random head maps whose boxes and corners lie about the grid."""
    generator = torch.Generator().manual_seed(5)

    def noise(channels: int) -> Tensor:
        return torch.randn(B, channels, SIDE, SIDE, generator=generator)

    made = {name: noise(channels) for name, channels in HEADS.items()}
    made["wh"] = made["wh"].abs() * 8.0
    made["hps"] = made["hps"] * 3.0
    return made


@pytest.fixture
def outputs(maps: dict[str, Tensor]) -> dict[str, np.ndarray]:
    given = DecodingNetwork(_Fixed(maps), SIDE, K)(torch.zeros(B, 3, 4 * SIDE, 4 * SIDE))
    return {name: each.numpy() for name, each in zip(OUTPUTS, given, strict=True)}


def test_names_and_shapes_are_the_containers(outputs: dict[str, np.ndarray]) -> None:
    assert {name: value.shape for name, value in outputs.items()} == {
        "bboxes": (B, K, 4),
        "scores": (B, K, 1),
        "kps": (B, K, 16),
        "clses": (B, K, 1),
        "obj_scale": (B, K, 3),
        "kps_displacement_mean": (B, K, 16),
        "kps_heatmap_mean": (B, K, 16),
    }
    assert (outputs["clses"] == 0.0).all()
    assert (outputs["kps_heatmap_mean"] == ABSENT).all()


def test_it_decodes_like_scoring_does(
    maps: dict[str, Tensor], outputs: dict[str, np.ndarray]
) -> None:
    peaks = 0
    batch = decode(maps, K)
    for i in range(B):
        found = batch.take(torch.tensor(i))
        real = found.scores > 0.0
        peaks += int(real.sum())
        np.testing.assert_allclose(outputs["scores"][i, :, 0], found.scores, atol=1e-6)
        np.testing.assert_allclose(outputs["bboxes"][i][real], found.boxes[real], atol=1e-4)
        np.testing.assert_allclose(outputs["obj_scale"][i][real], found.scale[real], atol=1e-4)
        np.testing.assert_allclose(
            outputs["kps_displacement_mean"][i].reshape(K, 8, 2)[real],
            found.points[real],
            atol=1e-4,
        )
    assert peaks > B * K / 2


def test_corners_are_drawn_to_the_peaks_of_their_own_heatmaps(
    maps: dict[str, Tensor], outputs: dict[str, np.ndarray]
) -> None:
    moved = 0
    for i in range(B):
        peaks = [_peaks(maps, i, j) for j in range(8)]
        for k in range(K):
            corners = outputs["kps_displacement_mean"][i, k].reshape(8, 2)
            box = outputs["bboxes"][i, k]
            wanted = np.array([_drawn(corners[j], peaks[j], box) for j in range(8)])
            given = outputs["kps"][i, k].reshape(8, 2)
            np.testing.assert_allclose(given, wanted, atol=1e-4)
            moved += int((np.abs(given - corners).max(axis=1) > 1e-3).sum())
    assert B * K < moved < B * K * 8


def _peaks(maps: Mapping[str, Tensor], i: int, j: int) -> list[np.ndarray]:
    """The places of the strongest local maxima of a corner's heatmap, above the threshold."""
    heat = torch.sigmoid(maps["hm_hp"][i, j]).numpy()
    offset = maps["hp_offset"][i].numpy()
    found = []
    for y in range(SIDE):
        for x in range(SIDE):
            near = heat[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
            if heat[y, x] == near.max():
                found.append((heat[y, x], np.array([x, y]) + offset[:, y, x]))
    best = sorted(found, key=lambda each: -each[0])[:K]
    return [place for score, place in best if score > 0.1]


def _drawn(corner: np.ndarray, peaks: list[np.ndarray], box: np.ndarray) -> np.ndarray:
    if not peaks:
        return corner
    nearest = min(peaks, key=lambda place: float(np.linalg.norm(place - corner)))
    inside = (nearest >= box[:2]).all() and (nearest <= box[2:]).all()
    reach = 0.3 * max(box[2] - box[0], box[3] - box[1])
    return nearest if inside and np.linalg.norm(nearest - corner) <= reach else corner
