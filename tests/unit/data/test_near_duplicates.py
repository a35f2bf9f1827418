"""Copies of images are found however they were stored; different images are left alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

cv2 = pytest.importorskip("cv2", reason="images are decoded by OpenCV")

from automl.data.suspects.finding import Certainty  # noqa: E402
from automl.data.suspects.fingerprint import (  # noqa: E402
    SIDE,
    Fingerprints,
    fingerprints,
    hashes_of,
)
from automl.data.suspects.leaks import find_leaks  # noqa: E402
from automl.data.suspects.near import near_pairs  # noqa: E402


def scene(seed: int, side: int = 256) -> Any:
    """A picture with large and small structure, 3/4 as wide as high."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(20, 235, (7, 5, 3)).astype(np.float32)
    picture = cv2.resize(coarse, (3 * side // 4, side), interpolation=cv2.INTER_CUBIC)
    noise = rng.normal(0.0, 4.0, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def store(path: Path, picture: np.ndarray, quality: int = 95) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality] if path.suffix == ".jpg" else []
    assert cv2.imwrite(str(path), picture, flags)
    return path


def said(_: int, __: int) -> None:
    """For a test that shows nothing."""


def test_a_copy_is_found_however_it_was_stored(tmp_path: Path) -> None:
    train, val = tmp_path / "train", tmp_path / "val"
    for seed in range(12):
        store(train / "a" / f"{seed:05d}.jpg", scene(seed))
    same = store(val / "b" / "0.jpg", scene(3))
    worse = store(val / "b" / "1.jpg", scene(4), quality=40)
    png = store(val / "b" / "2.png", scene(5))
    small = store(val / "b" / "3.jpg", cv2.resize(scene(6), None, fx=0.5, fy=0.5))
    light = store(val / "b" / "4.jpg", np.clip(scene(7) * 1.1 + 8.0, 0, 255).astype(np.uint8))
    shift = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, -1.0]], dtype=np.float32)
    moved = cv2.warpAffine(scene(8), shift, (192, 256), borderMode=cv2.BORDER_REFLECT)
    frame = store(val / "b" / "5.jpg", moved)
    for seed in range(100, 110):
        store(val / "b" / f"{seed}.jpg", scene(seed))
    found = {each.path: each for each in find_leaks(val, [train], 1, said)}
    assert found.keys() == {same, worse, png, small, light, frame}
    for seed, path in ((3, same), (4, worse), (5, png), (6, small), (7, light), (8, frame)):
        assert found[path].other == train / "a" / f"{seed:05d}.jpg"
        assert str(found[path].other) in found[path].what
    assert "the same file" in found[same].what
    assert {found[path].certainty for path in (same, worse, png)} == {Certainty.SURE}
    assert "recording" in found[frame].fix


def test_frames_of_one_scene_within_a_split_are_no_fault(tmp_path: Path) -> None:
    for frame in range(4):
        store(tmp_path / "train" / "a" / f"{frame}.jpg", scene(1))
    store(tmp_path / "val" / "b" / "0.jpg", scene(2))
    assert find_leaks(tmp_path / "train", [tmp_path / "val"], 1, said) == []


def test_an_image_that_cannot_be_decoded_is_left_out(tmp_path: Path) -> None:
    good = store(tmp_path / "0.jpg", scene(0))
    bad = tmp_path / "1.jpg"
    bad.write_bytes(b"no picture")
    told: list[tuple[int, int]] = []
    found = fingerprints([good, bad], 1, lambda done, total: told.append((done, total)))
    assert found.paths == (good,)
    assert told == [(2, 2)]


def prints(pictures: np.ndarray) -> Fingerprints:
    paths = tuple(Path(str(k)) for k in range(len(pictures)))
    return Fingerprints(paths, hashes_of(pictures), pictures)


def pictures_of(rng: np.random.Generator, count: int) -> Any:
    coarse = rng.integers(0, 256, (count, 6, 6)).astype(np.float32)
    fine = [cv2.resize(each, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) for each in coarse]
    return np.clip(np.array(fine).reshape(count, SIDE, SIDE), 0, 255).astype(np.uint8)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 12), st.integers(1, 40))
def test_bands_find_what_comparing_every_pair_finds(seed: int, copies: int, others: int) -> None:
    rng = np.random.default_rng(seed)
    one = pictures_of(rng, others + copies)
    noisy = one[:copies] + rng.normal(0, 6, (copies, SIDE, SIDE))
    two = np.concatenate([np.clip(noisy, 0, 255).astype(np.uint8), pictures_of(rng, 5)])
    a, b = prints(one), prints(two)
    apart = np.bitwise_count(a.hashes[:, None] ^ b.hashes[None])
    within = {k for k in range(copies) if apart[k, k] <= 10}
    found = {pair.second: pair for pair in near_pairs(a, b)}
    assert within <= found.keys()
    assert all(found[k].first == k for k in within)
    assert all(pair.bits <= 10 for pair in found.values())


def test_many_equal_images_are_paired_once_each() -> None:
    """A camera that stood still fills one bucket; that must not cost every pair."""
    black = np.zeros((3000, SIDE, SIDE), np.uint8)
    found = near_pairs(prints(black), prints(black[:2000]))
    assert [pair.second for pair in found] == list(range(2000))
    assert {pair.difference for pair in found} == {0.0}
    assert near_pairs(prints(black[:0]), prints(black)) == []
