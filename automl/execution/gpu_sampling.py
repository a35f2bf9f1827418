"""Sampling the GPUs of a study while it is driven; where nobody can ask them, nothing is done.

NVIDIA's management library answers in a millisecond, where ``nvidia-smi`` takes a process and
half a second. It hangs on a GPU that has fallen off its bus: the thread that asks is waited for
no longer than a moment.
"""

import importlib
import math
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from automl.errors import FixInput
from automl.study.config import Resources
from automl.study.gpu_samples import GpuSample, append_samples
from automl.study.layout import StudyPaths

__all__ = ["GpuMeter", "NvmlMeter", "gpus_used", "open_meter", "sampling"]

EVERY_S = 5.0
_LAST_WAIT_S = 2.0
_MILLIWATTS = 1000.0
_LIBRARY = "pynvml"


class GpuMeter(Protocol):
    """Whoever can say what GPUs do."""

    def read(self) -> list[GpuSample]:
        """A sample of each GPU that answers."""
        ...


class NvmlMeter:
    """GPUs as NVIDIA's management library sees them.

    Args:
        library: The library, initialised: the module ``pynvml``, or what behaves like it.
        indices: Which GPUs, by the driver's numbers; None for all.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        library: Any,
        indices: Collection[int] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._library = library
        self._indices = indices
        self._clock = clock

    def read(self) -> list[GpuSample]:
        """A sample of each GPU, by index; one that does not answer is left out."""
        now, indices = self._clock(), self._indices
        if indices is None:
            indices = range(self._asked(self._library.nvmlDeviceGetCount) or 0)
        samples = (self._sample(index, now) for index in sorted(indices))
        return [sample for sample in samples if sample is not None]

    def _sample(self, index: int, now: float) -> GpuSample | None:
        nvml = self._library
        gpu = self._asked(nvml.nvmlDeviceGetHandleByIndex, index)
        uuid = None if gpu is None else self._asked(nvml.nvmlDeviceGetUUID, gpu)
        memory = None if uuid is None else self._asked(nvml.nvmlDeviceGetMemoryInfo, gpu)
        if memory is None:
            return None
        # One that is split (MIG) has no utilisation, and some boards have no power meter.
        rates = self._asked(nvml.nvmlDeviceGetUtilizationRates, gpu)
        power = self._asked(nvml.nvmlDeviceGetPowerUsage, gpu)
        return GpuSample(
            now,
            str(uuid),
            index,
            math.nan if rates is None else float(rates.gpu),
            int(memory.used),
            math.nan if power is None else power / _MILLIWATTS,
        )

    def _asked(self, question: Callable[..., Any], *arguments: Any) -> Any:
        """The library's answer; None where it has none."""
        try:
            return question(*arguments)
        except self._library.NVMLError:
            return None


def gpus_used(resources: Resources) -> Collection[int] | None:
    """The GPUs that a study trains on: empty without any, None for all of the machine."""
    return resources.gpu_ids if resources.gpus_per_trial else ()


def open_meter(resources: Resources, library: Any = None) -> NvmlMeter | None:
    """The meter of a study's GPUs; None where it uses none, or nobody can be asked.

    Args:
        resources: What its trials run on.
        library: NVIDIA's management library; by default the installed one.
    """
    used = gpus_used(resources)
    if used is not None and not used:
        return None
    try:
        nvml = importlib.import_module(_LIBRARY) if library is None else library
    except ImportError:
        return None
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return None
    return NvmlMeter(nvml, used)


@contextmanager
def sampling(
    meter: GpuMeter | None, paths: StudyPaths, every_s: float = EVERY_S
) -> Iterator[None]:
    """Inside the block the study's log of samples grows.

    Args:
        meter: Whom to ask; None for nobody.
        paths: The study.
        every_s: Seconds between two samples.
    """
    if meter is None:
        yield
        return
    done = threading.Event()

    def sample() -> None:
        while True:
            # A full disk ends no search here: the driver itself deals with that.
            with suppress(OSError, FixInput):
                append_samples(paths, meter.read())
            if done.wait(every_s):
                return

    thread = threading.Thread(target=sample, name="gpu-samples", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(_LAST_WAIT_S)
