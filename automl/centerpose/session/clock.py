"""How long a training took to begin."""

import os
import time
from pathlib import Path

__all__ = ["process_age"]

_STARTED = 19  # place of a process's start in its stat, after the name, in clock ticks since boot


def process_age() -> float:
    """Seconds since this process was started, before its interpreter was loaded; 0 if unknown."""
    try:
        fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        started = int(fields[_STARTED]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started
