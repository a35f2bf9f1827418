"""The NVIDIA GPUs of this machine and who uses them, as the driver's own program lists them.

``nvidia-smi`` comes with every driver, so nothing has to be installed to ask it. It knows nothing
of ``CUDA_VISIBLE_DEVICES``: every GPU is listed, in the driver's order.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Gpu", "GpuProcess", "read_gpus", "visible_gpus"]

_TIMEOUT_S = 20.0
# The name comes last: it alone may hold a comma.
_GPU = ("index", "uuid", "memory.total", "memory.used", "driver_version", "name")
_PROCESS = ("gpu_uuid", "pid", "process_name")


@dataclass(frozen=True, slots=True)
class GpuProcess:
    """A process that computes on a GPU.

    Attributes:
        pid: Its id; seen from inside a container it may be the host's.
        name: Its program.
    """

    pid: int
    name: str


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU.

    Attributes:
        index: The driver's number for it, from 0.
        uuid: What names it whatever the order.
        name: The model.
        memory_total_mib: Memory in MiB; 0 where the driver does not say.
        memory_used_mib: How much of it is taken, by whomever; 0 where the driver does not say.
        driver: Version of the driver.
        processes: Who computes on it, as far as this process may see them.
    """

    index: int
    uuid: str
    name: str
    memory_total_mib: int = 0
    memory_used_mib: int = 0
    driver: str = ""
    processes: tuple[GpuProcess, ...] = ()

    @property
    def memory_free_mib(self) -> int:
        """Memory that is free now, in MiB."""
        return max(0, self.memory_total_mib - self.memory_used_mib)


def read_gpus() -> Sequence[Gpu]:
    """Every GPU in index order; none where there is no driver, or where it does not answer."""
    rows = _query("gpu", _GPU)
    if not rows:
        return []
    processes = [_process(row) for row in _query("compute-apps", _PROCESS) if row[1].isdigit()]
    gpus = [_gpu(row, processes) for row in rows if row[0].isdigit()]
    return sorted(gpus, key=lambda gpu: gpu.index)


def visible_gpus(gpus: Sequence[Gpu]) -> Sequence[Gpu]:
    """Those of them that ``CUDA_VISIBLE_DEVICES`` leaves to this process; all where it is not set.

    A batch system sets it to what a job was given, where it does not hide the others altogether.
    """
    said = os.environ.get("CUDA_VISIBLE_DEVICES")
    if said is None:
        return gpus
    names = [name.strip() for name in said.split(",") if name.strip()]
    return [gpu for gpu in gpus if any(_is_named(gpu, name) for name in names)]


def _is_named(gpu: Gpu, name: str) -> bool:
    return name == str(gpu.index) or (name.startswith("GPU-") and gpu.uuid.startswith(name))


def _gpu(row: Sequence[str], processes: Sequence[tuple[str, GpuProcess]]) -> Gpu:
    index, uuid, total, used, driver, name = row
    own = tuple(process for where, process in processes if where == uuid)
    return Gpu(int(index), uuid, name, _mib(total), _mib(used), driver, own)


def _process(row: Sequence[str]) -> tuple[str, GpuProcess]:
    uuid, pid, name = row
    return uuid, GpuProcess(int(pid), name)


def _mib(text: str) -> int:
    """A number of MiB; 0 for the likes of ``[N/A]``."""
    return int(text) if text.isdigit() else 0


def _query(what: str, fields: Sequence[str]) -> list[list[str]]:
    """The rows of one of nvidia-smi's tables; none if it is missing, fails or hangs."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    command = [program, f"--query-{what}={','.join(fields)}", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    if answer.returncode != 0:
        return []
    rows = [line.split(", ", len(fields) - 1) for line in answer.stdout.splitlines()]
    return [[cell.strip() for cell in row] for row in rows if len(row) == len(fields)]
