"""Numbers of MATLAB files: what SciPy writes is read, and what is damaged is an error."""

import io
import struct
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from automl.data.convert.matlab import read_arrays

VALUES: dict[str, Any] = {
    "poses": np.arange(24.0).reshape(3, 4, 2),
    "cls_indexes": np.array([[3], [7]], dtype=np.uint8),
    "single": np.array([[1.5, -2.5]], dtype=np.float32),
    "factor_depth": np.array([[10000]], dtype=np.uint16),
    "words": np.array(["some text"]),
    "a_structure": {"x": 1.0},
}


def saved(values: dict[str, Any], *, compressed: bool = False) -> bytes:
    file = io.BytesIO()
    savemat(file, values, do_compression=compressed)
    return file.getvalue()


@pytest.mark.parametrize("compressed", [False, True])
def test_wanted_arrays_are_read_and_others_passed_over(compressed: bool) -> None:
    wanted = ("poses", "cls_indexes", "single", "factor_depth", "lost")
    found = read_arrays(saved(VALUES, compressed=compressed), wanted)
    assert sorted(found) == ["cls_indexes", "factor_depth", "poses", "single"]
    for name, array in found.items():
        assert array.dtype == np.float64
        assert np.array_equal(array, VALUES[name])


def test_the_other_byte_order_is_read_too() -> None:
    def element(kind: int, data: bytes) -> bytes:
        return struct.pack(">II", kind, len(data)) + data + bytes(-len(data) % 8)

    body = element(6, struct.pack(">II", 6, 0)) + element(5, struct.pack(">ii", 1, 2))
    body += element(1, b"pair") + element(9, struct.pack(">dd", 1.25, -3.0))
    header = b"MATLAB 5.0".ljust(124) + struct.pack(">H", 0x0100) + b"MI"
    found = read_arrays(header + element(14, body), ("pair",))
    assert found["pair"].tolist() == [[1.25, -3.0]]


@pytest.mark.parametrize("name", ["words", "a_structure"])
def test_what_is_no_number_is_refused_where_it_is_wanted(name: str) -> None:
    with pytest.raises(ValueError, match=r"real numbers|without numbers"):
        read_arrays(saved(VALUES), (name,))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no MATLAB file of version 5"),
        (b"MATLAB 7.3 MAT-file".ljust(512), "no MATLAB file of version 5"),
        (saved(VALUES)[:-9], "cut off"),
        (saved({"poses": 1j * np.ones((2, 2))}), "real numbers"),
        (saved({"poses": np.zeros((400, 400))}, compressed=True), "larger than a mebibyte"),
    ],
)
def test_what_is_damaged_or_too_large_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_arrays(content, ("poses",))


def test_a_large_array_that_is_not_wanted_is_not_unpacked() -> None:
    content = saved({"vertmap": np.zeros((2000, 2000)), "poses": np.eye(3)}, compressed=True)
    assert read_arrays(content, ("poses",))["poses"].tolist() == np.eye(3).tolist()
