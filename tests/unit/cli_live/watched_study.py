"""A study folder as a driver leaves it in the middle of a search on two GPUs."""

import os
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

from automl.files import write_json
from automl.processes import started_at
from automl.study.config import Resources
from automl.study.gpu_samples import GpuSample, append_samples
from automl.study.limits import Limits
from automl.study.live import LiveAttempt
from automl.study.lock import Owner
from automl.study.records import FailureClass, OutcomeState
from automl.study.state import StudyState, StudyStatus, write_state
from tests.unit.reports.study_builder import START, StudyBuilder, Told, config, params

__all__ = ["NOW", "host_of", "watched_study"]

NOW = START + timedelta(hours=3, minutes=12)
_GIB = 1 << 30


def host_of() -> str:
    """This machine's name: a driver of another one counts by its heartbeat."""
    return os.uname().nodename


def watched_study(folder: Path, host: str = "ws-07") -> StudyBuilder:
    """Three hours into a search of 36 trials: four run, one failed, one was stopped."""
    limits = Limits(trials=36, confirm=3, max_wall_s=24 * 3600.0, gpu_hours=40.0)
    asked = config(limits=limits, resources=Resources(max_concurrent=4, gpus_per_trial=1))
    spec = {"train": {"num_epochs": 30}}
    builder = StudyBuilder(folder, asked, base_spec=spec)
    told = Told(params(), _rising(0.6802), source="default", seconds=1150.0, gpus=1)
    builder.add(0, told)
    for number in range(1, 14):
        best, lr = 0.62 + 0.008 * number, 1e-4 * (1 + number / 10)
        told = Told(params(lr), _rising(best), seconds=1000.0 + 40 * number, gpus=1)
        builder.add(number, told)
    rung, early = "rung 10: 9th of 11, cut 5", _rising(0.41)[:10]
    told = Told(params(2e-5), early, OutcomeState.PRUNED, evidence=rung, seconds=400.0, gpus=1)
    builder.add(14, told)
    oom = "CUDA out of memory. Tried to allocate 2.00 GiB"
    failure = FailureClass.OOM
    told = Told(params(batch=64), (), OutcomeState.FAILED, failure, oom, seconds=80.0, gpus=1)
    builder.add(15, told)
    for number, (lr, batch) in enumerate(((8.1e-5, 16), (3.9e-5, 16), (1.7e-4, 32), (6e-5, 8))):
        builder.add(16 + number, Told(params(lr, batch), (), state=None, checkpoint=False))
    write_state(builder.paths, _state())
    append_samples(builder.paths, _samples())
    owner = Owner(40211, host, int(started_at(os.getpid()) or 0), START.isoformat(), _ago(3.0))
    if host == host_of():
        owner = replace(owner, pid=os.getpid())
    write_json(builder.paths.lock, asdict(owner))
    return builder


def _rising(best: float) -> list[float]:
    """A curve over thirty epochs that ends just below its best value."""
    return [best * (epoch + 1) / 29 for epoch in range(29)] + [0.98 * best]


def _ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat()


def _state() -> StudyState:
    return StudyState(
        name="bike-fan",
        status=StudyStatus.RUNNING,
        updated_at=_ago(2.0),
        trials=36,
        counts={"complete": 14, "pruned": 1, "failed": 1, "running": 4},
        driver={"pid": 40211, "host": "ws-07"},
        wall_s=3 * 3600.0 + 11 * 60 + 58,
        live=_live(),
        ended=(15, 14, 13, 12, 11),
        notes=("the disk has 212 GB free, about 41 GB more are needed",),
    )


def _samples() -> list[GpuSample]:
    """Ten minutes of four GPUs, the last of which waited in the second half."""
    now = NOW.timestamp()
    busy = (92.0, 55.0, 95.0, 88.0)
    return [
        GpuSample(now - age, f"GPU-{i}", i, 0.0 if i == 3 and age < 300 else busy[i], 20 * _GIB)
        for age in range(620, 0, -20)
        for i in range(4)
    ]


def _live() -> tuple[LiveAttempt, ...]:
    begun = NOW.timestamp()
    first = LiveAttempt(
        16,
        1,
        begun - 560.0,
        epoch=13,
        value=0.6911,
        best=0.6950,
        phase="train",
        in_epoch=14,
        of_epochs=30,
        step=120,
        of_steps=400,
        images_per_s=716.4,
        said="Train metrics generated.",
        gpus=("0",),
        gpu_memory=int(21.3 * _GIB),
        gpu_utilisation=92.0,
    )
    return (
        first,
        replace(
            first,
            number=17,
            attempt=2,
            first_epoch=5,
            phase="validate",
            in_epoch=13,
            step=3,
            of_steps=14,
            images_per_s=902.0,
            gpus=("1",),
            gpu_utilisation=55.4,
        ),
        replace(
            first,
            number=18,
            began_s=begun - 7.0,
            epoch=None,
            value=None,
            best=None,
            in_epoch=0,
            step=40,
            images_per_s=8.25,
            gpus=("2",),
            gpu_memory=int(30.8 * _GIB),
            gpu_utilisation=95.0,
        ),
        LiveAttempt(19, 1, begun - 12.0, gpus=("3",), gpu_memory=_GIB // 2, gpu_utilisation=0.0),
    )
