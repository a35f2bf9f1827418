"""How a batch is made: on the host, or on a device from images that lie there.

Both begin a batch in threads and finish it in the thread of the training, which on a GPU only
launches: nothing waits for the device. Views, colours and positions are the same numbers in both;
the pixels agree to the rounding of OpenCV.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from automl.centerpose.batches.batch import Batch
from automl.centerpose.batches.colour import Colours
from automl.centerpose.batches.crops import Crops
from automl.centerpose.batches.images import PAD, Pixels
from automl.centerpose.batches.split import BatchRequest, Split
from automl.centerpose.batches.targets import Arrays, draw_heatmaps, draw_targets, place_marks
from automl.centerpose.batches.transfer import PackedArrays
from automl.centerpose.batches.warp import crop_with_opencv, show_views
from automl.data.geometry import Array

__all__ = ["BatchMaker", "DeviceBatchMaker", "HostBatchMaker", "Take"]

_Image = npt.NDArray[np.float32]  # (R, R, 3), or (B, R, R, 3)

Take = Callable[[], Batch]
"""Hands a finished batch over to the caller, once."""


class BatchMaker(Protocol):
    """One way to make batches.

    Attributes:
        ahead: Batches that are finished before they are taken.
    """

    ahead: int

    def begin(self, pool: ThreadPoolExecutor, request: BatchRequest) -> Callable[[], Take]:
        """Starts a batch in threads; what is returned finishes it."""


class HostBatchMaker:
    """Makes batches in host memory; OpenCV crops and colours the views, an image a task.

    Args:
        split: The images.
    """

    ahead = 0

    def __init__(self, split: Split) -> None:
        self._split = split

    def begin(self, pool: ThreadPoolExecutor, request: BatchRequest) -> Callable[[], Take]:
        """Starts a batch: a task an image, then one for what the images share."""
        side = self._split.settings.input_res
        images = np.empty((len(request.indices), side, side, 3), np.float32)
        maps = request.drawn.views.to_square(side)
        crops = [
            pool.submit(self._crop, index, maps.matrix(k), (request.drawn.colours, k), images[k])
            for k, index in enumerate(request.indices)
        ]
        # Tasks are taken in order, so no thread can come to wait here for one not yet taken.
        whole = pool.submit(self._assemble, request, crops, images)

        def finish() -> Take:
            batch = whole.result()
            return lambda: batch

        return finish

    def _crop(self, index: int, affine: Array, colours: tuple[Colours, int], out: _Image) -> None:
        crop_with_opencv(self._split.stored.frames.pixels(index), affine, *colours, out)

    def _assemble(self, request: BatchRequest, crops: list[Future[None]], images: _Image) -> Batch:
        split, views = self._split, request.drawn.views
        targets: dict[str, Tensor] = {}
        if request.targets:
            grids = views.to_square(split.settings.output_res)
            objects = split.objects[np.array(request.indices)]
            targets = draw_targets(objects, grids, views.flipped, split.settings)
        for crop in crops:
            crop.result()
        return Batch(
            images=torch.from_numpy(images),
            targets=targets,
            metas=split.metas(request) if request.metas else (),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Staged:
    """A batch in host memory, ready to be sent."""

    packed: PackedArrays
    largest: int  # radius
    fresh: tuple[int, ...]  # images whose pixels are not on the device
    pixels: Tensor | None  # (P, 3) theirs, with PAD at either end


class DeviceBatchMaker:
    """Makes batches on a device, on a stream of its own.

    Images that lie there are read in place. The others are decoded, or taken from host memory,
    and sent through page-locked memory with their batch; they stay if the store has a place for
    them.

    Args:
        split: The images.
        device: A GPU; a CPU computes the same, slowly.
    """

    ahead = 1

    def __init__(self, split: Split, device: torch.device) -> None:
        self._split = split
        self._device = device
        self._resident = split.stored.frames.resident
        self._on_gpu = device.type == "cuda"
        self._stream = _side_stream(device) if self._on_gpu else None
        if self._stream is not None:
            self._stream.wait_stream(torch.cuda.current_stream(device))

    def begin(self, pool: ThreadPoolExecutor, request: BatchRequest) -> Callable[[], Take]:
        """Starts a batch: a task an image that is not on the device, then one for the rest."""
        frames, fresh = self._split.stored.frames, list(request.indices)
        if self._resident is not None:
            fresh = self._resident.missing(fresh)
        decoded = [pool.submit(frames.pixels, index) for index in fresh]
        staged = pool.submit(self._stage, request, fresh, decoded)
        return lambda: self._launch(request, staged.result())

    # -- in a thread ------------------------------------------------------------------------------

    def _stage(
        self, request: BatchRequest, fresh: list[int], decoded: list[Future[Pixels]]
    ) -> _Staged:
        settings, views = self._split.settings, request.drawn.views
        rows = np.array(request.indices)
        maps, colours = views.to_square(settings.input_res), request.drawn.colours
        sizes = self._split.stored.frames.sizes
        arrays: Arrays = {
            "starts": self._starts(request, fresh),
            "extents": sizes[rows],
            "zoom": maps.zoom,
            "shift": maps.shift,
            "matrix": colours.matrix.astype(np.float32),
            "offset": colours.offset.astype(np.float32),
            "contrast": colours.contrast.astype(np.float32),
        }
        largest = 0
        if request.targets:
            grids = views.to_square(settings.output_res)
            marks = place_marks(self._split.objects[rows], grids, views.flipped, settings)
            arrays |= marks.arrays | {"peaks": marks.peaks}
            largest = marks.largest
        with self._own_device():
            packed = PackedArrays(arrays, pinned=self._on_gpu)
            return _Staged(packed, largest, tuple(fresh), self._joined(decoded))

    def _own_device(self) -> AbstractContextManager[object]:
        """A thread that page-locks memory would else begin to use the first GPU too."""
        return torch.cuda.device(self._device) if self._on_gpu else nullcontext()

    def _starts(self, request: BatchRequest, fresh: list[int]) -> npt.NDArray[Any]:
        """(B,) where each image begins: in the store, or among the pixels sent with the batch."""
        if self._resident is not None:
            return np.asarray(self._resident.starts[np.array(request.indices)])
        areas = self._split.stored.frames.sizes[np.array(fresh)].prod(1)
        return np.asarray(PAD + areas.cumsum() - areas)

    def _joined(self, decoded: list[Future[Pixels]]) -> Tensor | None:
        images = [image.result().reshape(-1, 3) for image in decoded]
        if not images:
            return None
        ends = PAD + np.cumsum([len(image) for image in images])
        pixels = torch.empty(int(ends[-1]) + PAD, 3, dtype=torch.uint8, pin_memory=self._on_gpu)
        for end, image in zip(ends, images, strict=True):
            np.copyto(pixels[end - len(image) : end].numpy(), image)
        return pixels

    # -- in the training's thread -----------------------------------------------------------------

    def _launch(self, request: BatchRequest, staged: _Staged) -> Take:
        with self._own_stream():
            batch = self._make(request, staged)
        if self._stream is None:
            return lambda: batch
        made = self._stream.record_event()
        return lambda: self._hand_over(batch, made)

    def _own_stream(self) -> AbstractContextManager[object]:
        return torch.cuda.stream(self._stream) if self._stream else nullcontext()

    def _make(self, request: BatchRequest, staged: _Staged) -> Batch:
        settings = self._split.settings
        sent = staged.packed.to(self._device)
        crops = Crops(sent.pop("starts"), sent.pop("extents"), sent.pop("zoom"), sent.pop("shift"))
        colours = sent.pop("matrix"), sent.pop("offset"), sent.pop("contrast")
        targets: dict[str, Tensor] = {}
        if request.targets:
            peaks = sent.pop("peaks")
            targets = sent | draw_heatmaps(peaks, sent["ind"], settings, staged.largest)
        return Batch(
            images=show_views(self._pixels(staged), crops, colours, settings.input_res),
            targets=targets,
            metas=self._split.metas(request) if request.metas else (),
        )

    def _pixels(self, staged: _Staged) -> Tensor:
        """The flat tensor that the batch is cropped from, on the device."""
        sent = staged.pixels
        if sent is not None:
            sent = sent.to(self._device, non_blocking=True)
        if self._resident is None:
            assert sent is not None  # noqa: S101 - every image was sent
            return sent
        if sent is not None:
            areas = self._split.stored.frames.sizes[np.array(staged.fresh)].prod(1).tolist()
            images = torch.split(sent[PAD : len(sent) - PAD], areas)
            for index, image in zip(staged.fresh, images, strict=True):
                self._resident.put(index, image)
        return self._resident.flat

    def _hand_over(self, batch: Batch, made: torch.cuda.Event) -> Batch:
        """Makes the current stream wait for the batch, and the allocator for the stream."""
        current = torch.cuda.current_stream(self._device)
        current.wait_event(made)
        for tensor in (batch.images, *batch.targets.values()):
            tensor.record_stream(current)
        return batch


@cache
def _side_stream(device: torch.device) -> torch.cuda.Stream:
    """One stream a device: what one loader puts there another finds in place."""
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
