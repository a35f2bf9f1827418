"""How fast batches are made: prints a table for the GPU if there is one, else for the CPU.

Run it by hand: ``python tests/bench/data_path.py [--images 512]``. The images are synthetic ones
of 600 x 800 pixels; some dozens are rendered, and the rest are links to them under other names.
``launch`` is the time that the training's own thread spends on a batch. With ``--compiled`` a row
shows what ``torch.compile`` would make of cutting and colouring on the GPU.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch

from automl.centerpose.batches.assemble import DeviceBatchMaker
from automl.centerpose.batches.augment import draw_epoch
from automl.centerpose.batches.batch import to_input
from automl.centerpose.batches.crops import Crops
from automl.centerpose.batches.images import DeviceImages
from automl.centerpose.batches.loader import Loader
from automl.centerpose.batches.split import Split, StoredSplit, read_stored
from automl.centerpose.batches.targets import draw_heatmaps, draw_targets, place_marks
from automl.centerpose.batches.warp import crop_views, crop_with_opencv, recolour
from automl.centerpose.config.dataset import Dataset
from automl.data.layout import list_frames
from automl.data.synth.make import synthesise
from automl.data.synth.request import MODERATE, SynthRequest

RENDERED = 48
SHAPES = {
    "nano, 8 of 128 x 128": Dataset(batch_size=8, input_res=128, output_res=32),
    "DLA34, 32 of 512 x 512": Dataset(batch_size=32, input_res=512, output_res=128),
    "DLA34, chair": Dataset(batch_size=32, input_res=512, output_res=128, category="chair"),
}


def images_in(folder: Path, count: int) -> Path:
    """A split of ``count`` images, most of them links."""
    request = SynthRequest(train=min(RENDERED, count), val=0, seed=1, difficulty=MODERATE)
    rendered = list_frames(synthesise(request, folder / "rendered").folder / "train")
    split = folder / "split"
    split.mkdir()
    for k in range(count):
        frame = rendered[k % len(rendered)]
        for path in (frame.image, frame.annotation):
            os.link(path, split / f"{k:06d}{path.suffix}")
    return split


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds(work: Callable[[], object], device: torch.device, least_s: float = 0.3) -> float:
    """Seconds of one call, the first not counted."""
    work()
    wait(device)
    begin, calls = time.perf_counter(), 0
    while calls < 3 or time.perf_counter() - begin < least_s:
        work()
        calls += 1
    wait(device)
    return (time.perf_counter() - begin) / calls


def row(name: str, n_images: int, spent: float) -> None:
    print(f"  {name:<52}{1e3 * spent:>10.2f}{n_images / spent:>12.0f}", flush=True)


def learn(batches: Iterable[object], device: torch.device) -> None:
    """Takes batches as a training does, and computes nothing."""
    for batch in batches:
        to_input(batch)  # type: ignore[arg-type]
    wait(device)


def common(stored: StoredSplit, split_of: Callable[[], object], threads: int) -> None:
    """What happens once a training or once an epoch."""
    n, cpu = len(stored.annotations), torch.device("cpu")
    print(f"\nonce, {n} images, {threads} threads{'':<28}{'ms':>10}{'images/s':>12}")
    row("annotations and sizes", n, seconds(split_of, cpu, 0.0))
    with ThreadPoolExecutor(threads) as pool:
        sample = range(min(n, 400))
        begin = time.perf_counter()
        list(pool.map(stored.frames._decode, sample))
        row(f"decoding, {len(sample)} images", len(sample), time.perf_counter() - begin)
    row(
        "views and colours of an epoch",
        n,
        seconds(lambda: draw_epoch(1, 2, stored.frames.sizes, Dataset()), cpu),
    )


def steps_on_host(split: Split) -> None:
    cpu, n = torch.device("cpu"), split.settings.batch_size
    request = split.request(range(n), split.draw(1, 0), targets=True)
    drawn, frames, side = request.drawn, split.stored.frames, split.settings.input_res
    maps = drawn.views.to_square(side)
    grids = drawn.views.to_square(split.settings.output_res)
    objects = split.objects[np.arange(n)]

    out = np.empty((side, side, 3), np.float32)

    def cut() -> None:
        for k in range(n):
            crop_with_opencv(frames.pixels(k), maps.matrix(k), drawn.colours, k, out)

    row("cutting and colouring, one thread", n, seconds(cut, cpu))
    row(
        "targets",
        n,
        seconds(lambda: draw_targets(objects, grids, drawn.views.flipped, split.settings), cpu),
    )


def steps_on_device(split: Split, device: torch.device, compiled: bool) -> None:
    settings, n = split.settings, split.settings.batch_size
    request = split.request(range(n), split.draw(1, 0), targets=True)
    resident, drawn = split.stored.frames.resident, request.drawn
    assert resident is not None
    maps, colours = drawn.views.to_square(settings.input_res), drawn.colours
    tables = (resident.starts[:n], split.stored.frames.sizes[:n], maps.zoom, maps.shift)
    cuts = Crops(*(torch.from_numpy(table).to(device) for table in tables))
    parts = [
        torch.from_numpy(each).float().to(device)
        for each in (colours.matrix, colours.offset, colours.contrast)
    ]
    grids = drawn.views.to_square(settings.output_res)
    objects = split.objects[np.arange(n)]
    marks = place_marks(objects, grids, drawn.views.flipped, settings)
    peaks, ind = (torch.from_numpy(x).to(device) for x in (marks.peaks, marks.arrays["ind"]))

    def pixels() -> torch.Tensor:
        return recolour(crop_views(resident.flat, cuts, settings.input_res), *parts)

    views = crop_views(resident.flat, cuts, settings.input_res)
    row("cutting", n, seconds(lambda: crop_views(resident.flat, cuts, settings.input_res), device))
    row("colouring", n, seconds(lambda: recolour(views, *parts), device))
    row(
        "positions of targets (host)",
        n,
        seconds(
            lambda: place_marks(objects, grids, drawn.views.flipped, settings), torch.device("cpu")
        ),
    )
    row(
        f"heatmaps, {peaks.shape[1]} peaks",
        n,
        seconds(lambda: draw_heatmaps(peaks, ind, settings, marks.largest), device),
    )
    row("cutting and colouring", n, seconds(pixels, device))
    if compiled:
        row("cutting and colouring, compiled", n, seconds(torch.compile(pixels), device))


def epochs(split: Split, loader: Loader, device: torch.device, name: str) -> None:
    n = loader.n_training_batches * loader.batch_size
    for epoch, title in enumerate(("first epoch", "second epoch", "third epoch")):
        begin = time.perf_counter()
        learn(loader.training(1, epoch), device)
        spent = time.perf_counter() - begin
        row(f"{title}, {name}: a batch", loader.batch_size, spent * loader.batch_size / n)


def launching(split: Split, device: torch.device, threads: int) -> None:
    """What a batch costs the thread of the training when everything before it is done."""
    n, preparing = split.settings.batch_size, DeviceBatchMaker(split, device)
    request = split.request(range(n), split.draw(1, 0), targets=True)
    with ThreadPoolExecutor(threads) as pool:
        spent = []
        for _ in range(30):
            finish = preparing.begin(pool, request)
            time.sleep(0.01)
            wait(device)
            begin = time.perf_counter()
            finish()()
            spent.append(time.perf_counter() - begin)
    row("launch of a batch (median)", n, float(np.median(spent)))


def measure_host(split: Split, threads: int) -> None:
    """The rows of a machine without a GPU."""
    steps_on_host(split)
    loader = Loader(split, split.settings.batch_size, threads)
    epochs(split, loader, torch.device("cpu"), "host")


def measure_device(split: Split, device: torch.device, threads: int, compiled: bool) -> None:
    """The rows of a GPU: images sent with each batch, then images that lie there."""
    n, frames = split.settings.batch_size, split.stored.frames
    frames.resident = None
    sending = Loader(split, n, threads, preparing=DeviceBatchMaker(split, device))
    epochs(split, sending, device, "sent with each batch")
    frames.resident = DeviceImages(frames.sizes, device)
    reading = Loader(split, n, threads, preparing=DeviceBatchMaker(split, device))
    epochs(split, reading, device, "on the GPU")
    launching(split, device, threads)
    steps_on_device(split, device, compiled)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--compiled", action="store_true")
    asked = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    threads = max(1, min(14, torch.get_num_threads()))
    cv2.setNumThreads(1)
    name = torch.cuda.get_device_name() if device.type == "cuda" else "CPU"
    print(f"{name}, torch {torch.__version__}, {torch.get_num_threads()} torch threads")
    with tempfile.TemporaryDirectory() as folder:
        root = images_in(Path(folder), asked.images)
        stored = read_stored(root)
        common(stored, lambda: read_stored(root), threads)
        for title, settings in SHAPES.items():
            print(f"\n{title:<54}{'ms':>10}{'images/s':>12}")
            split = Split(stored, settings)
            if device.type == "cuda":
                measure_device(split, device, threads, asked.compiled)
            else:
                measure_host(split, threads)


if __name__ == "__main__":
    main()
