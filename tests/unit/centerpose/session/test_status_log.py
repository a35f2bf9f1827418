"""The status file: whole lines, in the container's order of keys."""

import json
from datetime import UTC, datetime
from pathlib import Path

from automl.centerpose.session.status import StatusLog

NOON = datetime(2026, 3, 4, 12, 5, 9, tzinfo=UTC)


def test_lines_have_the_containers_keys_in_its_order(tmp_path: Path) -> None:
    log = StatusLog(tmp_path / "train", now=lambda: NOON)
    log.started("Starting Centerpose train.")
    log.running("Training loop in progress", fields={"epoch": 0}, kpi={"train_loss": 1.5})
    log.failed("Configuration error: no")
    lines = log.path.read_text().splitlines()
    assert lines[1] == (
        '{"epoch": 0, "date": "3/4/2026", "time": "12:5:9", "status": "RUNNING", '
        '"verbosity": "INFO", "message": "Training loop in progress", "kpi": {"train_loss": 1.5}}'
    )
    assert [json.loads(line)["status"] for line in lines] == ["STARTED", "RUNNING", "FAILURE"]


def test_a_line_that_a_killed_process_left_half_written_is_ended(tmp_path: Path) -> None:
    StatusLog(tmp_path).started("one")
    with (tmp_path / "status.json").open("a") as file:
        file.write('{"epoch": 3, "da')
    StatusLog(tmp_path).started("two")
    lines = (tmp_path / "status.json").read_text().splitlines()
    assert lines[1] == '{"epoch": 3, "da'
    assert [json.loads(lines[k])["message"] for k in (0, 2)] == ["one", "two"]


def test_an_empty_file_stays_empty_until_something_happens(tmp_path: Path) -> None:
    (tmp_path / "status.json").touch()
    assert StatusLog(tmp_path).path.read_text() == ""
