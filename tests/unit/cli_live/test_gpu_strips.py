"""Ten minutes of each GPU in eight bars."""

import math

from automl.cli.gpu_strips import strips
from automl.study.gpu_samples import GpuSample

NOW = 10_000.0


def sample(age_s: float, percent: float, index: int = 0) -> GpuSample:
    return GpuSample(NOW - age_s, f"GPU-{index}", index, percent, 1)


def test_a_strip_has_a_bar_for_each_part_and_the_newest_value() -> None:
    samples = [sample(age, 12.5 * (7 - age // 75) + 1) for age in range(599, 0, -5)]
    assert list(strips(samples, NOW, 80)) == ["gpu 10m 0 ▁▂▃▄▅▆▇█ 88%"]


def test_a_part_without_a_sample_is_empty_and_the_mean_counts() -> None:
    samples = [sample(700.0, 99.0), sample(590.0, 0.0), sample(12.0, 100.0), sample(10.0, 50.0)]
    assert list(strips(samples, NOW, 80)) == ["gpu 10m 0 ▁      ▇ 50%"]


def test_what_a_gpu_cannot_say_is_not_drawn() -> None:
    assert list(strips([sample(5.0, math.nan)], NOW, 80)) == [f"gpu 10m 0 {' ' * 8} -"]


def test_a_gpu_that_is_long_silent_has_no_strip() -> None:
    assert list(strips([sample(700.0, 50.0)], NOW, 80)) == []
    assert list(strips([], NOW, 80)) == []


def test_many_gpus_take_several_lines() -> None:
    samples = [sample(5.0, 100.0, index) for index in range(8)]
    lines = list(strips(samples, NOW, 60))
    assert max(map(len, lines)) <= 60
    assert [line.count("100%") for line in lines] == [3, 3, 2]
    assert lines[1].startswith("        3 ")
