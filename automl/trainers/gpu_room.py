"""Waiting until processes that have ended have given back the GPUs of the next attempt.

A process that was killed leaves its memory on the GPU until the driver has cleared it away, which
may take seconds; a training that begins meanwhile runs out of memory through no fault of its own.
NVIDIA's management library still lists such a process though the system knows it no more. Only
where process ids mean the same to both, outside any container, can that be told; elsewhere, and
where the library does not answer, nothing is waited for.
"""

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.processes import started_at
from automl.trainers.timing import Timing

__all__ = ["await_free"]

_LIBRARY = "pynvml"
_WAIT_S, _POLL_S = 10.0, 0.2
_GIB = 1 << 30
_NAMESPACE = Path("/proc/self/ns/pid")
#: The namespace of the processes of a whole machine; the number is the kernel's own.
_WHOLE_MACHINE = "pid:[4026531836]"


@dataclass(frozen=True, slots=True)
class _Held:
    """Memory of a process that has ended.

    Attributes:
        gpu: The GPU.
        pid: The process.
        n_bytes: How much it still has; 0 where the driver does not say.
    """

    gpu: str
    pid: int
    n_bytes: int

    def __str__(self) -> str:
        amount = f"{self.n_bytes / _GIB:.1f} GiB" if self.n_bytes else "memory"
        return f"{amount} of GPU {self.gpu} still held by pid {self.pid}, which has ended"


def await_free(gpus: Sequence[str], timing: Timing, library: Any = None) -> str:
    """Waits until no process that has ended holds memory of these GPUs, ten seconds at most.

    Args:
        gpus: Indices or UUIDs.
        timing: Time.
        library: NVIDIA's management library; by default the installed one.

    Returns:
        What was still held in the end, as a sentence; empty where nothing was, or nobody can say.
    """
    nvml = _opened(library) if gpus else None
    if nvml is None:
        return ""
    try:
        deadline = timing.monotonic() + _WAIT_S
        held = list(_held(nvml, gpus))
        while held and timing.monotonic() < deadline:
            timing.sleep(_POLL_S)
            held = list(_held(nvml, gpus))
        return "; ".join(map(str, held))
    finally:
        nvml.nvmlShutdown()


def _opened(library: Any) -> Any:
    """The library, initialised; None where it cannot tell who has ended."""
    try:
        if library is None and str(_NAMESPACE.readlink()) != _WHOLE_MACHINE:
            return None
        nvml = importlib.import_module(_LIBRARY) if library is None else library
    except (ImportError, OSError):
        return None
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return None
    return nvml


def _held(nvml: Any, gpus: Sequence[str]) -> Iterator[_Held]:
    for gpu in gpus:
        try:
            by_index = gpu.isdigit()
            find = nvml.nvmlDeviceGetHandleByIndex if by_index else nvml.nvmlDeviceGetHandleByUUID
            device = find(int(gpu) if by_index else gpu)
            processes = nvml.nvmlDeviceGetComputeRunningProcesses(device)
        except nvml.NVMLError:
            continue
        for process in processes:
            if not started_at(process.pid):
                yield _Held(gpu, process.pid, process.usedGpuMemory or 0)
