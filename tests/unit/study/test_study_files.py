import json
import math
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from automl.files import sha256_of
from automl.study.layout import AttemptPaths, StudyPaths
from automl.study.outcomes import read_outcome, write_outcome
from automl.study.provenance import Inputs, collect_provenance
from automl.study.records import (
    FailureClass,
    Measurement,
    Outcome,
    OutcomeState,
    TrialRecord,
    TrialState,
)
from automl.study.state import (
    BestTrial,
    StudyState,
    StudyStatus,
    counts_of,
    read_state,
    write_state,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
OUTCOME = Outcome(
    3,
    2,
    OutcomeState.FAILED,
    (Measurement(0, {"val_3DIoU": 0.25}, 12.5),),
    FailureClass.OOM,
    "CUDA out of memory",
    1,
    "trials/0003/2/model_epoch_000_step_00008.pth",
    "ab" * 32,
    13.5,
    27.0,
    NOON.isoformat(),
    NOON.isoformat(),
)


@pytest.fixture
def attempt(tmp_path: Path) -> AttemptPaths:
    return AttemptPaths(tmp_path)


def test_an_outcome_reads_back_as_it_was_written(attempt: AttemptPaths) -> None:
    write_outcome(attempt, OUTCOME)
    assert read_outcome(attempt) == (OUTCOME, "")


def test_the_first_outcome_of_an_attempt_stands(attempt: AttemptPaths) -> None:
    assert write_outcome(attempt, OUTCOME) == OUTCOME
    later = replace(OUTCOME, state=OutcomeState.INTERRUPTED, failure=None)
    assert write_outcome(attempt, later) == OUTCOME
    assert read_outcome(attempt) == (OUTCOME, "")


def test_an_outcome_that_cannot_be_read_is_replaced(attempt: AttemptPaths) -> None:
    attempt.outcome.write_text("{")
    assert write_outcome(attempt, OUTCOME) == OUTCOME
    assert read_outcome(attempt) == (OUTCOME, "")


def test_no_outcome_is_no_cause_for_a_note(attempt: AttemptPaths) -> None:
    assert read_outcome(attempt) == (None, "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("format", 2),
        ("state", "fine"),
        ("failure", None),
        ("failure", "bad luck"),
        ("measurements", [{"epoch": 0}]),
        ("measurements", 5),
    ],
)
def test_an_outcome_that_breaks_a_rule_counts_as_absent(
    attempt: AttemptPaths, name: str, value: object
) -> None:
    attempt.outcome.write_text(json.dumps({**OUTCOME.to_json(), name: value}))
    outcome, note = read_outcome(attempt)
    assert outcome is None
    assert str(attempt.outcome) in note


@pytest.mark.parametrize("cut", [0, 1, 40, 200])
def test_half_an_outcome_counts_as_absent(attempt: AttemptPaths, cut: int) -> None:
    attempt.outcome.write_text(json.dumps(OUTCOME.to_json())[:cut])
    assert read_outcome(attempt)[0] is None
    assert "counts as absent" in read_outcome(attempt)[1]


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_an_outcome_holds_finite_numbers_only(attempt: AttemptPaths, number: float) -> None:
    broken = {**OUTCOME.to_json(), "seconds": number}
    attempt.outcome.write_text(json.dumps(broken))
    outcome, note = read_outcome(attempt)
    assert outcome is None
    assert "finite" in note


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_measurement_is_finite(number: float) -> None:
    with pytest.raises(ValueError, match="must be finite"):
        Measurement(3, {"val_3DIoU": 0.4, "val_2DMPE": number}, 1.0)


def test_a_state_reads_back_as_it_was_written(tmp_path: Path) -> None:
    paths = StudyPaths(tmp_path)
    records = [
        TrialRecord(0, TrialState.COMPLETE, {}, best_epoch=4, best_value=0.5, checkpoint="a.pth"),
        TrialRecord(1, TrialState.FAILED, {}, failure=FailureClass.OOM),
        TrialRecord(2, TrialState.RUNNING, {}),
    ]
    state = StudyState(
        "bikes",
        StudyStatus.RUNNING,
        NOON.isoformat(),
        12,
        counts_of(records),
        BestTrial.of(records[0]),
        driver={"pid": 4711, "host": "ws-07"},
        limits={"trials": 12},
    )
    write_state(paths, state)
    assert read_state(paths) == state
    assert state.counts == {"complete": 1, "failed": 1, "running": 1}
    assert state.finished == 2
    assert state.best == BestTrial(0, 0.5, 4, "a.pth")
    assert state.age_s(NOON + timedelta(seconds=9)) == 9


def test_without_a_value_there_is_no_best() -> None:
    assert BestTrial.of(None) is None
    assert BestTrial.of(TrialRecord(0, TrialState.FAILED, {})) is None


@pytest.mark.parametrize("content", [None, "", "[]", '{"format": 7}', '{"format": 1}'])
def test_a_state_that_cannot_be_read_is_none(tmp_path: Path, content: str | None) -> None:
    paths = StudyPaths(tmp_path)
    if content is not None:
        paths.state.write_text(content)
    assert read_state(paths) is None


def test_provenance_names_what_decided_the_study(tmp_path: Path) -> None:
    schema = tmp_path / "train.schema.json"
    schema.write_text("{}")
    files = {"schema": schema, "template": tmp_path / "absent.yaml"}
    found = collect_provenance(Inputs(["automl", "run"], 7, files, {"train": 1284}), lambda: NOON)
    assert found["created_at"] == "2026-11-23T12:00:00+00:00"
    assert (found["command"], found["seed"], found["data"]) == (
        ["automl", "run"],
        7,
        {"train": 1284},
    )
    assert found["files"] == {"schema": {"path": str(schema), "sha256": sha256_of(schema)}}
    assert {"automl", "optuna", "ray"} <= found["packages"].keys()
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_provenance_imports_nothing_to_learn_its_version() -> None:
    program = (
        "import sys\n"
        "from automl.study.provenance import Inputs, collect_provenance\n"
        "collect_provenance(Inputs([], 0))\n"
        "print(*{'torch', 'ray', 'optuna', 'numpy'} & sys.modules.keys())\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == ""
