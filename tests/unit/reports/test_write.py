"""The report folder: all files, whole, and again over older ones."""

import json
from pathlib import Path

import pandas as pd
import pytest

from automl.errors import FixInput
from automl.reports.write import write_report
from automl.study.layout import StudyPaths
from tests.unit.reports.study_builder import StudyBuilder


def test_every_file_is_written_and_written_again(full_study: Path) -> None:
    first = write_report(full_study)
    assert [path.name for path in first] == [
        "index.html",
        "summary.md",
        "trials.csv",
        "trials.parquet",
        "attempts.parquet",
        "epochs.parquet",
        "report.json",
    ]
    contents = {path.name: path.read_bytes() for path in first}
    assert write_report(full_study) == first
    # A report is a function of the study folder, and its own files are not part of it.
    assert {path.name: path.read_bytes() for path in first} == contents
    assert sorted(path.name for path in (full_study / "report").iterdir()) == sorted(contents)


@pytest.mark.parametrize("content", [None, b""], ids=["lost", "empty"])
def test_a_report_is_not_replaced_by_an_empty_one(full_study: Path, content: bytes | None) -> None:
    contents = {path: path.read_bytes() for path in write_report(full_study)}
    journal = StudyPaths(full_study).journal
    journal.unlink()
    if content is not None:
        journal.write_bytes(content)
    with pytest.raises(FixInput, match="must hold its trials") as caught:
        write_report(full_study)
    assert "trials/0007 is there" in caught.value.got
    assert {path: path.read_bytes() for path in contents} == contents


def test_a_study_that_has_not_begun_has_a_report(studies_dir: Path) -> None:
    assert all(path.is_file() for path in write_report(StudyBuilder(studies_dir).folder))


def test_the_files_agree(full_study: Path) -> None:
    write_report(full_study)
    report = full_study / "report"
    value = json.loads((report / "report.json").read_text(encoding="utf-8"))
    csv = pd.read_csv(report / "trials.csv")
    parquet = pd.read_parquet(report / "trials.parquet")
    epochs = pd.read_parquet(report / "epochs.parquet")
    assert csv["number"].tolist() == parquet["number"].tolist() == list(range(8))
    assert value["winner"]["value"] == parquet["metric.val_3DIoU"].max() == 0.47
    assert len(epochs) == sum(len(trial["measurements"]) for trial in value["trials"])
