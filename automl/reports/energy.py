"""The energy that a study's GPUs took, from the samples of their power."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from automl.reports import words
from automl.study.gpu_samples import GpuSample

__all__ = ["GAP_S", "Energy", "energy_of"]

#: A longer gap between two samples is time in which nothing was driven.
GAP_S: Final = 60.0
_JOULES: Final = 3.6e6  # of a kilowatt-hour


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy of GPUs.

    Attributes:
        kwh: Kilowatt-hours of the boards, whoever used them.
        seconds: Seconds of GPUs that were sampled.
        n_samples: Samples with a power.
        n_gpus: GPUs.
    """

    kwh: float
    seconds: float
    n_samples: int
    n_gpus: int

    @property
    def said(self) -> str:
        """In a sentence, with how it was reckoned."""
        watts = self.kwh * _JOULES / self.seconds
        gpus = words.count(self.n_gpus, "GPU")
        return (
            f"{self.kwh:.3g} kWh of {gpus}, {watts:.0f} W on average: the trapezoid rule over "
            f"{words.count(self.n_samples, 'sample')} of their power, whoever used them; gaps "
            f"above {GAP_S:.0f} s count as nothing"
        )


def energy_of(samples: Sequence[GpuSample]) -> Energy | None:
    """The energy between the first sample and the last; None where no power is known.

    Between two samples of a GPU its power is taken to change evenly (the trapezoid rule).
    """
    by_gpu: dict[str, list[GpuSample]] = {}
    for sample in sorted(samples, key=lambda each: each.time):
        if math.isfinite(sample.power):
            by_gpu.setdefault(sample.gpu, []).append(sample)
    joules = seconds = 0.0
    for own in by_gpu.values():
        for first, second in pairwise(own):
            step = second.time - first.time
            if step <= GAP_S:
                joules += step * (first.power + second.power) / 2
                seconds += step
    if not seconds:
        return None
    return Energy(joules / _JOULES, seconds, sum(map(len, by_gpu.values())), len(by_gpu))
