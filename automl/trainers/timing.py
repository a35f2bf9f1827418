"""Time as a value, so that the tests of an attempt need not wait for it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from automl.study.clock import Clock, utc_now

__all__ = ["Timing"]


@dataclass(frozen=True, slots=True)
class Timing:
    """What an attempt needs to know of time.

    Attributes:
        monotonic: Seconds that never go back; differences alone mean something.
        now: The time of day.
        sleep: Waits for a number of seconds.
    """

    monotonic: Callable[[], float] = time.monotonic
    now: Clock = utc_now
    sleep: Callable[[float], None] = time.sleep
