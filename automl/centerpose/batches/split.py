"""A split of a data set: its images, and its objects as a training's settings see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from automl.centerpose.batches.augment import Augmentation, draw_epoch, unchanged
from automl.centerpose.batches.images import ImageStore
from automl.centerpose.batches.objects import Objects, objects_of
from automl.centerpose.config.dataset import Dataset
from automl.centerpose.evaluation.evaluator import ImageMeta
from automl.centerpose.session.cache import Cache
from automl.data.annotations import visibility_missing
from automl.data.objectron import Annotation, Frame, list_frames, read_annotation

__all__ = ["BatchRequest", "Split", "StoredSplit", "read_split", "read_stored"]


class StoredSplit:
    """What a folder holds, apart from every setting: images and annotations.

    Args:
        frames: The files, in the order that gives the images their numbers.
    """

    def __init__(self, frames: Sequence[Frame]) -> None:
        self.annotations: tuple[Annotation, ...] = tuple(
            read_annotation(frame.annotation) for frame in frames
        )
        self.frames = ImageStore([frame.image for frame in frames])
        self._files = tuple(frames)

    def require_visibility(self) -> None:
        """Refuses to score on objects of which nobody says how visible they are.

        Raises:
            FixData: There is one.
        """
        for frame, annotation in zip(self._files, self.annotations, strict=True):
            if any(item.visibility is None for item in annotation.objects):
                raise visibility_missing(frame.annotation).error()


@dataclass(frozen=True, slots=True, eq=False)
class BatchRequest:
    """A batch to be made.

    Attributes:
        indices: The images' numbers in the split.
        drawn: How each of them is shown, in that order.
        targets: Whether targets are wanted, for a loss.
        metas: Whether metas are wanted, for scoring.
    """

    indices: tuple[int, ...]
    drawn: Augmentation
    targets: bool = False
    metas: bool = False


class Split:
    """A stored split under the settings of one training.

    Args:
        stored: Images and annotations; trainings with other settings may share them.
        settings: The spec's ``dataset`` block.
    """

    def __init__(self, stored: StoredSplit, settings: Dataset) -> None:
        self.stored = stored
        self.settings = settings

    def __len__(self) -> int:
        return len(self.stored.annotations)

    @property
    def annotations(self) -> tuple[Annotation, ...]:
        """The images' annotations, in their order."""
        return self.stored.annotations

    @cached_property
    def objects(self) -> Objects:
        """The images' objects."""
        return objects_of(self.stored.annotations, self.settings)

    def draw(self, seed: int, epoch: int) -> Augmentation:
        """How an epoch of a training shows the images."""
        return draw_epoch(seed, epoch, self.stored.frames.sizes, self.settings)

    @cached_property
    def unchanged(self) -> Augmentation:
        """Every image whole and in its own colours."""
        return unchanged(self.stored.frames.sizes, self.settings)

    def request(
        self,
        indices: Sequence[int],
        drawn: Augmentation,
        *,
        targets: bool = False,
        metas: bool = False,
    ) -> BatchRequest:
        """A batch of some images, as ``drawn`` for the whole split shows them."""
        rows = drawn[np.array(indices, dtype=np.int64)]
        return BatchRequest(tuple(indices), rows, targets=targets, metas=metas)

    def metas(self, request: BatchRequest) -> tuple[ImageMeta, ...]:
        """What scoring needs to know of the images of a request."""
        views = request.drawn.views
        annotations = [self.annotations[index] for index in request.indices]
        return tuple(
            ImageMeta(
                annotation,
                views.center[k],
                float(views.size[k]),
                annotation.intrinsics.matrix(),
                index,
            )
            for k, (index, annotation) in enumerate(zip(request.indices, annotations, strict=True))
        )


def read_stored(root: Path) -> StoredSplit:
    """Everything in a split's folder; images are decoded when they are first asked for."""
    return StoredSplit(list_frames(root))


def read_split(
    root: str,
    key: str,
    settings: Dataset,
    n_devices: int,
    cache: Cache | None = None,
    *,
    scored: bool = False,
) -> Split:
    """The split in a folder, checked to fill one batch.

    Args:
        root: The folder.
        key: The spec's key that names it, for messages.
        settings: The spec's ``dataset`` block.
        n_devices: Devices that share a batch of ``batch_size`` images each.
        cache: What outlives a training: images and annotations are read once for all of them.
        scored: Whether it is scored on, which needs the visibility of every object.

    Raises:
        ValueError: No folder is named, or it holds fewer images than one step needs.
        FixData: The folder or one of its annotations is broken.
    """
    if not root:
        raise ValueError(f"{key} must name the folder of a split, but it is empty")
    folder = Path(root)
    everything = Cache() if cache is None else cache
    stored = everything.get(("stored", folder.resolve()), lambda: read_stored(folder))
    needed = settings.batch_size * n_devices
    if len(stored.annotations) < needed:
        raise ValueError(
            f"{key} must hold at least dataset.batch_size x devices = {needed} images, "
            f"but {root} holds {len(stored.annotations)}; lower dataset.batch_size or add images"
        )
    if scored:
        stored.require_visibility()
    return Split(stored, settings)
