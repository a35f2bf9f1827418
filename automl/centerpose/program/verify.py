"""``verify``: whether an exported network finds the poses of its checkpoint, on real images.

It takes the spec of an export whose files are there, and looks at the annotated images of
``dataset.val_data``. The checkpoint in PyTorch is the reference; the ONNX file, and an engine
where one is named and can run here, are compared with it, each pose with the same pose.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import torch

from automl.centerpose.batches.loader import to_input
from automl.centerpose.config.experiment import Experiment
from automl.centerpose.deploy import extras
from automl.centerpose.deploy.engine import EngineNetwork
from automl.centerpose.deploy.input_contract import (
    contract_beside,
    input_contract,
    write_contract,
)
from automl.centerpose.deploy.parity import FoundPoses, Tolerance, compare_poses, found_poses
from automl.centerpose.deploy.runtime import OnnxNetwork, check_input, detections_of
from automl.centerpose.evaluation.detections import Detections
from automl.centerpose.hardware.device import choose_seed, loader_threads, prepare_torch
from automl.centerpose.predict.camera import cameras_of
from automl.centerpose.predict.images import batches_of
from automl.centerpose.predict.predictor import open_predictor
from automl.centerpose.program.actions import perform
from automl.centerpose.session.interrupt import Interrupt
from automl.centerpose.session.run import Run
from automl.centerpose.training.supported import check_supported
from automl.data.geometry import Array
from automl.data.objectron import Frame, list_frames
from automl.errors import AutomlError, FixInput
from automl.files import sha256_of, write_json

__all__ = ["PARITY_NAME", "VerifyOptions", "main", "verify"]

PARITY_NAME: Final = "parity.json"
SCHEMA: Final = "automl.parity/1"
_NUMBERS: Final = 3
_USUAL: Final = Tolerance()

Runner: TypeAlias = Callable[[Any], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """What is compared, and how strictly.

    Attributes:
        images: How many images, spread evenly over the split; None for all.
        engine: An engine to compare as well; None for none.
        tolerance: What is taken for rounding.
    """

    images: int | None = None
    engine: Path | None = None
    tolerance: Tolerance = _USUAL


@dataclass(frozen=True, slots=True, eq=False)
class _Images:
    """What is looked at.

    Attributes:
        frames: The images.
        cameras: The camera matrix (3, 3) of each.
        n_all: Images of the whole split.
    """

    frames: Sequence[Frame]
    cameras: Sequence[Array]
    n_all: int


def main(words: Sequence[str]) -> int:
    """``verify -e SPEC [--images N] [--engine FILE] [--tolerance PX,DEGREES,PERCENT]``."""
    parser = argparse.ArgumentParser(prog="python -m automl.centerpose verify")
    parser.add_argument("-e", dest="spec", type=Path, required=True, metavar="SPEC.yaml")
    parser.add_argument("--images", type=int, metavar="N", help="how many images (default: all)")
    parser.add_argument("--engine", type=Path, metavar="FILE", help="an engine to compare too")
    parser.add_argument("--tolerance", metavar="PX,DEGREES,PERCENT", help="default: 0.5,0.5,0.5")
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE")
    given = parser.parse_intermixed_args(words)
    tolerance = Tolerance()
    if given.tolerance:
        numbers = given.tolerance.split(",")
        if len(numbers) != _NUMBERS:
            parser.error("--tolerance takes pixels, degrees and per cent of the distance")
        tolerance = Tolerance(*map(float, numbers))
    options = VerifyOptions(given.images, given.engine, tolerance)
    interrupt = Interrupt()
    interrupt.listen()
    act = partial(verify, options=options)
    return perform("export", given.spec, given.overrides, interrupt, act).code


def verify(spec: Experiment, run: Run, options: VerifyOptions) -> None:
    """Compares ``export.onnx_file`` with ``export.checkpoint`` on ``dataset.val_data``.

    Writes ``parity.json``, and the contract of the input beside the ONNX file where there is none.

    Raises:
        NotImplementedError: The spec asks for something that this program does not do.
        FixInput: A file or the data cannot be used as they are.
        InstallExtra: What runs the ONNX file is not installed.
        Interrupted: A signal ended the comparison.
    """
    check_supported(spec)
    prepare_torch(choose_seed(spec.train.seed), spec.train.cudnn)
    began = time.perf_counter()
    images = _images(spec, options)
    onnx_file = Path(spec.export.onnx_file)
    network = OnnxNetwork(onnx_file, str(onnx_file))
    check_input(network, spec.dataset.input_res, str(onnx_file))
    runners: dict[str, tuple[str, Path, Runner]] = {
        "onnx": (f"onnxruntime {extras.onnxruntime().__version__}", onnx_file, network.run)
    }
    left_out = _add_engine(runners, options.engine)
    found, threshold = _look(spec, run, images, {name: each[2] for name, each in runners.items()})
    names = [frame.image.name for frame in images.frames]
    compared: dict[str, Any] = {}
    for name, (runtime, path, _) in runners.items():
        comparison = compare_poses(found["pytorch"], found[name], options.tolerance)
        about = {"runtime": runtime, "file": str(path), "sha256": sha256_of(path)}
        compared[name] = about | _named(comparison, names)
    if not contract_beside(onnx_file).exists():
        write_contract(onnx_file, spec)
    within = all(each["within"] for each in compared.values())
    table = {
        **_about(spec, images, threshold),
        "n_objects": sum(map(len, found["pytorch"])),
        "tolerance": asdict(options.tolerance),
        "compared": compared,
        "left_out": left_out,
        "input": input_contract(spec),
        "within": within,
        "seconds": round(time.perf_counter() - began, 3),
    }
    write_json(run.folder / PARITY_NAME, table)
    run.say(f"compared on {len(images.frames)} images: {'the same' if within else 'DIFFERENT'}")


def _about(spec: Experiment, images: _Images, threshold: float) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "checkpoint": spec.export.checkpoint,
        "reference": f"PyTorch {torch.__version__}",
        "n_images": len(images.frames),
        "n_all": images.n_all,
        "threshold": threshold,
        "threshold_of_spec": spec.inference.visualization_threshold,
    }


def _images(spec: Experiment, options: VerifyOptions) -> _Images:
    root = spec.dataset.val_data
    if not root:
        raise FixInput("poses are compared on images", got="none", fix="set dataset.val_data")
    frames = list_frames(Path(root))
    count = len(frames) if options.images is None else options.images
    if count < 1 or not frames:
        raise FixInput("at least one image must be compared", got=f"{count} of {len(frames)}")
    rows = np.unique(np.linspace(0, len(frames) - 1, min(count, len(frames))).round().astype(int))
    chosen = [frames[row] for row in rows]
    return _Images(chosen, cameras_of(spec.inference, chosen), len(frames))


def _add_engine(
    runners: dict[str, tuple[str, Path, Runner]], engine: Path | None
) -> dict[str, str]:
    """Adds the engine to what is compared, or says why not."""
    if engine is None:
        return {}
    try:
        network = EngineNetwork(engine)
    except AutomlError as error:
        return {"engine": f"{engine}: {error}"}
    runners["engine"] = f"TensorRT {network.version}", engine, network.run
    return {}


def _look(
    spec: Experiment, run: Run, images: _Images, runners: Mapping[str, Runner]
) -> tuple[dict[str, list[FoundPoses]], float]:
    """What each runtime finds in every image, and above which score.

    Where the checkpoint finds nothing above the spec's threshold, half of the least best score of
    an image takes its place, so that there is something to compare.
    """
    seen = [*_seen(spec, run, images, runners)]
    threshold = spec.inference.visualization_threshold
    best = torch.cat([each["pytorch"].scores[:, 0] for _, each in seen])
    if not bool((best > threshold).any()):
        threshold = float(best.min()) / 2.0
    found: dict[str, list[FoundPoses]] = {name: [] for name in ("pytorch", *runners)}
    start = 0
    for sizes, each in seen:
        cameras = images.cameras[start : start + len(sizes)]
        start += len(sizes)
        for name, cells in each.items():
            found[name] += found_poses(cells, sizes, cameras, threshold, spec.dataset.output_res)
    return found, threshold


def _seen(
    spec: Experiment, run: Run, images: _Images, runners: Mapping[str, Runner]
) -> Iterator[tuple[Array, dict[str, Detections]]]:
    """The sizes of a batch's images, and what each runtime says of them in cells."""
    select = replace(spec.inference, num_select=spec.export.num_select)
    path = Path(spec.export.checkpoint)
    predict = open_predictor(replace(spec, inference=select), path, (spec.export.gpu_id,))
    paths = [frame.image for frame in images.frames]
    for loaded, batch in batches_of(paths, spec.dataset, loader_threads(spec.dataset.workers)):
        run.interrupt.check()
        tensor = np.ascontiguousarray(to_input(batch).cpu().numpy())
        cells = {"pytorch": _on_cpu(predict(batch))}
        cells |= {name: detections_of(runner(tensor)) for name, runner in runners.items()}
        yield np.array([each.pixels.shape[1::-1] for each in loaded]), cells


def _on_cpu(detections: Detections) -> Detections:
    return Detections(*(values.double().cpu() for values in detections.fields()))


def _named(comparison: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The comparison with images by name instead of by place."""
    return {
        key: {**value, "image": names[value["image"]]} if isinstance(value, dict) else value
        for key, value in comparison.items()
    }
