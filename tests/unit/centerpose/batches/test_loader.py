"""Batches: which images, in which order, the same for any number of threads and any device."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from automl.centerpose.batches.assemble import DeviceBatchMaker
from automl.centerpose.batches.images import DeviceImages
from automl.centerpose.batches.loader import (
    Batch,
    Loader,
    Split,
    make_loader,
    read_split,
    to_input,
)
from automl.centerpose.batches.sharding import Shard
from automl.centerpose.batches.split import read_stored
from automl.centerpose.config.dataset import Dataset
from automl.centerpose.session.cache import Cache
from automl.data.objectron import list_frames

SETTINGS = Dataset(batch_size=4, input_res=128, output_res=32)
CPU = torch.device("cpu")


@pytest.fixture
def split(small_data: Path) -> Split:
    return read_split(str(small_data / "train"), "dataset.train_data", SETTINGS, 1)


def same(one: Batch, two: Batch) -> bool:
    return torch.equal(to_input(one), to_input(two)) and all(
        torch.equal(one.targets[name], two.targets[name]) for name in one.targets
    )


def on_device(split: Split, *, resident: bool) -> Loader:
    """The way of a GPU, on the CPU."""
    if resident:
        split.stored.frames.resident = DeviceImages(split.stored.frames.sizes, CPU)
    return Loader(split, 4, 2, preparing=DeviceBatchMaker(split, CPU))


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


@pytest.mark.parametrize("resident", [True, False])
def test_a_device_makes_the_batches_of_the_host(split: Split, resident: bool) -> None:
    """The same positions to the last bit, the same pixels but for OpenCV's rounding."""
    host, device = Loader(split, 4, 1), on_device(split, resident=resident)
    for epoch in (0, 1):  # in the second, everything lies on the device
        batches = list(device.training(3, epoch))
        assert len(batches) == 3
        for wanted, found in zip(host.training(3, epoch), batches, strict=True):
            assert set(wanted.targets) == set(found.targets)
            for name, value in wanted.targets.items():
                assert torch.equal(found.targets[name], value), name
            difference = (to_input(found) - to_input(wanted)).abs()
            assert difference.mean() < 0.02
            assert found.images.dtype == torch.float32
            assert to_input(found).is_contiguous(memory_format=torch.channels_last)


def test_a_device_scores_what_the_host_scores(split: Split) -> None:
    host, device = Loader(split, 5, 1), on_device(split, resident=True)
    wanted = torch.cat([to_input(batch) for batch in host.scoring()])
    found = torch.cat([to_input(batch) for batch in device.scoring()])
    assert (found - wanted).abs().mean() < 0.02
    metas = [meta.index for batch in device.scoring() for meta in batch.metas]
    assert metas == list(range(12))


def test_a_store_is_filled_in_one_epoch_and_needs_no_file_then(
    split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = on_device(split, resident=True)
    first = list(loader.training(0, 0))
    monkeypatch.setattr(cv2, "imread", lambda *_: None)
    assert all(map(same, first, list(loader.training(0, 0))))


def test_images_are_decoded_once(split: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    first = next(Loader(split, 4, 1).scoring())
    monkeypatch.setattr(cv2, "imread", lambda *_: None)
    assert same(first, next(Loader(split, 4, 1).scoring()))


def test_images_of_several_sizes_make_one_split(small_data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mixed" / "train"
    folder.mkdir(parents=True)
    for frame in list_frames(small_data / "train")[:4]:
        for path in (frame.image, frame.annotation):
            (folder / f"{path.parent.name}-{path.name}").write_bytes(path.read_bytes())
    picture = sorted(folder.glob("*.jpg"))[1]
    cv2.imwrite(str(picture), cv2.resize(cv2.imread(str(picture)), (300, 420)))
    split = read_split(str(folder), "dataset.train_data", SETTINGS, 1)
    assert len(np.unique(split.stored.frames.sizes, axis=0)) == 2
    host, device = Loader(split, 4, 1), on_device(split, resident=True)
    (wanted,), (found,) = host.training(1, 0), device.training(1, 0)
    assert (to_input(found) - to_input(wanted)).abs().mean() < 0.02
    assert torch.equal(found.targets["hm"], wanted.targets["hm"])


def test_trainings_with_other_settings_share_what_is_stored(small_data: Path) -> None:
    cache, root = Cache(), str(small_data / "train")
    one = read_split(root, "dataset.train_data", SETTINGS, 1, cache)
    two = read_split(root, "x", replace(SETTINGS, no_color_aug=True, category="chair"), 1, cache)
    assert one.stored is two.stored
    batch = next(make_loader(two, 4, 1, device=CPU).training(0, 0))
    assert batch.targets["hm"].shape == (4, 4, 1, 32, 32)
    alone = Split(read_stored(small_data / "train"), two.settings)
    assert same(batch, next(make_loader(alone, 4, 1, device=CPU).training(0, 0)))


@pytest.mark.parametrize("world", [2, 3])
def test_shards_share_the_batches_of_an_epoch(split: Split, world: int) -> None:
    """Together they learn what one process with their joint batch would learn, in its order."""
    whole = [to_input(batch) for batch in Loader(split, 2 * world, 1).training(5, 1)]
    ranks = [
        list(make_loader(split, 2, 1, device=CPU, shard=Shard(rank, world)).training(5, 1))
        for rank in range(world)
    ]
    assert {len(batches) for batches in ranks} == {12 // (2 * world)}
    for step, wanted in enumerate(whole):
        found = torch.cat([to_input(batches[step]) for batches in ranks])
        torch.testing.assert_close(found, wanted)


def test_shards_score_every_image_once(split: Split) -> None:
    seen = [
        [meta.index for batch in loader.scoring() for meta in batch.metas]
        for loader in (make_loader(split, 4, 1, device=CPU, shard=Shard(r, 5)) for r in range(5))
    ]
    assert seen[1] == [1, 6, 11]
    assert sorted(index for own in seen for index in own) == list(range(12))


def test_training_drops_the_rest_and_scoring_keeps_it(split: Split) -> None:
    loader = Loader(split, 5, threads=2)
    assert [len(batch.images) for batch in loader.training(0, 0)] == [5, 5]
    batches = list(loader.scoring())
    assert [len(batch.metas) for batch in batches] == [5, 5, 2]
    seen = [meta.annotation for batch in batches for meta in batch.metas]
    assert seen == list(split.annotations)
    assert batches[0].targets == {}


@pytest.mark.parametrize("resident", [None, True])
def test_scoring_brings_the_targets_of_the_whole_images_where_asked(
    split: Split, resident: bool | None
) -> None:
    loader = Loader(split, 5, 1) if resident is None else on_device(split, resident=resident)
    found = list(loader.scoring(targets=True))
    metas = [meta.index for batch in found for meta in batch.metas]
    assert metas == list(range(12))
    (whole,) = Loader(split, 12, 1).training(0, 0, augment=False)
    order = np.random.default_rng([0, 1, 0]).permutation(12)  # of that epoch
    for name, wanted in whole.targets.items():
        joined = torch.cat([batch.targets[name] for batch in found])
        assert torch.equal(joined[torch.from_numpy(order)], wanted), name


def test_without_augmentation_an_image_is_the_same_every_epoch(split: Split) -> None:
    loader = Loader(split, 12, threads=1)
    (one,) = loader.training(0, 0, augment=False)
    (two,) = loader.training(0, 1, augment=False)
    key = one.targets["ind"][:, 0, 0].argsort(), two.targets["ind"][:, 0, 0].argsort()
    torch.testing.assert_close(one.targets["hps"][key[0]], two.targets["hps"][key[1]])


def test_a_loader_that_is_left_early_leaves_no_threads_at_work(split: Split) -> None:
    batches = Loader(split, 2, 2).training(0, 0)
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert list(batches) == []


def test_a_split_smaller_than_a_step_is_refused_with_both_numbers(small_data: Path) -> None:
    settings = replace(SETTINGS, batch_size=8)
    with pytest.raises(ValueError, match=r"dataset\.val_data .* 16 images, but .* holds 5"):
        read_split(str(small_data / "val"), "dataset.val_data", settings, n_devices=2)


def test_a_split_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match=r"dataset\.train_data must name"):
        read_split("", "dataset.train_data", SETTINGS, 1)
