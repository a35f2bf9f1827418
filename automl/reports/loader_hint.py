"""Whether trials waited for their data: how much their GPUs were used while they trained."""

import math
from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Final

from automl.reports import words
from automl.reports.derive import moment
from automl.reports.model import Summary
from automl.reports.phases import ByAttempt, PhaseName
from automl.study.gpu_samples import GpuSample

__all__ = ["USED_PERCENT", "loader_hint", "used_while_training"]

#: Below this use of its GPU a training is taken to wait for its data.
USED_PERCENT: Final = 60.0
_FEWEST: Final = 10


def used_while_training(
    summary: Summary, phases: ByAttempt, samples: Sequence[GpuSample]
) -> list[float]:
    """Use of a GPU in percent at each sample that fell into a training of a trial that held it.

    Starts, validations and ends are left out. Where nobody noted which trial held which GPU, the
    one GPU that was sampled counts as everyone's; of several, none.
    """
    spans = list(_spans(summary, phases))
    is_one = len({sample.gpu for sample in samples}) == 1
    return [
        sample.utilisation
        for sample in samples
        if math.isfinite(sample.utilisation)
        and any(
            begin <= sample.time <= end and (_holds(gpus, sample) or (is_one and not gpus))
            for begin, end, gpus in spans
        )
    ]


def loader_hint(summary: Summary, phases: ByAttempt, samples: Sequence[GpuSample]) -> str:
    """What the use of the GPUs says of the data; empty with fewer than ten samples."""
    used = used_while_training(summary, phases, samples)
    if len(used) < _FEWEST:
        return ""
    mean = fmean(used)
    said = (
        f"GPUs were used {mean:.0f} % while trials trained (n = {words.count(len(used), 'sample')}"
    )
    said += ", starts and validations left out)"
    if mean >= USED_PERCENT:
        return f"{said}: the data kept up."
    workers = summary.config.keys.workers
    more = f"more `{workers}`, " if workers else ""
    return (
        f"{said}, below {USED_PERCENT:.0f} %: they probably waited for their data. Try {more}"
        "data on a faster disk, a larger batch, or several trials on one GPU."
    )


def _spans(summary: Summary, phases: ByAttempt) -> Iterator[tuple[float, float, tuple[str, ...]]]:
    """Unix times of every piece of training, and the GPUs that it held."""
    for trial in summary.trials:
        for outcome in trial.attempts:
            start = moment(outcome.started_at)
            own = phases.get((trial.number, outcome.attempt))
            if start is None or own is None:
                continue
            for part in own.parts:
                if part.name is PhaseName.TRAINING:
                    begin = start.timestamp() + part.begin_s
                    yield begin, begin + part.length_s, own.gpus


def _holds(gpus: Sequence[str], sample: GpuSample) -> bool:
    return str(sample.index) in gpus or sample.gpu in gpus
