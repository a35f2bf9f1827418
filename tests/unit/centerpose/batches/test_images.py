"""Decoded images: once where memory allows, refused where they are not what they say."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from automl.centerpose.batches.images import ImageStore
from automl.centerpose.batches.transfer import PackedArrays
from automl.centerpose.hardware import memory
from automl.centerpose.hardware.memory import fits_on, host_share, share_of_gpu
from automl.control_groups import ControlGroups
from automl.errors import FixData

GIB = 1 << 30


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    names = [tmp_path / f"{k}.png" for k in range(4)]
    for k, path in enumerate(names):
        cv2.imwrite(str(path), rng.integers(0, 256, (10 + k, 20, 3), dtype=np.uint8))
    return names


def count_decoding(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    decoded: list[str] = []
    real = cv2.imread

    def imread(name: str, how: int) -> object:
        decoded.append(name)
        return real(name, how)

    monkeypatch.setattr(cv2, "imread", imread)
    return decoded


def test_sizes_are_known_before_anything_is_decoded(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = count_decoding(monkeypatch)
    assert ImageStore(paths).sizes.tolist() == [[20, 10], [20, 11], [20, 12], [20, 13]]
    assert not decoded


def test_images_are_kept_while_there_is_room_and_decoded_again_beyond(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = count_decoding(monkeypatch)
    monkeypatch.setattr("automl.centerpose.batches.images.host_share", lambda: 20 * 3 * 22)
    frames = ImageStore(paths)
    for _ in range(2):
        for index in range(4):
            assert frames.pixels(index).shape == (10 + index, 20, 3)
    assert [Path(name).stem for name in decoded] == ["0", "1", "2", "3", "2", "3"]


def test_a_file_that_is_gone_or_no_image_is_named(paths: list[Path]) -> None:
    with pytest.raises(FixData, match=r"gone\.jpg"):
        ImageStore([paths[0].with_name("gone.jpg")])
    frames = ImageStore(paths)
    paths[1].write_bytes(paths[1].read_bytes()[:60])
    with pytest.raises(FixData, match=r"1\.png"):
        frames.pixels(1)


def test_an_image_of_another_size_than_was_read_is_refused(paths: list[Path]) -> None:
    frames = ImageStore(paths)
    paths[0].write_bytes(paths[3].read_bytes())
    with pytest.raises(FixData, match="20 x 10 pixels of its header, but got 20 x 13"):
        frames.pixels(0)


def test_a_cpu_gets_no_store(paths: list[Path]) -> None:
    frames = ImageStore(paths)
    frames.place(torch.device("cpu"), 1)
    assert frames.resident is None


def test_a_data_set_takes_half_of_what_a_training_leaves() -> None:
    """32 images of 512 x 512 may need 72 GiB beside 2 GiB; a small GPU has nothing to spare."""
    assert share_of_gpu(139 * GIB, 32 * 512 * 512) == (139 - 2 - 72) * GIB // 2
    assert share_of_gpu(16 * GIB, 32 * 512 * 512) == 0
    assert not fits_on(torch.device("cpu"), 1, 1)


def test_what_lies_on_the_gpu_already_counts_as_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 3 * GIB)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 2 * GIB)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (5 * GIB, 80 * GIB))
    cuda = torch.device("cuda", 0)
    assert fits_on(cuda, 2 * GIB, 0)
    assert not fits_on(cuda, 2 * GIB + 1, 0)
    assert fits_on(cuda, 3 * GIB, 0, held=2 * GIB)


def test_the_host_share_is_a_quarter_of_the_tighter_limit(tmp_path: Path) -> None:
    meminfo, own = tmp_path / "meminfo", tmp_path / "own"
    meminfo.write_text("MemTotal: 99 kB\nMemAvailable:    8388608 kB\n")
    own.write_text("0::/\n")
    groups = ControlGroups(own, tmp_path)
    assert host_share(meminfo, groups) == 2 * GIB
    (tmp_path / "memory.max").write_text(f"{5 * GIB}\n")
    (tmp_path / "memory.current").write_text(f"{GIB}\n")
    assert host_share(meminfo, groups) == GIB
    nothing = ControlGroups(tmp_path / "none", tmp_path / "none")
    assert host_share(tmp_path / "none", nothing) == memory._UNKNOWN // 4


def test_a_parcel_brings_every_array_as_it_was() -> None:
    arrays = {
        "flags": np.array([True, False, True]),
        "table": np.arange(12.0).reshape(3, 4),
        "none": np.zeros((4, 0), np.int64),
        "masks": np.arange(5, dtype=np.uint8),
        "where": np.arange(6, dtype=np.int64)[::2],
    }
    sent = PackedArrays(arrays, pinned=False).to(torch.device("cpu"))
    for name, array in arrays.items():
        assert sent[name].shape == array.shape
        assert sent[name].numpy().dtype == array.dtype
        np.testing.assert_array_equal(sent[name].numpy(), array)
