"""Studies of every format ever written must still load; the fixtures are never rewritten."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from automl.study.config import Direction, Objective, StudyConfig
from automl.study.layout import StudyPaths
from automl.study.storage import read_study
from automl.study.trials import read_records

GOLDEN = Path(__file__).parents[2] / "golden" / "study"
OBJECTIVE = Objective("val_3DIoU", Direction.MAXIMIZE, 0.0)


@pytest.mark.parametrize("journal", sorted(GOLDEN.glob("*.journal")), ids=lambda path: path.stem)
def test_the_records_of_an_old_journal_are_what_they_were(journal: Path, tmp_path: Path) -> None:
    paths = StudyPaths(tmp_path)
    shutil.copy(journal, paths.journal)
    study = read_study(paths, StudyConfig("golden", "/skill", "on", "default", OBJECTIVE))
    assert study is not None
    records = [asdict(record) for record in read_records(study, OBJECTIVE)]
    expected = json.loads(journal.with_suffix(".records.json").read_text())
    known = [
        {name: record[name] for name in old} for record, old in zip(records, expected, strict=True)
    ]
    assert json.loads(json.dumps(known)) == expected


def test_there_is_a_fixture() -> None:
    assert list(GOLDEN.glob("*.journal"))
