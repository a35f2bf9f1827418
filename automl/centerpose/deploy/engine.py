"""Running a TensorRT engine of an exported network, where the package ``tensorrt`` is."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from automl.centerpose.deploy.graph import INPUT, OUTPUTS
from automl.centerpose.deploy.runtime import Values
from automl.centerpose.hardware.device import has_gpus
from automl.errors import FixData, InstallExtra, PrepareMachine

__all__ = ["EngineNetwork"]


class EngineNetwork:
    """An engine on the first GPU.

    Args:
        path: The engine.

    Raises:
        InstallExtra: The package that runs engines is not installed.
        PrepareMachine: There is no GPU.
        FixData: The engine was built for another GPU or another release of TensorRT.
    """

    def __init__(self, path: Path) -> None:
        package = _package()
        if not has_gpus():
            raise PrepareMachine("an engine must run on a GPU", got="none", where=str(path))
        runtime = package.Runtime(package.Logger(package.Logger.ERROR))
        engine = runtime.deserialize_cuda_engine(path.read_bytes())
        if engine is None:
            raise FixData(
                "an engine must run on the kind of GPU and the release of TensorRT that built it",
                got=f"one that TensorRT {package.__version__} does not load",
                where=str(path),
                fix="build it here, or compare it where it was built",
            )
        self.version = str(package.__version__)
        self._kept = runtime, engine
        self._context = engine.create_execution_context()
        low, _, high = engine.get_tensor_profile_shape(INPUT, 0)
        self._batches = int(low[0]), int(high[0])
        self._device = torch.device("cuda", 0)

    def run(self, images: Values) -> Mapping[str, Values]:
        """The outputs by name for normalised images (B, 3, H, W), B as large as one likes."""
        fewest, most = self._batches
        parts = [self._run(images[i : i + most], fewest) for i in range(0, len(images), most)]
        return {name: np.concatenate([part[name] for part in parts]) for name in OUTPUTS}

    def _run(self, images: Values, fewest: int) -> dict[str, Values]:
        n = len(images)
        filling = np.zeros((max(0, fewest - n), *images.shape[1:]), np.float32)
        given = torch.from_numpy(np.concatenate([images, filling])).to(self._device).contiguous()
        self._context.set_input_shape(INPUT, tuple(given.shape))
        self._context.set_tensor_address(INPUT, given.data_ptr())
        outputs = {}
        for name in OUTPUTS:
            shape = tuple(self._context.get_tensor_shape(name))
            outputs[name] = torch.empty(shape, dtype=torch.float32, device=self._device)
            self._context.set_tensor_address(name, outputs[name].data_ptr())
        stream: Any = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]  # torch's own
        stream.wait_stream(torch.cuda.current_stream(self._device))
        self._context.execute_async_v3(stream.cuda_stream)
        stream.synchronize()
        return {name: values[:n].cpu().numpy() for name, values in outputs.items()}


def _package() -> Any:
    try:
        return importlib.import_module("tensorrt")
    except ImportError:
        raise InstallExtra(
            "running an engine needs the package tensorrt",
            got="none",
            fix="compare it where TensorRT is installed, in the release that built the engine",
        ) from None
