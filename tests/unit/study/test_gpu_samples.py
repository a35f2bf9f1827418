import json
import math
from pathlib import Path

import pandas as pd
import pytest

from automl.errors import FixInput
from automl.study.gpu_samples import (
    GpuSample,
    append_samples,
    latest_samples,
    put_away,
    read_samples,
    write_samples,
)
from automl.study.layout import StudyPaths

FIRST = GpuSample(100.0, "GPU-a", 0, 93.0, 21 << 30, 412.5)
OTHER = GpuSample(100.0, "GPU-b", 1, 0.0, 1 << 20)
LATER = GpuSample(105.0, "GPU-a", 0, math.nan, 22 << 30, 431.0)


@pytest.fixture
def paths(tmp_path: Path) -> StudyPaths:
    return StudyPaths(tmp_path)


def plain(samples: list[GpuSample]) -> list[str]:
    """As text, because NaN equals nothing."""
    return [str(sample) for sample in samples]


def test_a_study_without_samples_has_none_and_gets_no_table(paths: StudyPaths) -> None:
    assert read_samples(paths.folder) == []
    assert latest_samples(paths.folder) == []
    assert write_samples(paths) is None
    put_away(paths)
    append_samples(paths, [])
    assert list(paths.folder.iterdir()) == []


def test_what_was_appended_reads_back_by_time_and_index(paths: StudyPaths) -> None:
    append_samples(paths, [LATER])
    append_samples(paths, [OTHER, FIRST])
    assert plain(read_samples(paths.folder)) == plain([FIRST, OTHER, LATER])


def test_the_log_is_strict_json(paths: StudyPaths) -> None:
    append_samples(paths, [LATER])
    line = json.loads(paths.gpu_log.read_text(encoding="utf-8"))
    assert line["utilisation"] is None
    assert line["memory_used"] == 22 << 30


def test_a_report_writes_the_table_and_leaves_the_log_to_the_driver(paths: StudyPaths) -> None:
    append_samples(paths, [FIRST, OTHER])
    assert write_samples(paths) == paths.gpu_table
    append_samples(paths, [LATER])
    assert plain(read_samples(paths.folder)) == plain([FIRST, OTHER, LATER])
    table = pd.read_parquet(paths.gpu_table)
    assert list(table.columns) == ["time", "gpu", "index", "utilisation", "memory_used", "power"]
    assert len(table) == 2
    assert math.isnan(table["power"][1])


def test_putting_away_empties_the_log_and_a_further_driver_adds_to_it(paths: StudyPaths) -> None:
    append_samples(paths, [FIRST])
    put_away(paths)
    assert not paths.gpu_log.exists()
    append_samples(paths, [OTHER, LATER])
    put_away(paths)
    assert plain(read_samples(paths.folder)) == plain([FIRST, OTHER, LATER])


def test_the_newest_of_each_gpu_is_found_at_the_end_of_a_long_log(paths: StudyPaths) -> None:
    for second in range(500):
        moment = float(second)
        append_samples(
            paths,
            [GpuSample(moment, f"GPU-{index}", index, 50.0, second, 300.0) for index in (1, 0)],
        )
    newest = latest_samples(paths.folder)
    assert [(each.index, each.time) for each in newest] == [(0, 499.0), (1, 499.0)]


@pytest.mark.parametrize(
    "line",
    [b'{"time": 1', b"[]", b"7", b'{"time": null}', b"\xff", b'{"time": "x", "gpu": "a"}'],
)
def test_a_broken_line_is_passed_over(paths: StudyPaths, line: bytes) -> None:
    append_samples(paths, [FIRST])
    with paths.gpu_log.open("ab") as file:
        file.write(line + b"\n")
    append_samples(paths, [LATER])
    assert plain(read_samples(paths.folder)) == plain([FIRST, LATER])


def test_a_broken_table_is_passed_over(paths: StudyPaths) -> None:
    paths.gpu_table.write_bytes(b"PAR1 and no more")
    append_samples(paths, [FIRST])
    assert read_samples(paths.folder) == [FIRST]


def test_nothing_is_written_through_a_link(paths: StudyPaths, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    paths.gpu_log.symlink_to(elsewhere)
    with pytest.raises(FixInput, match="not links"):
        append_samples(paths, [FIRST])
    assert not elsewhere.exists()
