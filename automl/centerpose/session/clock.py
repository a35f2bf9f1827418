"""How long a training took to begin."""

import os
import time

from automl.processes import started_at

__all__ = ["process_age"]


def process_age() -> float:
    """Seconds since this process was started, before its interpreter was loaded; 0 if unknown."""
    started = started_at("self")
    if not started:
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(started) / os.sysconf("SC_CLK_TCK")
