"""Records of actions: written, read back in order, never mistaken."""

from dataclasses import replace
from pathlib import Path

import pytest

from automl.study.actions import (
    ActionRecord,
    Made,
    Origin,
    new_folder,
    read_actions,
    write_action,
)

RECORD = ActionRecord(
    action="export",
    deploy=False,
    trainer="process",
    ok=True,
    exit_code=0,
    evidence="",
    origin=Origin("/s/best/model_epoch_001_step_00016.pth", "aa", "aa", 3, 1, "the best epoch"),
    command=("centerpose", "export"),
    data={"dataset.test_data": "/data/test"},
    metrics={"test_3DIoU": 0.5},
    made={"export.onnx_file": Made("centerpose.onnx", "bb", 12)},
    n_files=1,
    seconds=2.5,
    started_at="2026-11-23T07:00:00+00:00",
)


def test_a_record_comes_back_equal(tmp_path: Path) -> None:
    write_action(tmp_path / "export-1", RECORD)
    assert list(read_actions(tmp_path)) == [(tmp_path / "export-1", RECORD)]


def test_the_oldest_comes_first_whatever_its_name(tmp_path: Path) -> None:
    for number, hour in ((1, "09"), (2, "08"), (10, "10")):
        record = replace(RECORD, started_at=f"2026-11-23T{hour}:00:00+00:00")
        write_action(tmp_path / f"export-{number}", record)
    assert [folder.name for folder, _ in read_actions(tmp_path)] == [
        "export-2",
        "export-1",
        "export-10",
    ]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": 2}', '{"format": 1, "action": "x"}'])
def test_a_broken_record_is_no_record(tmp_path: Path, text: str) -> None:
    (tmp_path / "export-1").mkdir()
    (tmp_path / "export-1" / "outcome.json").write_text(text)
    assert list(read_actions(tmp_path)) == []


def test_no_folder_no_actions(tmp_path: Path) -> None:
    assert list(read_actions(tmp_path / "none")) == []


def test_folders_are_numbered_and_never_used_twice(tmp_path: Path) -> None:
    assert new_folder(tmp_path, "evaluate").name == "evaluate-1"
    (tmp_path / "evaluate-1").mkdir()
    assert new_folder(tmp_path, "evaluate").name == "evaluate-2"
    assert new_folder(tmp_path, "export").name == "export-1"
