"""The ``export`` action: a checkpoint becomes one ONNX file with its decoder inside."""

from pathlib import Path

import torch

from automl.centerpose.config.experiment import Experiment
from automl.centerpose.config.export import Export
from automl.centerpose.deploy import extras
from automl.centerpose.deploy.agreement import check_agreement
from automl.centerpose.deploy.graph import DecodingNetwork
from automl.centerpose.deploy.input_contract import write_contract
from automl.centerpose.deploy.runtime import OnnxNetwork
from automl.centerpose.deploy.write import GraphSettings, onnx_bytes
from automl.centerpose.hardware.device import choose_device
from automl.centerpose.models.build import build_network
from automl.centerpose.session.checkpoints import load_weights, read_checkpoint
from automl.centerpose.session.run import Run
from automl.centerpose.training.supported import check_supported
from automl.errors import FixInput
from automl.files import write_bytes

__all__ = ["export"]

_OPSETS = range(13, 21)  # what the exporter by tracing writes; below 13 some operators lack
_OPEN = -1  # export.batch_size that leaves the batch open
_CHECKED = (1, 3)  # images at once, for an open batch


def export(spec: Experiment, run: Run) -> Path:
    """Writes ``export.checkpoint`` as ``export.onnx_file``, whole or not at all.

    The written graph is run beside the network before the file appears. How its input must be
    prepared lies beside it (``deploy/input_contract``).

    Raises:
        NotImplementedError: The spec asks for something that this program does not do.
        ValueError: A setting of the block has no meaning.
        FixInput: The checkpoint cannot be used, or the file exists already.
        InstallExtra: A package that ONNX needs is not installed.
        RuntimeError: The written graph does not answer like the network.
        Interrupted: A signal ended the export; nothing was written.
    """
    check_supported(spec)
    target, settings = _target(spec.export), _settings(spec)
    extras.onnx()
    extras.onnxruntime()
    graph = _graph(spec, run)
    run.interrupt.check()
    device = torch.device("cpu") if spec.export.on_cpu else choose_device((spec.export.gpu_id,))
    content = onnx_bytes(graph.to(device), settings)
    run.interrupt.check()
    batches = _CHECKED if settings.batch_size is None else (settings.batch_size,)
    # On the CPU both compute in full fp32; a GPU may round products.
    written = OnnxNetwork(content, str(target))
    worst = check_agreement(graph.cpu(), written, settings.side_px, batches)
    run.interrupt.check()
    write_bytes(target, content)
    write_contract(target, spec)
    run.say(
        f"Wrote {target}: {len(content) / 1e6:.1f} MB, opset {settings.opset}; onnxruntime and "
        f"PyTorch differ by {worst:.1e} at most on batches of {', '.join(map(str, batches))}"
    )
    return target


def _graph(spec: Experiment, run: Run) -> DecodingNetwork:
    """The trained network with its decoder, on the CPU."""
    if not spec.export.checkpoint:
        raise ValueError("export.checkpoint must name the checkpoint to export, but it is empty")
    path = Path(spec.export.checkpoint)
    content = read_checkpoint(path)
    network = build_network(spec.model)
    run.status.running(f"Loading checkpoint: {path}")
    load_weights(network, content, path)
    cells = spec.dataset.output_res**2
    return DecodingNetwork(
        network.eval(), spec.dataset.output_res, min(spec.export.num_select, cells)
    )


def _target(block: Export) -> Path:
    if not block.onnx_file:
        raise ValueError("export.onnx_file must name the file to write, but it is empty")
    path = Path(block.onnx_file)
    if path.exists():
        raise FixInput(
            "export.onnx_file must not exist yet",
            got=str(path),
            fix="name another file, or remove this one",
        )
    return path


def _settings(spec: Experiment) -> GraphSettings:
    block = spec.export
    side = spec.dataset.input_res
    if (block.input_channel, block.input_width, block.input_height) != (3, side, side):
        raise FixInput(
            "export.input_channel, input_width and input_height must be 3 and, twice, "
            "dataset.input_res, which is the size that the network was trained for",
            got=f"{block.input_channel}, {block.input_width}, {block.input_height} for {side}",
        )
    if block.batch_size != _OPEN and block.batch_size < 1:
        raise ValueError(
            f"export.batch_size must be {_OPEN} (open) or at least 1, got {block.batch_size}"
        )
    if block.num_select < 1:
        raise ValueError(f"export.num_select must be at least 1, got {block.num_select}")
    if block.opset_version not in _OPSETS:
        raise NotImplementedError(
            f"export.opset_version must be {_OPSETS[0]} to {_OPSETS[-1]}, but got "
            f"{block.opset_version}"
        )
    batch = None if block.batch_size == _OPEN else block.batch_size
    return GraphSettings(
        side, batch, block.opset_version, block.do_constant_folding, block.verbose
    )
