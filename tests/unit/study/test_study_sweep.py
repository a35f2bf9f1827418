"""What a killed driver left goes with the next command that writes."""

import os
from pathlib import Path

import pytest

from automl.reports.write import write_report
from automl.study.layout import StudyPaths
from automl.study.lock import StudyLock
from automl.study.sweep import sweep, sweep_own
from tests.unit.reports.study_builder import StudyBuilder, fill

LEFT = (".state.json.ab12cd34", "best/.train.yaml.ab12cd34", "report/.report.json.ab12cd34")


@pytest.fixture
def paths(tmp_path: Path) -> StudyPaths:
    builder = StudyBuilder(tmp_path)
    fill(builder)
    for name in (*LEFT, ".ray/session/log.txt"):
        path = builder.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, ns=(0, 0))
    return builder.paths


def left(paths: StudyPaths) -> list[str]:
    return [name for name in (*LEFT, ".ray") if (paths.folder / name).exists()]


def test_a_report_removes_what_was_left(paths: StudyPaths) -> None:
    assert len(left(paths)) == 4
    write_report(paths.folder)
    assert left(paths) == []


def test_the_driver_removes_all_of_it_at_once(paths: StudyPaths) -> None:
    for name in LEFT[:2]:
        os.utime(paths.folder / name)
    with StudyLock(paths):
        sweep_own(paths)
    assert left(paths) == []


def test_what_another_process_may_be_writing_stays(paths: StudyPaths) -> None:
    for name in LEFT:
        os.utime(paths.folder / name)
    sweep(paths)
    assert left(paths) == list(LEFT)


def test_a_study_that_somebody_drives_is_left_alone(paths: StudyPaths) -> None:
    with StudyLock(paths):
        sweep(paths)
    assert len(left(paths)) == 4


def test_a_link_in_the_place_of_a_folder_is_not_followed(
    paths: StudyPaths, tmp_path: Path
) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    (paths.folder / ".ray" / "session" / "log.txt").unlink()
    (paths.folder / ".ray" / "session").rmdir()
    (paths.folder / ".ray").rmdir()
    (paths.folder / ".ray").symlink_to(precious)
    sweep(paths)
    assert (precious / "file").exists()
