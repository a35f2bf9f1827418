import math
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from automl.execution.gpu_sampling import NvmlMeter, open_meter, sampling
from automl.study.config import Resources
from automl.study.gpu_samples import GpuSample, read_samples
from automl.study.layout import StudyPaths


class FakeNvmlError(Exception):
    pass


@dataclass
class FakeNvml:
    """NVIDIA's library as a machine of two GPUs has it; of the second some things are unknown."""

    refused: set[str] = field(default_factory=set)
    lost: set[int] = field(default_factory=set)
    NVMLError: type[Exception] = FakeNvmlError
    is_up: bool = False

    def _answer(self, question: str, gpu: int = -1) -> None:
        if question in self.refused or gpu in self.lost or not self.is_up:
            raise self.NVMLError(question)

    def nvmlInit(self) -> None:
        self.is_up = True
        self._answer("init")

    def nvmlDeviceGetCount(self) -> int:
        self._answer("count")
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        self._answer("handle", index)
        return index

    def nvmlDeviceGetUUID(self, gpu: int) -> str:
        self._answer("uuid", gpu)
        return f"GPU-{gpu}"

    def nvmlDeviceGetMemoryInfo(self, gpu: int) -> Any:
        self._answer("memory", gpu)
        return SimpleNamespace(used=(gpu + 1) << 30)

    def nvmlDeviceGetUtilizationRates(self, gpu: int) -> Any:
        self._answer("utilisation", gpu)
        return SimpleNamespace(gpu=90 + gpu)

    def nvmlDeviceGetPowerUsage(self, gpu: int) -> int:
        self._answer("power", gpu)
        return 412_500


def used(ids: tuple[int, ...] | None = None, each: int = 1) -> Resources:
    return Resources(1, each, ids, 1, 1)


def meter_of(nvml: FakeNvml, *indices: int) -> NvmlMeter:
    nvml.nvmlInit()
    return NvmlMeter(nvml, indices or None, lambda: 7.0)


def test_every_gpu_is_sampled_where_a_study_names_none() -> None:
    assert meter_of(FakeNvml()).read() == [
        GpuSample(7.0, "GPU-0", 0, 90.0, 1 << 30, 412.5),
        GpuSample(7.0, "GPU-1", 1, 91.0, 2 << 30, 412.5),
    ]


def test_only_the_gpus_that_a_study_uses_are_sampled() -> None:
    assert [each.index for each in meter_of(FakeNvml(), 1).read()] == [1]


def test_a_gpu_that_is_lost_is_left_out() -> None:
    assert [each.index for each in meter_of(FakeNvml(lost={0})).read()] == [1]


def test_what_a_board_cannot_say_is_unknown() -> None:
    sample = meter_of(FakeNvml(refused={"utilisation", "power"}), 0).read()[0]
    assert math.isnan(sample.utilisation)
    assert math.isnan(sample.power)
    assert sample.memory_used == 1 << 30


def test_a_library_that_answers_nothing_gives_no_samples() -> None:
    assert meter_of(FakeNvml(refused={"count"})).read() == []


@pytest.mark.parametrize("resources", [used(each=0), used((), 1)])
def test_a_study_without_gpus_asks_nobody(resources: Resources) -> None:
    nvml = FakeNvml()
    assert open_meter(resources, nvml) is None
    assert not nvml.is_up


def test_a_machine_without_a_driver_has_no_meter() -> None:
    assert open_meter(used(), FakeNvml(refused={"init"})) is None


def test_the_meter_of_a_study_asks_for_its_gpus() -> None:
    meter = open_meter(used((1,)), FakeNvml())
    assert meter is not None
    assert [each.gpu for each in meter.read()] == ["GPU-1"]


class Counting:
    """A meter that says when it has been asked so many times."""

    def __init__(self, times: int) -> None:
        self.reached = threading.Event()
        self._left = times

    def read(self) -> list[GpuSample]:
        self._left -= 1
        if self._left <= 0:
            self.reached.set()
        return [GpuSample(float(-self._left), "GPU-0", 0, 50.0, 1, 2.0)]


def test_samples_are_written_while_the_block_runs(tmp_path: Path) -> None:
    meter = Counting(3)
    with sampling(meter, StudyPaths(tmp_path), every_s=0.01):
        assert meter.reached.wait(5.0)
    assert len(read_samples(tmp_path)) >= 2


def test_a_log_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    meter = Counting(3)
    with sampling(meter, StudyPaths(tmp_path / "gone"), every_s=0.01):
        assert meter.reached.wait(5.0)


def test_without_a_meter_nothing_is_written(tmp_path: Path) -> None:
    with sampling(None, StudyPaths(tmp_path), every_s=0.01):
        pass
    assert list(tmp_path.iterdir()) == []
