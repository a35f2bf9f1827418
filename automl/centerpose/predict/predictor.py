"""What turns a batch into detections: a network from a checkpoint, or an exported one."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

import torch
from torch import nn

from automl.centerpose.batches.loader import Batch, to_input
from automl.centerpose.config.experiment import Experiment
from automl.centerpose.deploy.runtime import OnnxNetwork, check_input, is_onnx
from automl.centerpose.evaluation.decode import decode
from automl.centerpose.evaluation.detections import Detections
from automl.centerpose.evaluation.evaluator import Evaluator
from automl.centerpose.hardware.device import choose_device
from automl.centerpose.models.build import build_network
from automl.centerpose.session.checkpoints import load_weights, read_checkpoint

__all__ = ["Predict", "add_predictions", "open_exported", "open_predictor"]

Predict: TypeAlias = Callable[[Batch], Detections]
"""The (B, K) detections of a batch in cells of the maps, best first, on any device."""


def open_predictor(spec: Experiment, path: Path, gpu_ids: Sequence[int]) -> Predict:
    """What a checkpoint, or an ONNX file given as one, predicts.

    Raises:
        FixInput: The file cannot be used.
        InstallExtra: It is an ONNX file, and what runs one is not installed.
    """
    if is_onnx(path):
        return open_exported(spec, path)
    content = read_checkpoint(path)
    network = build_network(spec.model).to(choose_device(gpu_ids))
    load_weights(network, content, path)
    num_select = min(spec.inference.num_select, spec.dataset.output_res**2)
    return _Network(network.eval(), num_select)


def open_exported(spec: Experiment, path: Path) -> OnnxNetwork:
    """An exported network that takes images of the spec's size.

    Raises:
        FixInput: The file cannot be used.
        InstallExtra: What runs it is not installed.
    """
    network = OnnxNetwork(path, str(path))
    check_input(network, spec.dataset.input_res, str(path))
    return network


class _Network:
    """Detections by a network in this process."""

    def __init__(self, network: nn.Module, num_select: int) -> None:
        self._network = network
        self._num_select = num_select
        self._device = next(network.parameters()).device

    def __call__(self, batch: Batch) -> Detections:
        with torch.inference_mode():
            maps = self._network(to_input(batch.to(self._device)))
        return decode(maps, self._num_select)


def add_predictions(
    evaluator: Evaluator,
    predict: Predict,
    batches: Iterable[Batch],
    cells: int,
    check: Callable[[], None],
) -> None:
    """Adds what anything that predicts finds on a split.

    Args:
        evaluator: Takes it.
        predict: What predicts.
        batches: The split's images with what scoring needs to know of them.
        cells: Side of the maps in cells.
        check: Called before each batch; may raise to end the scoring.
    """
    for batch in batches:
        check()
        evaluator.add_detections(predict(batch), batch.metas, cells)
