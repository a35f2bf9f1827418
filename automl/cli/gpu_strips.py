"""The last ten minutes of each GPU as a strip: ``0 ▇▇▇▆▇▇▇▇ 91%``."""

import math
from collections.abc import Iterator, Sequence
from statistics import fmean

from automl.study.gpu_samples import GpuSample

__all__ = ["WINDOW_S", "strips"]

#: Seconds that a strip covers, and in how many parts.
WINDOW_S, _PARTS = 600.0, 8
_BARS = "▁▂▃▄▅▆▇█"
_LABEL, _BETWEEN = "gpu 10m ", "   "


def strips(samples: Sequence[GpuSample], now_s: float, width: int) -> Iterator[str]:
    """Lines of at most ``width`` columns with as many GPUs as fit; none without a sample.

    Args:
        samples: By time; those that are older than the window do not count.
        now_s: The end of the window, Unix seconds.
        width: Columns.
    """
    indices = {each.gpu: each.index for each in samples if _part(each, now_s) is not None}
    cells = [
        _strip(index, [each for each in samples if each.gpu == gpu], now_s)
        for gpu, index in sorted(indices.items(), key=lambda entry: entry[1])
    ]
    line = ""
    for cell in cells:
        longer = f"{line}{_BETWEEN}{cell}" if line else f"{_LABEL}{cell}"
        if line and len(longer) > width:
            yield line
            longer = " " * len(_LABEL) + cell
        line = longer
    if line:
        yield line


def _part(sample: GpuSample, now_s: float) -> int | None:
    """Which part of the window a sample lies in; None outside."""
    age = now_s - sample.time
    return None if not 0 <= age < WINDOW_S else _PARTS - 1 - int(age / WINDOW_S * _PARTS)


def _strip(index: int, samples: Sequence[GpuSample], now_s: float) -> str:
    known = [each for each in samples if math.isfinite(each.utilisation)]
    parts = [[s.utilisation for s in known if _part(s, now_s) == i] for i in range(_PARTS)]
    bars = "".join(_bar(fmean(part)) if part else " " for part in parts)
    newest = f"{known[-1].utilisation:.0f}%" if known else "-"
    return f"{index} {bars} {newest}"


def _bar(percent: float) -> str:
    share = min(1.0, max(0.0, percent / 100))
    return _BARS[min(len(_BARS) - 1, int(share * len(_BARS)))]
