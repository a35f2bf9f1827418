"""What belongs to the TAO deploy container alone, refused with its name.

This module loads no torch: a refusal comes at once.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automl.centerpose.config.fields import MISSING_VALUE

__all__ = ["DEPLOY_ACTIONS", "refuse_engines"]

DEPLOY_ACTIONS = ("gen_trt_engine",)
"""Actions that build or need a TensorRT engine, and nothing else."""

_CONTAINER = "the deploy container (tao_toolkit.deploy in references/images.yaml)"


def refuse_engines(tree: Mapping[str, Any], action: str) -> None:
    """Checks that an action needs no TensorRT engine.

    Args:
        tree: The spec as given.
        action: The action about to run.

    Raises:
        NotImplementedError: It builds an engine, or is given one instead of a checkpoint.
    """
    if action in DEPLOY_ACTIONS:
        raise NotImplementedError(
            f"{action} builds a TensorRT engine: run `centerpose {action} -e SPEC.yaml` in "
            f"{_CONTAINER}; `evaluate` here scores the ONNX file that it builds from"
        )
    block = tree.get(action)
    if not isinstance(block, Mapping):
        return
    checkpoint = str(block.get("checkpoint") or MISSING_VALUE)
    engine = str(block.get("trt_engine") or "")
    if Path(checkpoint).suffix == ".engine":
        raise _engine(action, f"{action}.checkpoint", checkpoint)
    if engine and checkpoint == MISSING_VALUE:
        raise _engine(action, f"{action}.trt_engine", engine)


def _engine(action: str, key: str, path: str) -> NotImplementedError:
    return NotImplementedError(
        f"{key} is the TensorRT engine {path}: run `centerpose {action} -e SPEC.yaml` in "
        f"{_CONTAINER}, or give the ONNX file that it was built from as {action}.checkpoint"
    )
