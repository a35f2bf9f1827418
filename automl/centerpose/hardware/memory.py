"""How much memory the decoded images of a data set may take, on a GPU and on the host.

The rule for a GPU: set aside what a training may need, 2 GiB and 9 KiB for each pixel of an input
batch (twice what the largest network in daily use, ``fan_small`` in fp32, takes); of what is free
beyond that a data set may take half. The rule for the host: a quarter of what is available when
the first image is decoded. Both are asked anew for each data set, so that several trainings on a
machine leave each other room.
"""

from pathlib import Path

import torch

from automl.control_groups import ControlGroups

__all__ = ["fits_on", "host_share"]

_GIB = 1 << 30
_TRAINING_FIXED = 2 * _GIB
_TRAINING_PER_PIXEL = 9 << 10
_OWN = ControlGroups()
_UNKNOWN = 4 * _GIB  # taken for a host that does not say how much is available


def fits_on(device: torch.device, n_bytes: int, batch_pixels: int, *, held: int = 0) -> bool:
    """Whether a data set may lie on a GPU beside a training.

    Args:
        device: The GPU; a CPU has no room of its own.
        n_bytes: The decoded images.
        batch_pixels: Pixels of one input batch.
        held: Bytes of the same data set that lie there already.
    """
    if device.type != "cuda":
        return False
    cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    free = torch.cuda.mem_get_info(device)[0] + cached + held
    return n_bytes <= share_of_gpu(free, batch_pixels)


def share_of_gpu(free: int, batch_pixels: int) -> int:
    """Bytes of ``free`` ones that a data set may take beside a training."""
    return max(0, free - _TRAINING_FIXED - _TRAINING_PER_PIXEL * batch_pixels) // 2


def host_share(meminfo: Path = Path("/proc/meminfo"), groups: ControlGroups = _OWN) -> int:
    """Bytes of host memory that a data set may take.

    Args:
        meminfo: What the kernel says of the machine.
        groups: What it says of the container or the batch job this process may be in.
    """
    left = groups.memory_left()
    free = _machine(meminfo)
    return (free if left is None else min(free, left)) // 4


def _machine(meminfo: Path) -> int:
    if meminfo.is_file():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    return _UNKNOWN
