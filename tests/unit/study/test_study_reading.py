"""Reading a study again and again shows what reading it from its beginning would."""

from pathlib import Path

import pytest

from automl.errors import FixInput
from automl.study.config import Direction, Objective, StudyConfig
from automl.study.journal import CheckedJournal
from automl.study.layout import StudyPaths
from automl.study.reading import StudyReader
from automl.study.storage import create_study, open_storage, open_study, read_study

OBJECTIVE = Objective("val_3DIoU", Direction.MAXIMIZE)
CONFIG = StudyConfig("bikes", "/skill", "on", "default", OBJECTIVE)


@pytest.fixture
def paths(tmp_path: Path) -> StudyPaths:
    return StudyPaths(tmp_path)


def add_trial(paths: StudyPaths, value: float) -> None:
    """What another process writes."""
    study = open_study(open_storage(paths), "bikes", OBJECTIVE)
    trial = study.ask()
    trial.suggest_float("lr", 0.0, 1.0)
    study.tell(trial, value)


def values(reader: StudyReader) -> list[float | None]:
    study = reader.read(CONFIG)
    return [] if study is None else [trial.value for trial in study.trials]


def test_what_is_written_later_is_seen(paths: StudyPaths) -> None:
    reader = StudyReader(paths)
    assert reader.read(CONFIG) is None
    for count in (1, 2, 3):
        add_trial(paths, count / 10)
        assert values(reader) == [n / 10 for n in range(1, count + 1)]
    assert values(reader) == [0.1, 0.2, 0.3]


def test_only_new_lines_are_read(paths: StudyPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = StudyReader(paths)
    add_trial(paths, 0.1)
    values(reader)
    known = len(paths.journal.read_text().splitlines())
    began_at: list[int] = []
    read_logs = CheckedJournal.read_logs

    def noted(journal: CheckedJournal, log_number_from: int) -> object:
        began_at.append(log_number_from)
        return read_logs(journal, log_number_from)

    add_trial(paths, 0.2)
    monkeypatch.setattr(CheckedJournal, "read_logs", noted)
    assert values(reader) == [0.1, 0.2]
    assert min(began_at) == known


def test_another_journal_is_read_from_its_beginning(paths: StudyPaths, tmp_path: Path) -> None:
    reader = StudyReader(paths)
    add_trial(paths, 0.1)
    assert values(reader) == [0.1]
    other = StudyPaths(tmp_path / "other")
    other.folder.mkdir()
    for value in (0.7, 0.8):
        add_trial(other, value)
    other.journal.replace(paths.journal)
    assert values(reader) == [0.7, 0.8]


def test_a_journal_that_lost_its_end_is_read_from_its_beginning(paths: StudyPaths) -> None:
    reader = StudyReader(paths)
    create_study(open_storage(paths), "bikes", OBJECTIVE)
    add_trial(paths, 0.1)
    short = paths.journal.read_bytes()
    add_trial(paths, 0.2)
    assert values(reader) == [0.1, 0.2]
    paths.journal.write_bytes(short)
    assert values(reader) == [0.1]


def test_a_line_that_broke_is_named_as_ever(paths: StudyPaths) -> None:
    reader = StudyReader(paths)
    add_trial(paths, 0.1)
    values(reader)
    with paths.journal.open("a") as journal:
        journal.write('{"op_code": 99}\n')
    with pytest.raises(FixInput) as said:
        reader.read(CONFIG)
    with pytest.raises(FixInput) as fresh:
        read_study(paths, CONFIG)
    assert str(said.value) == str(fresh.value)
