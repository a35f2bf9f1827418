"""The ``inference`` action: a drawing and a JSON file for each image of a folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from automl.centerpose.batches.augment import Views
from automl.centerpose.config.experiment import Experiment
from automl.centerpose.evaluation.decode import to_pixels
from automl.centerpose.evaluation.detections import Detections
from automl.centerpose.hardware.device import choose_seed, loader_threads, prepare_torch
from automl.centerpose.predict.camera import cameras_of
from automl.centerpose.predict.found import FoundObject, find, to_json
from automl.centerpose.predict.overlay import draw, write_image
from automl.centerpose.predict.pictures import Picture, batches_of
from automl.centerpose.predict.places import Place, places_of
from automl.centerpose.predict.predictor import open_predictor
from automl.centerpose.session.run import Run
from automl.centerpose.training.supported import check_supported
from automl.data.geometry import Array
from automl.data.objectron import Frame, list_frames
from automl.files import write_json

__all__ = ["inference"]


@dataclass(frozen=True, slots=True)
class _Job:
    """The images, what is known of each, and where its results go."""

    frames: Sequence[Frame]
    cameras: Sequence[Array] | None
    places: Sequence[Place]


def inference(spec: Experiment, run: Run) -> int:
    """Predicts on every image of ``dataset.inference_data``; returns the objects found.

    ``inference.visualization_threshold`` is the score that an object must exceed, in drawings and
    JSON files alike.

    Raises:
        NotImplementedError: The spec asks for something that this program does not do.
        ValueError: No folder is named, or it holds fewer images than a batch.
        FixInput: The checkpoint, the images or their cameras cannot be used as they are.
        OSError: An image cannot be decoded.
        InstallExtra: What runs an ONNX file is not installed.
        Interrupted: A signal ended the inference; what is written is whole.
    """
    check_supported(spec)
    job = _job(spec, run.folder)
    path = Path(spec.inference.checkpoint)
    prepare_torch(choose_seed(spec.train.seed), spec.train.cudnn)
    run.status.running(f"Loading checkpoint: {path}")
    predict = open_predictor(spec, path, spec.inference.gpu_ids)
    images = [frame.image for frame in job.frames]
    n_found = 0
    for pictures, batch in batches_of(images, spec.dataset, loader_threads(spec.dataset.workers)):
        run.interrupt.check()
        found = _found(spec, job, pictures, predict(batch))
        for picture, objects in zip(pictures, found, strict=True):
            _save(spec, job, picture, objects)
            n_found += len(objects)
    run.say(f"{n_found} objects in {len(images)} images")
    return n_found


def _job(spec: Experiment, folder: Path) -> _Job:
    data = spec.dataset
    if not data.inference_data:
        raise ValueError("dataset.inference_data must name a folder of images, but it is empty")
    root = Path(data.inference_data)
    frames = list_frames(root, annotated=False)
    if len(frames) < data.batch_size:
        raise ValueError(
            f"dataset.inference_data must hold at least dataset.batch_size = {data.batch_size} "
            f"images, but {root} holds {len(frames)}; lower dataset.batch_size or add images"
        )
    pnp = spec.inference.use_pnp
    cameras = cameras_of(spec.inference, frames) if pnp else None
    return _Job(frames, cameras, places_of([frame.image for frame in frames], root, folder))


def _found(
    spec: Experiment, job: _Job, pictures: Sequence[Picture], cells: Detections
) -> list[list[FoundObject]]:
    """The objects of each image of a batch."""
    block, device = spec.inference, cells.scores.device
    views = Views.whole(np.array([picture.pixels.shape[1::-1] for picture in pictures]))
    center, size = (
        torch.as_tensor(values, dtype=torch.float64, device=device)
        for values in (views.center, views.size)
    )
    pixels = to_pixels(cells, center, size, spec.dataset.output_res)
    cameras = None if job.cameras is None else [job.cameras[each.number] for each in pictures]
    return find(pixels, block.visualization_threshold, cameras, opencv=block.opencv)


def _save(spec: Experiment, job: _Job, picture: Picture, found: Sequence[FoundObject]) -> None:
    """Writes what was found in one image."""
    block, place = spec.inference, job.places[picture.number]
    camera = None if job.cameras is None else job.cameras[picture.number]
    if block.save_visualization:
        write_image(place.overlay, draw(picture.pixels, found, camera))
    if block.save_json:
        write_json(place.poses, to_json(job.frames[picture.number].image.name, found))
