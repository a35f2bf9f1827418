"""The ``inference`` action: a drawing and a JSON file for each image of a folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from automl.centerpose.config.experiment import Experiment
from automl.centerpose.device import choose_seed, loader_threads, prepare_torch
from automl.centerpose.evaluation.decode import to_pixels
from automl.centerpose.evaluation.detections import Detections
from automl.centerpose.predict.camera import cameras_of
from automl.centerpose.predict.found import find, to_json
from automl.centerpose.predict.overlay import draw, write_image
from automl.centerpose.predict.pictures import Picture, batches_of
from automl.centerpose.predict.places import Place, places_of
from automl.centerpose.predict.predictor import open_predictor
from automl.centerpose.run import Run
from automl.centerpose.supported import check_supported
from automl.data.geometry import Array
from automl.data.objectron import Frame, list_frames
from automl.files import write_json

__all__ = ["inference"]


@dataclass(frozen=True, slots=True)
class _Job:
    """The images, what is known of each, and where its results go."""

    frames: Sequence[Frame]
    cameras: Sequence[Array | None]
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
        for picture, cells in zip(pictures, predict(batch), strict=True):
            n_found += _save(spec, job, picture, cells)
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
    cameras = cameras_of(spec.inference, frames) if pnp else [None] * len(frames)
    return _Job(frames, cameras, places_of([frame.image for frame in frames], root, folder))


def _save(spec: Experiment, job: _Job, picture: Picture, cells: Detections) -> int:
    """Writes what was found in one image; returns how many objects."""
    block = spec.inference
    camera, place = job.cameras[picture.number], job.places[picture.number]
    view = picture.view
    pixels = to_pixels(cells, view.center, view.size, spec.dataset.output_res)
    found = find(pixels, block.visualization_threshold, camera, opencv=block.opencv)
    if block.save_visualization:
        write_image(place.overlay, draw(picture.pixels, found, camera))
    if block.save_json:
        write_json(place.poses, to_json(job.frames[picture.number].image.name, found))
    return len(found)
