"""Running an exported network with onnxruntime, on the CPU."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from automl.centerpose.batches.loader import Batch, to_input
from automl.centerpose.deploy import extras
from automl.centerpose.deploy.graph import INPUT, OUTPUTS
from automl.centerpose.evaluation.detections import Detections
from automl.checkpointfile import check_checkpoint_file
from automl.errors import FixData, FixInput

__all__ = ["OnnxNetwork", "Values", "check_input", "detections_of", "is_onnx"]

Values = npt.NDArray[np.float32]

_QUIET = 3  # errors only


def is_onnx(path: Path) -> bool:
    """Whether a checkpoint's name says that it is an exported network."""
    return path.suffix.lower() == ".onnx"


class OnnxNetwork:
    """An exported network and its decoder.

    Args:
        model: The file, or its content.
        where: What to call it in messages.

    Raises:
        InstallExtra: The package onnxruntime is not installed.
        FixData: It does not load, or has not the input and outputs of a CenterPose export.
    """

    def __init__(self, model: Path | bytes, where: str) -> None:
        self._session = _session(model, where)
        problem = _not_centerpose(self._session)
        if problem:
            raise FixData(
                f"an exported CenterPose network must take {INPUT} and give {', '.join(OUTPUTS)}",
                got=problem,
                where=where,
                fix="export it with `python -m automl.centerpose export`",
            )
        batch, _, height, width = self._session.get_inputs()[0].shape
        self.batch_size: int | None = batch if isinstance(batch, int) else None
        self.input_size: tuple[Any, Any] = (height, width)

    def __call__(self, batch: Batch) -> Detections:
        """(B, K) detections of a batch, in cells of the maps, best first."""
        return detections_of(self.run(to_input(batch).contiguous().cpu().numpy()))

    def run(self, images: Values) -> Mapping[str, Values]:
        """The outputs by name for normalised images (B, 3, H, W), B as large as one likes.

        A file for a fixed number of images is run as often as needed, the last time filled up
        with black ones.
        """
        step = self.batch_size or len(images)
        parts = [self._run(images[i : i + step], step) for i in range(0, len(images), step)]
        return {name: np.concatenate([part[name] for part in parts]) for name in OUTPUTS}

    def _run(self, images: Values, step: int) -> dict[str, Values]:
        n = len(images)
        padded = np.concatenate([images, np.zeros((step - n, *images.shape[1:]), np.float32)])
        outputs = self._session.run(list(OUTPUTS), {INPUT: padded})
        return {name: value[:n] for name, value in zip(OUTPUTS, outputs, strict=True)}


def check_input(network: OnnxNetwork, side_px: int, where: str) -> None:
    """Checks that an exported network takes images of the size that the spec prepares.

    Raises:
        FixInput: It does not.
    """
    sides = [side for side in network.input_size if isinstance(side, int)]
    if any(side != side_px for side in sides):
        height, width = network.input_size
        raise FixInput(
            "dataset.input_res must be the input size of the exported network",
            got=f"{side_px} for a network of {width} x {height}",
            where=where,
            fix=f"set dataset.input_res={width} and dataset.output_res={int(width) // 4}",
        )


def _session(model: Path | bytes, where: str) -> Any:
    runtime = extras.onnxruntime()
    if isinstance(model, Path):
        check_checkpoint_file(model)
    options = runtime.SessionOptions()
    options.log_severity_level = _QUIET
    options.intra_op_num_threads = torch.get_num_threads()
    source = str(model) if isinstance(model, Path) else model
    try:
        return runtime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except _load_errors() as error:
        raise FixData(
            "an ONNX file must load",
            got=str(error).splitlines()[0],
            where=where,
            fix="export it anew",
        ) from error


def _load_errors() -> tuple[type[Exception], ...]:
    """What onnxruntime raises for a file that is no model, or none that it can run."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    return (
        state.Fail,
        state.InvalidArgument,
        state.InvalidGraph,
        state.InvalidProtobuf,
        state.NoModel,
        state.NotImplemented,
        state.RuntimeException,
    )


def _not_centerpose(session: Any) -> str:
    """What the file has instead of the contract's input and outputs; empty if it fits."""
    inputs = {node.name: node for node in session.get_inputs()}
    if set(inputs) != {INPUT} or len(inputs[INPUT].shape) != 4:
        return f"the inputs {', '.join(inputs)}"
    given = [node.name for node in session.get_outputs()]
    return "" if set(OUTPUTS) <= set(given) else f"the outputs {', '.join(given)}"


def detections_of(outputs: Mapping[str, Values]) -> Detections:
    """The outputs of an exported network as detections; a box's middle is the refined centre."""
    named = {name: torch.from_numpy(value).double() for name, value in outputs.items()}
    boxes = named["bboxes"]
    return Detections(
        scores=named["scores"][:, :, 0],
        boxes=boxes,
        centers=(boxes[:, :, :2] + boxes[:, :, 2:]) / 2.0,
        points=named["kps_displacement_mean"].reshape(*boxes.shape[:2], 8, 2),
        scale=named["obj_scale"],
    )
