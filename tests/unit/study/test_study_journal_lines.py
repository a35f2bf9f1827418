"""Journals that Optuna would replay into nonsense, or into a traceback: each line is named."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest

from automl.errors import FixInput, PrepareMachine
from automl.study import attributes
from automl.study.config import Direction, Objective, StudyConfig
from automl.study.layout import StudyPaths
from automl.study.storage import create_study, open_storage, read_study

OBJECTIVE = Objective("val_3DIoU", Direction.MAXIMIZE)
CONFIG = StudyConfig("bikes", "/skill", "on", "default", OBJECTIVE)
CREATE_TRIAL, SET_PARAM, SET_STATE, SET_EPOCH, SET_NOTE = 4, 5, 6, 7, 8


@pytest.fixture
def paths(tmp_path: Path) -> StudyPaths:
    paths = StudyPaths(tmp_path)
    study = create_study(open_storage(paths), "bikes", OBJECTIVE)
    for number, value in enumerate((0.1, 0.2, 0.3)):
        study.enqueue_trial({"lr": 1e-3}, user_attrs={attributes.NUMBER: number})
        trial = study.ask()
        trial.suggest_float("lr", 1e-5, 1e-2, log=True)
        trial.suggest_categorical("kind", ["a", "b"])
        trial.set_user_attr(attributes.SECONDS, 1.5)
        trial.report(value, 0)
        study.tell(trial, value)
        (paths.attempt(number, 1).folder).mkdir(parents=True)
    return paths


def lines_of(paths: StudyPaths) -> list[dict[str, Any]]:
    return [json.loads(line) for line in paths.journal.read_text().splitlines()]


def write(paths: StudyPaths, lines: list[Any]) -> None:
    paths.journal.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def change(paths: StudyPaths, code: int, fields: dict[str, Any]) -> int:
    """Changes fields of the first line of a kind; MISSING takes one out. The line's position."""
    lines = lines_of(paths)
    at = next(i for i, line in enumerate(lines) if line["op_code"] == code and i > 1)
    changed = lines[at] | fields
    lines[at] = {name: value for name, value in changed.items() if value is not MISSING}
    write(paths, lines)
    return at + 1


MISSING = object()


def refusal(paths: StudyPaths) -> str:
    with pytest.raises(FixInput) as caught:
        read_study(paths, CONFIG)
    assert str(paths.journal) in caught.value.where
    assert caught.value.fix
    return caught.value.got


@pytest.mark.parametrize(
    ("code", "fields", "said"),
    [
        (CREATE_TRIAL, {"op_code": MISSING}, "no op_code"),
        (CREATE_TRIAL, {"op_code": 77}, "op_code 77"),
        (CREATE_TRIAL, {"op_code": "4"}, "op_code '4'"),
        (CREATE_TRIAL, {"op_code": True}, "op_code True"),
        (CREATE_TRIAL, {"study_id": 5}, "the study 5, which no line before it makes"),
        (CREATE_TRIAL, {"study_id": None}, "study_id must be a whole number from 0, but is None"),
        (CREATE_TRIAL, {"worker_id": MISSING}, "worker_id must be a text"),
        (CREATE_TRIAL, {"datetime_start": "noon"}, "datetime_start must be a time"),
        (CREATE_TRIAL, {"state": 9}, "state must be a trial's state"),
        (CREATE_TRIAL, {"state": 1}, "values must be 1 of a trial that is complete"),
        (CREATE_TRIAL, {"user_attrs": []}, "user_attrs must be a mapping"),
        (CREATE_TRIAL, {"user_attrs": {"number": "x"}}, "number must be a whole number from 0"),
        (CREATE_TRIAL, {"user_attrs": {"attempt": 0}}, "attempt must be a whole number from 1"),
        (CREATE_TRIAL, {"user_attrs": {"history": [{}]}}, "history must be a list of measure"),
        (CREATE_TRIAL, {"user_attrs": {"resume_from": "/etc/passwd"}}, "a path within the study"),
        (CREATE_TRIAL, {"user_attrs": {"resume_from": "../x"}}, "a path within the study"),
        (CREATE_TRIAL, {"user_attrs": {"failure": "bad luck"}}, "a class of failure"),
        (CREATE_TRIAL, {"params": {"lr": 1.0}}, "parameter lr has no distribution"),
        (CREATE_TRIAL, {"system_attrs": {"fixed_params": 3}}, "fixed_params must be a mapping"),
        (CREATE_TRIAL, {"intermediate_values": {"x": 1}}, "mapping of epochs to numbers"),
        (SET_PARAM, {"trial_id": 40}, "the trial 40, which no line before it makes"),
        (SET_PARAM, {"trial_id": 10**400}, "but is a huge number"),
        (SET_PARAM, {"distribution": MISSING}, "distribution is missing"),
        (SET_PARAM, {"distribution": '{"attributes": {}}'}, "a distribution of Optuna's"),
        (SET_PARAM, {"distribution": "[" * 3000 + "]" * 3000}, "a distribution of Optuna's"),
        (SET_PARAM, {"distribution": 3}, "a distribution of Optuna's"),
        (SET_PARAM, {"param_value_internal": "high"}, "param_value_internal must be a number"),
        (SET_PARAM, {"param_name": 3}, "param_name must be a text"),
        (SET_STATE, {"state": 7}, "state must be a trial's state"),
        (SET_STATE, {"state": 1, "values": None}, "datetime_complete must be a time"),
        (SET_STATE, {"datetime_start": 3}, "datetime_start must be a time"),
        (SET_STATE, {"values": ["x"]}, "values must be a list of numbers"),
        (SET_EPOCH, {"step": -1}, "step must be a whole number from 0"),
        (SET_EPOCH, {"step": 2**40}, "step must be a whole number from 0"),
        (SET_EPOCH, {"intermediate_value": None}, "intermediate_value must be a number"),
        (SET_NOTE, {"user_attr": {}}, "a mapping of one entry"),
        (SET_NOTE, {"user_attr": {"seconds": -1}}, "seconds must be a number of seconds"),
        (SET_NOTE, {"user_attr": {"seconds": "long"}}, "seconds must be a number of seconds"),
    ],
)
def test_a_line_that_is_no_operation_is_named(
    paths: StudyPaths, code: int, fields: dict[str, Any], said: str
) -> None:
    position = change(paths, code, fields)
    got = refusal(paths)
    assert f"line {position}: " in got
    assert said in got


@pytest.mark.parametrize("line", [{}, 123, None, "x", [], [[]]])
def test_json_that_is_no_record_is_named(paths: StudyPaths, line: Any) -> None:
    lines = lines_of(paths)
    write(paths, [*lines[:4], line, *lines[4:]])
    assert refusal(paths).startswith("line 5: ")


@pytest.mark.parametrize(
    "line", [b"\n", b"\xff\xfe\n", b"\0\0\n", b"[" * 5000 + b"\n", b"9" * 5000 + b"\n"]
)
def test_what_is_no_json_is_named(paths: StudyPaths, line: bytes) -> None:
    content = paths.journal.read_bytes().splitlines(keepends=True)
    paths.journal.write_bytes(b"".join([*content[:6], line, *content[6:]]))
    assert "line 7" in refusal(paths)


def test_a_choice_that_its_parameter_lacks_is_named(paths: StudyPaths) -> None:
    lines = lines_of(paths)
    at = next(i for i, line in enumerate(lines) if line.get("param_name") == "kind")
    for value in (2, -1, 1e300):
        write(paths, [*lines[:at], lines[at] | {"param_value_internal": value}, *lines[at + 1 :]])
        assert f"line {at + 1}: its parameter's value {value}" in refusal(paths)


def test_a_trial_that_is_made_twice_is_named(paths: StudyPaths) -> None:
    lines = lines_of(paths)
    at = next(i for i, line in enumerate(lines) if line["op_code"] == CREATE_TRIAL)
    write(paths, [*lines[: at + 3], lines[at], *lines[at + 3 :]])
    assert f"line {at + 4}: it makes the trial once more that line {at + 1} makes" in refusal(
        paths
    )


def test_a_lost_line_that_moves_later_trials_is_noticed(paths: StudyPaths) -> None:
    lines = lines_of(paths)
    at = next(i for i, line in enumerate(lines) if line["op_code"] == CREATE_TRIAL)
    write(paths, [*lines[:at], *lines[at + 1 :]])
    assert "which no line before it makes" in refusal(paths)


def test_a_cut_between_two_lines_is_noticed_by_the_folders(paths: StudyPaths) -> None:
    lines = lines_of(paths)
    at = [i for i, line in enumerate(lines) if line["op_code"] == CREATE_TRIAL][2]
    write(paths, lines[:at])
    assert refusal(paths) == "2 trials, though trials/0002 is there"


def test_a_deleted_study_is_said_as_it_is(paths: StudyPaths) -> None:
    optuna.delete_study(study_name="bikes", storage=open_storage(paths))
    n = len(lines_of(paths))
    assert refusal(paths) == f"none: line {n} deletes the study"


def test_a_journal_of_another_study_names_it(paths: StudyPaths, tmp_path: Path) -> None:
    other = StudyPaths(tmp_path / "other")
    other.folder.mkdir()
    create_study(open_storage(other), "boxes", OBJECTIVE)
    paths.journal.write_bytes(other.journal.read_bytes())
    assert refusal(paths) == "the study boxes, and no study bikes"


@pytest.mark.parametrize("content", [None, b"", b"{"], ids=["lost", "empty", "torn"])
def test_a_journal_without_anything_is_no_study_that_never_began(
    paths: StudyPaths, content: bytes | None
) -> None:
    paths.journal.unlink()
    if content is not None:
        paths.journal.write_bytes(content)
    assert "though trials/0002 is there" in refusal(paths)


def _folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(("make", "what"), [(_folder, "a folder"), (os.mkfifo, "a pipe")])
def test_what_is_no_file_is_not_waited_for(
    paths: StudyPaths, make: Callable[[Path], None], what: str
) -> None:
    paths.journal.unlink()
    make(paths.journal)
    assert what in refusal(paths)


def test_a_refusal_of_the_system_names_the_file(
    paths: StudyPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("automl.study.storage.repair_journal", refuse)
    with pytest.raises(PrepareMachine, match="Input/output error") as caught:
        read_study(paths, CONFIG)
    assert str(paths.journal) in caught.value.where


def test_another_programs_notes_may_be_anything(paths: StudyPaths) -> None:
    change(paths, SET_NOTE, {"user_attr": {"their own": [1, {"a": None}]}})
    assert read_study(paths, CONFIG) is not None


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_notes_in_a_database_are_looked_at_too(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'trials.db'}"
    study = create_study(open_storage(StudyPaths(tmp_path), url), "bikes", OBJECTIVE)
    study.enqueue_trial({}, user_attrs={attributes.NUMBER: "first"})
    config = StudyConfig("bikes", "/skill", "on", "default", OBJECTIVE, storage_url=url)
    with pytest.raises(FixInput, match="number must be a whole number from 0, but is 'first'"):
        read_study(StudyPaths(tmp_path), config)
