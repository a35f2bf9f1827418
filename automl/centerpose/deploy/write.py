"""From a decoding network to the bytes of an ONNX file."""

import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from automl.centerpose.deploy import extras
from automl.centerpose.deploy.graph import INPUT, OUTPUTS, DecodingNetwork

__all__ = ["GraphSettings", "onnx_bytes"]

_TRACED = 2  # images: with one, an operator could take the batch for a dimension to drop


@dataclass(frozen=True, slots=True)
class GraphSettings:
    """How the graph is written.

    Attributes:
        side_px: Width and height of the input.
        batch_size: Images a call; None leaves it open.
        opset: Version of ONNX's operator set.
        fold: Compute constant parts of the graph now.
        verbose: Print the traced graph.
    """

    side_px: int
    batch_size: int | None
    opset: int
    fold: bool
    verbose: bool


def onnx_bytes(graph: DecodingNetwork, settings: GraphSettings) -> bytes:
    """The file's content, checked against ONNX's own rules.

    Raises:
        InstallExtra: The package onnx is not installed.
    """
    onnx = extras.onnx()
    model = onnx.load_from_string(_traced(graph, settings))
    for output in model.graph.output:
        # The tracer forgets that K is a constant; engines are planned from these numbers.
        dimensions = output.type.tensor_type.shape.dim
        dimensions[1].dim_value = graph.num_select
        dimensions[2].dim_value = OUTPUTS[output.name]
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString()
    return content


def _traced(graph: DecodingNetwork, settings: GraphSettings) -> bytes:
    device = next(graph.parameters()).device
    batch = settings.batch_size or _TRACED
    example = torch.zeros(batch, 3, settings.side_px, settings.side_px, device=device)
    open_axes: dict[str, Any] = {name: {0: "batch"} for name in (INPUT, *OUTPUTS)}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        path = Path(folder) / "traced.onnx"
        # The exporter by tracing announces its own end at each call. Its successor writes opset
        # 18 and later, and the contract is 16. Whether the trace is right is checked afterwards,
        # on other batch sizes, so its guesses about constants are not repeated here.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph.eval(),
            (example,),
            path,
            dynamo=False,
            opset_version=settings.opset,
            input_names=[INPUT],
            output_names=list(OUTPUTS),
            dynamic_axes=None if settings.batch_size else open_axes,
            do_constant_folding=settings.fold,
            verbose=settings.verbose,
        )
        return path.read_bytes()
