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
from automl.centerpose.predict.images import LoadedImage, batches_of
from automl.centerpose.predict.objects import DetectedObject, detect_objects, to_json
from automl.centerpose.predict.outputs import OutputFiles, output_files
from automl.centerpose.predict.overlay import draw, write_image
from automl.centerpose.predict.predictor import open_predictor
from automl.centerpose.predict.scale import Scale, scale_of
from automl.centerpose.session.run import Run
from automl.centerpose.training.supported import check_supported
from automl.data.geometry import Array
from automl.data.objectron import Frame, list_frames
from automl.files import write_json

__all__ = ["inference"]


@dataclass(frozen=True, slots=True)
class _Task:
    """The images, what is known of each, and where its results go."""

    frames: Sequence[Frame]
    cameras: Sequence[Array] | None
    outputs: Sequence[OutputFiles]
    scale: Scale


def inference(spec: Experiment, run: Run) -> int:
    """Predicts on every image of ``dataset.inference_data``; returns the objects found.

    ``inference.visualization_threshold`` is the score that an object must exceed, in drawings and
    JSON files alike.

    Raises:
        NotImplementedError: The spec asks for something that this program does not do.
        ValueError: No folder is named, or it holds fewer images than a batch.
        FixInput: The checkpoint, the images, their cameras or the known size cannot be used as
            they are.
        OSError: An image cannot be decoded.
        InstallExtra: What runs an ONNX file is not installed.
        Interrupted: A signal ended the inference; what is written is whole.
    """
    check_supported(spec)
    task = _task(spec, run.folder)
    path = Path(spec.inference.checkpoint)
    prepare_torch(choose_seed(spec.train.seed), spec.train.cudnn)
    run.status.running(f"Loading checkpoint: {path}")
    predict = open_predictor(spec, path, spec.inference.gpu_ids)
    paths = [frame.image for frame in task.frames]
    n_objects = 0
    for images, batch in batches_of(paths, spec.dataset, loader_threads(spec.dataset.workers)):
        run.interrupt.check()
        detected = _objects_of(spec, task, images, predict(batch))
        for image, objects in zip(images, detected, strict=True):
            _save(spec, task, image, objects)
            n_objects += len(objects)
    run.say(f"{n_objects} objects in {len(paths)} images")
    said = task.scale.to_json()["from"]
    run.say(f"metres follow from {said}")
    return n_objects


def _task(spec: Experiment, folder: Path) -> _Task:
    data = spec.dataset
    if not data.inference_data:
        raise ValueError("dataset.inference_data must name a folder of images, but it is empty")
    scale = scale_of(spec)
    root = Path(data.inference_data)
    frames = list_frames(root, annotated=False)
    if len(frames) < data.batch_size:
        raise ValueError(
            f"dataset.inference_data must hold at least dataset.batch_size = {data.batch_size} "
            f"images, but {root} holds {len(frames)}; lower dataset.batch_size or add images"
        )
    pnp = spec.inference.use_pnp
    cameras = cameras_of(spec.inference, frames) if pnp else None
    outputs = output_files([frame.image for frame in frames], root, folder)
    return _Task(frames, cameras, outputs, scale)


def _objects_of(
    spec: Experiment, task: _Task, images: Sequence[LoadedImage], cells: Detections
) -> list[list[DetectedObject]]:
    """The objects of each image of a batch."""
    block, device = spec.inference, cells.scores.device
    views = Views.whole(np.array([image.pixels.shape[1::-1] for image in images]))
    center, size = (
        torch.as_tensor(values, dtype=torch.float64, device=device)
        for values in (views.center, views.size)
    )
    pixels = to_pixels(cells, center, size, spec.dataset.output_res)
    cameras = None if task.cameras is None else [task.cameras[image.number] for image in images]
    threshold, scale = block.visualization_threshold, task.scale
    return detect_objects(pixels, threshold, cameras, opencv=block.opencv, scale=scale)


def _save(
    spec: Experiment, task: _Task, image: LoadedImage, objects: Sequence[DetectedObject]
) -> None:
    """Writes the drawing and the JSON file of one image."""
    block, output = spec.inference, task.outputs[image.number]
    camera = None if task.cameras is None else task.cameras[image.number]
    if block.save_visualization:
        write_image(output.overlay, draw(image.pixels, objects, camera))
    if block.save_json:
        name = task.frames[image.number].image.name
        write_json(output.poses, to_json(name, objects, task.scale))
