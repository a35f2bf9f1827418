"""A search with everything that a page can show, as a driver leaves it."""

import math
from pathlib import Path

from automl.reports.summary import read_summary
from automl.reports.write import write_summary
from automl.skill.keys import NetworkKeys
from automl.space.distributions import Choice
from automl.space.model import SearchSpace
from automl.space.parameter import Parameter
from automl.study import attributes
from automl.study.gpu_samples import GpuSample, append_samples
from automl.study.limits import Limits
from automl.study.records import FailureClass, OutcomeState
from tests.unit.reports.study_builder import (
    METRIC,
    SPACE,
    START,
    StudyBuilder,
    Told,
    config,
    params,
)

TRIALS = 36
WINNER = 20
SECRET = "abcdef0123456789"  # noqa: S105 - made up; it must not reach the page
_KEYS = NetworkKeys(
    epochs="train.num_epochs", batch_sizes=("dataset.batch_size",), seed="train.seed"
)
_SPACE = SearchSpace(
    (*SPACE.parameters, Parameter("dataset.no_color_aug", "bool", Choice((False, True)), False)),
    inert=SPACE.inert,
    refused=SPACE.refused,
)
_IMAGES = {"train": {"images": 1284}, "val": {"images": 212}}


def a_whole_study(studies: Path) -> Path:
    """The page of a search of 36 trials and six confirmations."""
    study = config("bike-fan", limits=Limits(trials=TRIALS, confirm=3, confirm_top=1), keys=_KEYS)
    builder = StudyBuilder(studies, study, _SPACE, images=_IMAGES)
    for number in range(TRIALS):
        builder.add(number, _told(number))
        _texts(builder, number)
    for i in range(6):
        confirms = (0, WINNER)[i % 2]
        curve = [0.0, (0.31 if confirms == 0 else 0.70) + 0.01 * i]
        own = _told(confirms).params
        told = Told(own, curve, begin_s=900 + 60 * i, source=attributes.SOURCE_CONFIRM,
                    confirms=confirms)  # fmt: skip
        builder.add(TRIALS + i, told)
    append_samples(builder.paths, _samples())
    return write_summary(read_summary(builder.folder))[0]


def _told(number: int) -> Told:
    lr = 10 ** (-5 + 3 * (number * 0.618034 % 1)) if number else 6e-5
    batch = 1 + number * 5 % 16 if number else 4
    own = {
        **params(lr, batch, ("nano", "DLA34")[number % 2]),
        "dataset.no_color_aug": number % 3 == 1,
    }
    top = 0.72 if number == WINNER else 0.6 * math.exp(-((math.log10(lr) + 3.0) ** 2))
    curve = [top * (1 - math.exp(-epoch / 2.5)) for epoch in range(10)]
    begin = 40.0 * (number // 2) + 7 * (number % 2)
    if number % 9 == 7:
        oom = "CUDA out of memory"
        return Told(own, (), OutcomeState.FAILED, FailureClass.OOM, oom, begin, 9)
    if number % 5 == 3:
        said = "rung 3: below the median"
        return Told(own, curve[:4], OutcomeState.PRUNED, begin_s=begin, seconds=15, evidence=said)
    source = attributes.SOURCE_DEFAULT if number == 0 else attributes.SOURCE_SAMPLER
    return Told(own, curve, begin_s=begin, seconds=36, source=source)


def _texts(builder: StudyBuilder, number: int) -> None:
    attempt = builder.paths.attempt(number, 1)
    lines = [
        f"epoch {i} of trial {number}: {METRIC} and loss {6 / (i + 1):.3f}" for i in range(60)
    ]
    attempt.log.write_text("\n".join([*lines, f"WANDB_API_KEY={SECRET}"]), encoding="utf-8")
    spec = "\n".join(f"  key_{i}: {i}" for i in range(150))
    attempt.spec.write_text(f"train:\n  num_epochs: 10\n{spec}\n", encoding="utf-8")


def _samples() -> list[GpuSample]:
    start = START.timestamp()
    return [
        GpuSample(start + t, f"GPU-{g}", g, 90.0 if 0 < t < 700 else 0.0, 20 << 30, 600.0)
        for t in range(-20, 900, 10)
        for g in (0, 1)
    ]
