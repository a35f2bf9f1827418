"""Heatmaps of many peaks at once."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.centerpose.batches import splat as splat_module
from automl.centerpose.batches.splat import splat

CELLS, MAPS = 12, 3
Peaks = list[tuple[int, int, int, int]]
peaks_of = st.lists(
    st.tuples(
        st.integers(0, MAPS - 1),
        st.integers(0, CELLS - 1),
        st.integers(0, CELLS - 1),
        st.integers(0, 5),
    ),
    max_size=8,
)


def drawn(peaks: Peaks) -> torch.Tensor:
    table = torch.tensor(peaks, dtype=torch.int64).reshape(-1, 4).T
    return splat(table, MAPS, CELLS, max((each[3] for each in peaks), default=0))


def slow(peaks: Peaks) -> np.ndarray:
    maps = np.zeros((MAPS, CELLS, CELLS))
    for place, column, row, radius in peaks:
        for y in range(CELLS):
            for x in range(CELLS):
                if max(abs(x - column), abs(y - row)) <= radius:
                    square = (x - column) ** 2 + (y - row) ** 2
                    value = np.exp(-square / (2 * ((2 * radius + 1) / 6) ** 2))
                    maps[place, y, x] = max(maps[place, y, x], value)
    return maps


@given(peaks_of)
def test_each_cell_holds_the_highest_of_its_gaussians(peaks: Peaks) -> None:
    found = drawn(peaks)
    np.testing.assert_allclose(found.numpy(), slow(peaks), atol=1e-7)
    ones = {tuple(each) for each in torch.nonzero(found == 1.0).tolist()}
    assert ones == {(place, row, column) for place, column, row, _ in peaks}


@settings(max_examples=20)
@given(peaks_of)
def test_the_order_of_the_peaks_changes_nothing(peaks: Peaks) -> None:
    assert torch.equal(drawn(peaks), drawn(peaks[::-1]))


def test_peaks_that_are_drawn_in_several_parts_make_the_same_maps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    peaks = [(0, x, 5, 1 + x % 4) for x in range(10)]
    whole = drawn(peaks)
    monkeypatch.setitem(splat_module._MOST_CELLS, "cpu", 2 * 9 * 9)
    assert torch.equal(drawn(peaks), whole)
