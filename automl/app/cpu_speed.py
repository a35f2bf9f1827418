"""How fast this machine's CPUs multiply matrices, which is what bounds a training on them."""

import time
from functools import cache

__all__ = ["SHARE", "gflop_per_second"]

_SIDE = 768
_TRIES = 4
#: Least and most of that rate that a training has reached (nano and DLA34 at 128 and 512 px, in
#: fp32, on one core of an AMD EPYC: 0.32 to 0.59), with room for other machines.
SHARE = (0.25, 0.8)


@cache
def gflop_per_second() -> float:
    """1e9 operations a second of one CPU thread in fp32, as matrix products show; takes 0.1 s.

    Seconds of the CPU are counted, not of the clock: what else runs here slows both down.
    """
    import numpy as np

    square = np.random.default_rng(0).random((_SIDE, _SIDE), dtype=np.float32)
    times = []
    for _ in range(_TRIES):
        begun = time.process_time()
        square @ square
        times.append(time.process_time() - begun)
    return 2e-9 * _SIDE**3 / max(min(times), 1e-9)
