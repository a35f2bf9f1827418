"""Batches: which images, in which order, the same for any number of threads."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from automl.centerpose.config.dataset import Dataset
from automl.centerpose.dataset import Batch, Loader, Split, read_split, to_input

SETTINGS = Dataset(batch_size=4, input_res=128, output_res=32)


@pytest.fixture
def split(small_data: Path) -> Split:
    return read_split(str(small_data / "train"), "dataset.train_data", SETTINGS, 1)


def same(one: Batch, two: Batch) -> bool:
    return (
        torch.equal(one.images, two.images)
        and torch.equal(one.colour, two.colour)
        and all(torch.equal(one.targets[name], two.targets[name]) for name in one.targets)
    )


def test_threads_do_not_change_the_batches(split: Split) -> None:
    one = list(Loader(split, 4, threads=1).training(seed=7, epoch=2))
    two = list(Loader(split, 4, threads=3).training(seed=7, epoch=2))
    assert len(one) == len(two) == 3
    assert all(map(same, one, two))


def test_the_rest_of_an_epoch_is_what_it_would_have_been(split: Split) -> None:
    loader = Loader(split, 4, threads=1)
    whole = list(loader.training(seed=7, epoch=0))
    assert all(map(same, whole[1:], list(loader.training(seed=7, epoch=0, first=1))))


def test_epochs_and_seeds_differ(split: Split) -> None:
    loader = Loader(split, 4, threads=1)
    first = next(loader.training(seed=7, epoch=0))
    assert not same(first, next(loader.training(seed=7, epoch=1)))
    assert not same(first, next(loader.training(seed=8, epoch=0)))


def test_training_drops_the_rest_and_scoring_keeps_it(split: Split) -> None:
    loader = Loader(split, 5, threads=2)
    assert [len(batch.images) for batch in loader.training(0, 0)] == [5, 5]
    batches = list(loader.scoring())
    assert [len(batch.metas) for batch in batches] == [5, 5, 2]
    seen = [meta.annotation for batch in batches for meta in batch.metas]
    assert seen == list(split.annotations)
    assert batches[0].targets == {}


def test_without_augmentation_an_image_is_the_same_every_epoch(split: Split) -> None:
    loader = Loader(split, 12, threads=1)
    (one,) = loader.training(0, 0, augment=False)
    (two,) = loader.training(0, 1, augment=False)
    key = one.targets["ind"][:, 0, 0].argsort(), two.targets["ind"][:, 0, 0].argsort()
    torch.testing.assert_close(one.targets["hps"][key[0]], two.targets["hps"][key[1]])


def test_images_are_decoded_once(split: Split, small_data: Path) -> None:
    first = split.for_scoring(0)
    other = Split([replace(split.frames[0], image=small_data / "gone.jpg")], SETTINGS)
    with pytest.raises(OSError, match=r"gone\.jpg"):
        other.for_scoring(0)
    split.frames = other.frames  # what is in memory needs no file
    np.testing.assert_array_equal(split.for_scoring(0).image, first.image)


def test_a_split_smaller_than_a_step_is_refused_with_both_numbers(small_data: Path) -> None:
    settings = replace(SETTINGS, batch_size=8)
    with pytest.raises(ValueError, match=r"dataset\.val_data .* 16 images, but .* holds 5"):
        read_split(str(small_data / "val"), "dataset.val_data", settings, n_devices=2)


def test_a_split_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match=r"dataset\.train_data must name"):
        read_split("", "dataset.train_data", SETTINGS, 1)


@pytest.mark.parametrize("coloured", [True, False])
def test_the_input_is_the_pixels_under_their_colour_matrices(coloured: bool) -> None:
    rng = np.random.default_rng(0)
    matrices = rng.normal(size=(2, 3, 4)).astype(np.float32)
    if not coloured:
        matrices[:, :, :3] *= np.eye(3, dtype=np.float32)
    images = rng.integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    found = to_input(Batch(torch.from_numpy(images), torch.from_numpy(matrices), {}, ()))
    wanted = (
        np.einsum("bck,bhwk->bchw", matrices[:, :, :3], images) + matrices[:, :, 3, None, None]
    )
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-4, atol=1e-3)
    assert found.is_contiguous(memory_format=torch.channels_last)
