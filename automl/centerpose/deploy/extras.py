"""The packages that only ONNX files need."""

import importlib
from typing import Any

from automl.errors import InstallExtra
from automl.extras import how_to_get

__all__ = ["onnx", "onnxruntime"]


def onnx() -> Any:
    """The package that reads and checks ONNX files.

    Raises:
        InstallExtra: It is not installed.
    """
    return _package("onnx", "writing an ONNX file")


def onnxruntime() -> Any:
    """The package that runs ONNX files.

    Raises:
        InstallExtra: It is not installed.
    """
    return _package("onnxruntime", "running an ONNX file")


def _package(name: str, purpose: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise InstallExtra(
            f"{purpose} needs the package {name}", fix=how_to_get("trainer")
        ) from None
